//! The market wallet: balances, deposits, withdrawals, history, spending, and that nobody sees another's.

use alloy_primitives::{Address, B256};
use chain::Wallet;
use market::{Amount, Timestamp};
use payments::ledger::Posting;
use reqwest::Method;
use serde_json::{Value, json};
use store::{AccountId, DepositKey, DepositRow, DepositState};
use wire::http::{
    AddressBalanceJson, DepositJson, Page, SpendingJson, SuspenseJson, WalletEntryJson, WalletJson, WithdrawJson,
    WithdrawPreviewJson, WithdrawalJson, WithdrawalStage,
};

use crate::stage::{Answer, Stage};

const NOW: Timestamp = Timestamp(1_800_000_000);

/// A gateway that keeps money, and somebody who has some.
struct Bank {
    stage: Stage,
    wallet: Wallet,
    token: String,
}

impl Bank {
    async fn new() -> Self {
        let wallet = Wallet::random();
        let stage = Stage::new(|config| config.operators = vec![wallet.address()]).await;
        let token = stage.sign_in(&wallet).await.token;
        Self { stage, wallet, token }
    }

    /// A deposit that is deep enough; without an account it belongs to nobody known.
    async fn deposited(&self, number: u8, amount: i64, account: Option<AccountId>) {
        let asset = self.stage.store.assets().await.unwrap()[0].asset;
        let key = DepositKey { asset, tx: B256::repeat_byte(number), log_index: 1 };
        let row = DepositRow {
            key,
            sender: Address::repeat_byte(number),
            account: None,
            amount,
            block: 1,
            block_hash: B256::repeat_byte(number),
            depth: 9,
            state: DepositState::Seen,
            round: 0,
            seen_at: NOW,
        };
        self.stage.store.see_deposits(&[row]).await.unwrap();
        let posting = match account {
            Some(account) => Posting::DepositCredited { deposit: key, round: 0, account },
            None => Posting::DepositSuspended { deposit: key, round: 0 },
        };
        self.stage.ledger.post(posting, NOW).await.unwrap();
    }

    async fn get(&self, path: &str) -> Answer {
        self.stage.send_as(Method::GET, path, &self.token, &json!({})).await
    }

    fn money(&self, amount: &str) -> Value {
        json!({"amount": amount, "token": self.stage.market.token()})
    }

    async fn withdraw(&self, body: &Value, key: Option<&str>) -> Answer {
        let request = self.stage.http().post(self.stage.url("/api/v1/wallets/withdraw")).bearer_auth(&self.token);
        let request = request.body(body.to_string());
        let request = match key {
            Some(key) => request.header("idempotency-key", key),
            None => request,
        };
        Answer::of(request.send().await.unwrap()).await
    }
}

#[tokio::test]
async fn what_was_deposited_is_seen_by_its_owner_alone() {
    let bank = Bank::new().await;
    bank.deposited(1, 5_000_000, Some(AccountId::of(bank.wallet.address()))).await;
    for path in ["/api/v1/wallets/balance", "/api/wallet/balance"] {
        let mine: WalletJson = bank.get(path).await.json();
        assert_eq!(mine.account, bank.wallet.address().into_word());
        let [balance] = &mine.balances[..] else { panic!("{mine:?}") };
        assert_eq!((balance.available.amount.as_str(), balance.held.amount.as_str()), ("5000000", "0"));
        assert_eq!((balance.asset.token, balance.asset.testnet), (bank.stage.market.token(), true));
    }
    let history: Page<WalletEntryJson> = bank.get("/api/v1/wallets/transactions").await.json();
    let kinds: Vec<_> = history.items.iter().map(|entry| (entry.kind.as_str(), entry.available.as_str())).collect();
    assert_eq!(kinds, [("deposit", "5000000")]);

    let other = bank.stage.sign_in(&Wallet::random()).await.token;
    let theirs = bank.stage.send_as(Method::GET, "/api/v1/wallets/balance", &other, &json!({})).await;
    assert_eq!(theirs.json::<WalletJson>().balances[0].available.amount, "0");
    let history = bank.stage.send_as(Method::GET, "/api/v1/wallets/transactions", &other, &json!({})).await;
    assert!(history.json::<Page<WalletEntryJson>>().items.is_empty());
    for path in ["balance", "transactions", "analytics", "withdrawals", "suspense"] {
        bank.stage.get(&format!("/api/v1/wallets/{path}")).await.is_problem(401, "sign in");
    }
}

