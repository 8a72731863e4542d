//! Jobs that the market wallet pays for, and payments that are brought home when nobody asks for them any more.

use alloy_primitives::{Address, B256};
use chain::{Deposits, calls};
use gateway::GasCaps;
use market::{Amount, JobId, Seconds, Status, Timestamp};
use payments::ledger::Posting;
use reqwest::Method;
use serde_json::{Value, json};
use store::{AccountId, DepositKey, DepositRow, DepositState, HoldState};
use wire::{
    Terms, TermsJson,
    http::{AccountSessionJson, CreatedJobJson, DepositJson, Page, WalletEntryJson, WalletJson},
};

use crate::{
    jobs::{PRICE, Shop},
    stage::{Answer, until},
};

/// What an hour costs.
const HOUR: i64 = 3_600_000;

/// Somebody without a key, and his money.
struct Person {
    session: AccountSessionJson,
}

impl Person {
    /// Signs up, and has `amount` that lies in the treasury on chain too.
    async fn with(shop: &Shop, email: &str, amount: i64) -> Self {
        let stage = &shop.stage;
        let session = stage.account(email).await;
        let person = Self { session };
        let body = json!({"amount": {"amount": amount.to_string(), "token": stage.market.token()}});
        let told: DepositJson = person.post(shop, "/api/v1/wallets/deposit", &body).await.json();
        let units = Amount(u128::try_from(amount).unwrap());
        let moved =
            stage.town.renter.execute(&calls::erc20::transfer(stage.market.token(), told.treasury, units)).await;
        let asset = stage.store.assets().await.unwrap()[0].asset;
        let key = DepositKey { asset, tx: moved.unwrap().tx, log_index: 0 };
        let row = DepositRow {
            key,
            sender: stage.town.renter.address(),
            account: None,
            amount,
            block: 1,
            block_hash: B256::repeat_byte(1),
            depth: 9,
            state: DepositState::Seen,
            round: 0,
            seen_at: Timestamp(1),
        };
        stage.store.see_deposits(&[row]).await.unwrap();
        let account = AccountId(person.session.account);
        let posting = Posting::DepositCredited { deposit: key, round: 0, account };
        stage.ledger.post(posting, Timestamp(1)).await.unwrap();
        person
    }

    async fn post(&self, shop: &Shop, path: &str, body: &Value) -> Answer {
        shop.stage.post_as(path, &self.session.token, body).await
    }

    async fn quote(&self, shop: &Shop) -> CreatedJobJson {
        self.post(shop, "/api/v1/jobs", &shop.wish()).await.json()
    }

    async fn order(&self, shop: &Shop, terms: &TermsJson) -> Answer {
        self.post(shop, "/api/v1/jobs", &json!({ "terms": terms })).await
    }

    /// What may be spent and what is set aside.
    async fn has(&self, shop: &Shop) -> (String, String) {
        let shown = shop.stage.send_as(Method::GET, "/api/v1/wallets/balance", &self.session.token, &json!({})).await;
        let wallet: WalletJson = shown.json();
        (wallet.balances[0].available.amount.clone(), wallet.balances[0].held.amount.clone())
    }
}

fn figures(available: i64, held: i64) -> (String, String) {
    (available.to_string(), held.to_string())
}

async fn adds_up(shop: &Shop) {
    let wrong = shop.stage.store.audit_ledger().await.unwrap();
    assert!(wrong.is_empty(), "{wrong:?}");
    let asset = &shop.stage.store.assets().await.unwrap()[0];
    assert!(asset.totals.agree(), "{:?}", asset.totals);
}

#[tokio::test]
async fn terms_that_are_sent_back_order_one_job_for_money_that_is_set_aside() {
    let shop = Shop::new().await;
    let ann = Person::with(&shop, "ann@example.com", 2 * HOUR).await;
    let quote = ann.quote(&shop).await;
    assert!(quote.sign.is_none() && quote.transaction.is_none(), "nobody signs anything");
    assert_eq!(quote.terms.controller, shop.stage.town.watcher.address());
    assert_eq!(ann.has(&shop).await, figures(2 * HOUR, 0), "a price moves nothing");

    let sent = [0; 3].map(|_| ann.order(&shop, &quote.terms));
    let answers: Vec<Answer> = futures_util::future::join_all(sent).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 201], "{}", String::from_utf8_lossy(&answers[0].body));
    let (market, job) = (&shop.stage.market, JobId(quote.job_id.0));
    assert_eq!(market.job(job).await.unwrap().status, Status::Created);
    assert_eq!(ann.has(&shop).await, figures(HOUR, HOUR));
    let hold = shop.stage.store.hold(job).await.unwrap().unwrap();
    assert_eq!((hold.locked, hold.amount, hold.account.0), (HOUR, HOUR, ann.session.account));
    let kept = market.token_balance(quote.terms.renter).await.unwrap();
    assert_eq!(kept, Amount(HOUR.unsigned_abs().into()), "the treasury has what is not locked");

    // The whole lock comes back when its provider does not begin.
    shop.stage.indexed().await;
    ann.post(&shop, &format!("/api/v1/jobs/{job}/stop"), &json!({})).await.is_problem(409, "closed by itself");
    shop.stage.town.advance(Seconds(3 * 3600)).await.unwrap();
    until(async || {
        // Depth comes with blocks.
        shop.stage.town.dev.mine(1).await.unwrap();
        shop.stage.store.hold(job).await.unwrap().unwrap().state == HoldState::Settled
    })
    .await;
    assert_eq!(ann.has(&shop).await, figures(2 * HOUR, 0));
    adds_up(&shop).await;
}

#[tokio::test]
async fn nobody_spends_what_he_has_not_or_what_is_anothers() {
    let shop = Shop::new().await;
    let (ann, bob) =
        (Person::with(&shop, "ann@example.com", HOUR).await, Person::with(&shop, "bob@example.com", HOUR - 1).await);
    let problem = bob.post(&shop, "/api/v1/jobs", &shop.wish()).await.is_problem(409, "0.000001");
    assert_eq!(problem.kind, "funds");
    let quote = ann.quote(&shop).await;
    assert_eq!(bob.order(&shop, &quote.terms).await.is_problem(409, "missing").kind, "funds");
    assert_eq!(ann.order(&shop, &quote.terms).await.status, 201);
    bob.order(&shop, &quote.terms).await.is_problem(409, "another account's");
    assert_eq!(bob.has(&shop).await, figures(HOUR - 1, 0));
    // Terms of a wallet are not paid by the treasury, and the other way round.
    let theirs = shop.quote().await;
    let answer = ann.order(&shop, &theirs.terms).await;
    assert_eq!(answer.is_problem(400, "not for a job that the wallet pays").field.as_deref(), Some("terms"));
    let body = shop.payment(&theirs).await;
    ann.post(&shop, "/api/v1/jobs", &body).await.is_problem(400, "is what wallets sign");
    shop.stage.post_as("/api/v1/jobs", &shop.token, &json!({"terms": quote.terms})).await.is_problem(400, "is missing");
    adds_up(&shop).await;
}

#[tokio::test]
async fn what_was_set_aside_for_a_job_that_never_came_about_comes_back_when_none_can_come() {
    let shop = Shop::new().await;
    let ann = Person::with(&shop, "ann@example.com", HOUR).await;
    let quote = ann.quote(&shop).await;
    // The list here does not know it: the contract says no.
    shop.stage.town.deployer.pause_market().await.unwrap();
    ann.order(&shop, &quote.terms).await.is_problem(409, "comes back after");
    assert_eq!(ann.has(&shop).await, figures(0, HOUR), "the signature is out: it could still be used");
    shop.stage.town.advance(Seconds(301)).await.unwrap();
    until(async || {
        shop.stage.town.dev.mine(1).await.unwrap();
        ann.has(&shop).await == figures(HOUR, 0)
    })
    .await;
    ann.order(&shop, &quote.terms).await.is_problem(409, "Ask for new terms");
    let path = "/api/v1/wallets/transactions";
    let history: Page<WalletEntryJson> =
        shop.stage.send_as(Method::GET, path, &ann.session.token, &json!({})).await.json();
    let kinds: Vec<&str> = history.items.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["release", "hold", "deposit"]);
    adds_up(&shop).await;
}

/// Terms that were paid for at their address, by a request that nobody heard the end of.
async fn left_lying(shop: &Shop, salt: u64, withdrawn: bool) -> (Terms, Address, Amount) {
    let stage = &shop.stage;
    let mut terms = Terms::try_from(&shop.quote().await.terms).unwrap();
    (terms.renter, terms.salt) = (Address::repeat_byte(0x5e), salt);
    terms.controller = stage.town.watcher.address();
    if withdrawn {
        stage.town.owner.update_availability(shop.resource, false).await.unwrap();
    }
    let deposits = Deposits::open(stage.town.chain.clone(), stage.town.deployment.deposits).await.unwrap();
    let pay_to = deposits.account(&terms).await.unwrap();
    let price = PRICE.cost(Seconds(3600));
    stage.town.renter.execute(&calls::erc20::transfer(stage.market.token(), pay_to, price)).await.unwrap();
    let (key, route) = (format!("x402:{pay_to}"), "x402 terms");
    let at = Timestamp(jiff::Timestamp::now().as_second().try_into().unwrap());
    stage.store.begin_request(&key, pay_to, route, B256::ZERO, at).await.unwrap();
    let body = serde_json::to_vec(&TermsJson::from(&terms)).unwrap();
    stage.store.finish_request(&key, pay_to, route, 200, &body).await.unwrap();
    (terms, pay_to, price)
}

#[tokio::test]
async fn a_payment_that_was_left_lying_becomes_its_job_by_itself() {
    let shop = Shop::new().await;
    let (terms, pay_to, _) = left_lying(&shop, 1, false).await;
    let market = &shop.stage.market;
    until(async || market.job(market.job_id(&terms)).await.unwrap().status == Status::Created).await;
    assert_eq!(market.token_balance(pay_to).await.unwrap(), Amount::ZERO);
    // What can no longer be bought goes back, to who was named.
    let (terms, pay_to, price) = left_lying(&shop, 2, true).await;
    until(async || market.token_balance(terms.renter).await.unwrap() == price).await;
    assert_eq!(market.token_balance(pay_to).await.unwrap(), Amount::ZERO);
    assert_eq!(market.job(market.job_id(&terms)).await.unwrap().status, Status::None);
}

#[tokio::test]
async fn the_facilitator_is_not_there_where_nothing_is_settled_for_others_and_gas_has_a_cap() {
    let caps = GasCaps { of_payer: 0, ..GasCaps::default() };
    let shop = Shop::watched(true, |config| config.x402.as_mut().unwrap().gas = caps).await;
    for path in ["supported", "discovery/resources"] {
        shop.stage.get(&format!("/api/v1/x402/{path}")).await.is_problem(501, "name another facilitator");
    }
    shop.stage.post("/api/v1/x402/settle", "{}").await.is_problem(501, "name another facilitator");
    let buyer = crate::x402::Buyer::of(shop);
    buyer.pays_and_is_refused(429, "too many requests").await;
}