#[tokio::test]
async fn history_pages_from_the_newest_and_no_posting_is_lost() {
    let bank = Bank::new().await;
    for number in 1..=5 {
        bank.deposited(number, i64::from(number), Some(AccountId::of(bank.wallet.address()))).await;
    }
    let (mut seen, mut path) = (Vec::new(), "/api/v1/wallets/transactions?limit=2".to_owned());
    loop {
        let page: Page<WalletEntryJson> = bank.get(&path).await.json();
        seen.extend(page.items.into_iter().map(|entry| entry.available));
        let Some(cursor) = page.next_cursor else { break };
        path = format!("/api/v1/wallets/transactions?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, ["5", "4", "3", "2", "1"]);
    bank.get("/api/v1/wallets/transactions?limit=0").await.is_problem(400, "1 to 200");
    bank.get("/api/v1/wallets/transactions?cursor=zz").await.is_problem(400, "as the page before gave it");
}

#[tokio::test]
async fn a_withdrawal_is_shown_before_it_happens_and_happens_once() {
    let bank = Bank::new().await;
    bank.deposited(1, 5_000_000, Some(AccountId::of(bank.wallet.address()))).await;
    let destination = Address::repeat_byte(0xaa);
    let mut body = json!({"amount": bank.money("2.0"), "destination": destination});
    let preview: WithdrawPreviewJson = bank.withdraw(&body, None).await.json();
    assert_eq!((preview.amount.amount.as_str(), preview.after.amount.as_str()), ("2000000", "3000000"));
    let nothing: Page<WithdrawalJson> = bank.get("/api/v1/wallets/withdrawals").await.json();
    assert!(nothing.items.is_empty(), "a preview moves nothing");

    body["confirm"] = json!(preview.confirm);
    let problem = bank.withdraw(&body, None).await.is_problem(400, "the same one to ask again");
    assert_eq!(problem.field.as_deref(), Some("Idempotency-Key"));
    let taken = bank.withdraw(&body, Some("one")).await;
    assert_eq!(taken.status, 202);
    let WithdrawJson::Taken(taken) = taken.json() else { panic!() };
    assert_eq!((taken.stage, taken.destination), (WithdrawalStage::Requested, destination));
    let WithdrawJson::Taken(again) = bank.withdraw(&body, Some("one")).await.json() else { panic!() };
    assert_eq!(again.id, taken.id);
    let listed: Page<WithdrawalJson> = bank.get("/api/v1/wallets/withdrawals").await.json();
    assert_eq!(listed.items.len(), 1, "once");
    let balance: WalletJson = bank.get("/api/v1/wallets/balance").await.json();
    let balance = &balance.balances[0];
    assert_eq!((balance.available.amount.as_str(), balance.held.amount.as_str()), ("3000000", "2000000"));

    // The same key for something else, whatever the middleware still remembers.
    let other = json!({"amount": bank.money("1.0"), "destination": destination});
    let preview: WithdrawPreviewJson = bank.withdraw(&other, None).await.json();
    let mut other = other;
    other["confirm"] = json!(preview.confirm);
    assert_eq!(bank.withdraw(&other, Some("one")).await.status, 422);
    // Another key is another withdrawal, as long as there is enough.
    assert_eq!(bank.withdraw(&body, Some("two")).await.status, 202);
    let problem = bank.withdraw(&body, Some("three")).await.is_problem(409, "POST /api/v1/wallets/deposit");
    assert_eq!(problem.kind, "funds");
}

#[tokio::test]
async fn what_cannot_be_withdrawn_is_refused_by_its_field() {
    let bank = Bank::new().await;
    bank.deposited(1, 5_000_000, Some(AccountId::of(bank.wallet.address()))).await;
    let refused = async |body: Value, status: u16, field: Option<&str>, words: &str| {
        let problem = bank.withdraw(&body, None).await.is_problem(status, words);
        assert_eq!(problem.field.as_deref(), field, "{body}");
    };
    let to = Address::repeat_byte(0xaa);
    refused(json!({"amount": bank.money("6.0"), "destination": to}), 409, None, "may be spent").await;
    refused(json!({"amount": bank.money("0"), "destination": to}), 400, Some("amount.amount"), "is nothing").await;
    refused(json!({"amount": bank.money("1"), "destination": to}), 400, Some("amount.amount"), "a withdrawal is").await;
    refused(
        json!({"amount": bank.money("999999.0"), "destination": to}),
        400,
        Some("amount.amount"),
        "a withdrawal is",
    )
    .await;
    let nowhere = Address::ZERO;
    refused(
        json!({"amount": bank.money("1.0"), "destination": nowhere}),
        400,
        Some("destination"),
        "a wallet of your own",
    )
    .await;
    let market = bank.stage.market.address();
    refused(
        json!({"amount": bank.money("1.0"), "destination": market}),
        400,
        Some("destination"),
        "a wallet of your own",
    )
    .await;
    // Free money of a chain for tests is another asset than anybody's dollars.
    let mainnet = json!({"amount": bank.money("1.0"), "destination": to, "chainId": 1});
    refused(mainnet, 400, Some("amount.token"), "is not kept here").await;
    let forged = json!({"amount": bank.money("1.0"), "destination": to, "confirm": B256::repeat_byte(7)});
    refused(forged, 400, Some("confirm"), "for another withdrawal").await;
}

#[tokio::test]
async fn how_to_deposit_names_treasury_account_and_calls() {
    let bank = Bank::new().await;
    let body = json!({"amount": bank.money("1.5")});
    let shown: DepositJson = bank.stage.post_as("/api/v1/wallets/deposit", &bank.token, &body).await.json();
    assert_eq!((shown.account, shown.amount.amount.as_str()), (bank.wallet.address().into_word(), "1500000"));
    let till = shown.till.unwrap();
    let [allow, deposit] = &shown.calls[..] else { panic!("{shown:?}") };
    assert_eq!((allow.to, deposit.to, deposit.from), (bank.stage.market.token(), till, bank.wallet.address()));
    assert_eq!(deposit.data, chain::calls::deposits::pay_in(till, shown.account, Amount(1_500_000)).input);
    let ambiguous = json!({"amount": {"amount": "1,5", "token": bank.stage.market.token()}});
    bank.stage.post_as("/api/v1/wallets/deposit", &bank.token, &ambiguous).await.is_problem(400, "1,5");
    bank.stage.post("/api/v1/wallets/deposit", body.to_string()).await.is_problem(401, "sign in");
}

#[tokio::test]
async fn anybodys_balance_on_chain_is_public_and_the_suspense_is_the_operators() {
    let bank = Bank::new().await;
    let renter = bank.stage.town.renter.address();
    let shown: AddressBalanceJson = bank.stage.get(&format!("/api/v1/wallets/{renter}/balance")).await.json();
    let held = bank.stage.market.token_balance(renter).await.unwrap();
    assert_eq!((shown.address, shown.balance.amount), (renter, held.to_string()));
    bank.stage.get("/api/v1/wallets/0x12/balance").await.is_problem(400, "40 hexadecimal digits");

    bank.deposited(9, 77, None).await;
    let suspense: Page<SuspenseJson> = bank.get("/api/v1/wallets/suspense").await.json();
    assert_eq!(suspense.items.len(), 1);
    assert_eq!((suspense.items[0].amount.amount.as_str(), suspense.items[0].sender), ("77", Address::repeat_byte(9)));
    let other = bank.stage.sign_in(&Wallet::random()).await.token;
    let answer = bank.stage.send_as(Method::GET, "/api/v1/wallets/suspense", &other, &json!({})).await;
    answer.is_problem(403, "operators");
}

#[tokio::test]
async fn spending_has_a_span_and_a_gateway_without_a_wallet_says_so() {
    let bank = Bank::new().await;
    let none: Page<SpendingJson> = bank.get("/api/v1/wallets/analytics?period=month").await.json();
    assert!(none.items.is_empty());
    let backwards = "/api/v1/wallets/analytics?since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z";
    let problem = bank.get(backwards).await.is_problem(400, "before `until`");
    assert_eq!(problem.field.as_deref(), Some("since"));
    bank.get("/api/v1/wallets/analytics?period=hour").await.is_problem(400, "period");

    let stage = Stage::new(|config| config.wallet = None).await;
    let token = stage.sign_in(&Wallet::random()).await.token;
    for path in ["balance", "transactions", "analytics", "withdrawals"] {
        let answer = stage.send_as(Method::GET, &format!("/api/v1/wallets/{path}"), &token, &json!({})).await;
        answer.is_problem(501, "keeps no money");
    }
}
