//! `POST /api/v1/jobs`: a price, a signature, a job.

use alloy_primitives::B256;
use chain::calls;
use market::{Amount, Seconds, Status};
use serde_json::json;
use wire::{
    Document, Terms,
    http::{CreatedJobJson, JobJson, StatusJson},
};

use super::{PRICE, Shop};
use crate::stage::{Answer, until};

async fn balance(shop: &Shop) -> Amount {
    shop.stage.market.token_balance(shop.stage.town.renter.address()).await.unwrap()
}

#[tokio::test]
async fn a_quote_moves_nothing_and_says_all_that_there_is_to_sign() {
    let shop = Shop::new().await;
    let (stage, before) = (&shop.stage, balance(&shop).await);
    let quote = shop.quote().await;
    let terms = Terms::try_from(&quote.terms).unwrap();
    assert_eq!(terms.renter, stage.town.renter.address());
    assert_eq!(terms.controller, stage.town.watcher.address(), "the gateway watches unless somebody else is named");
    assert_eq!(B256::from(stage.market.job_id(&terms).0), quote.job_id);
    assert_eq!(quote.estimated_cost.amount, PRICE.cost(Seconds(3600)).0.to_string());
    let transaction = quote.transaction.as_ref().unwrap();
    assert_eq!((&transaction.data, transaction.to), (&calls::create_job(&terms), stage.market.address()));
    let sign = quote.sign.as_ref().unwrap();
    assert_eq!(sign["primaryType"], "ReceiveWithAuthorization");
    assert_eq!(sign["message"]["nonce"], stage.market.job_id(&terms).to_string());
    assert_eq!(quote.tx, None);
    // A price takes no room on disk.
    assert_eq!(stage.blocks.len(), 0);
    assert_eq!(stage.market.job(stage.market.job_id(&terms)).await.unwrap().status, Status::None);
    assert_eq!(balance(&shop).await, before);
    assert_ne!(shop.quote().await.job_id, quote.job_id, "each quote is a job of its own");
}

#[tokio::test]
async fn an_authorization_makes_one_job_however_often_it_is_sent() {
    let shop = Shop::new().await;
    let (stage, before) = (&shop.stage, balance(&shop).await);
    let quote = shop.quote().await;
    let payment = shop.payment(&quote).await;
    // Under every name of the route, all at once.
    let names = ["/api/v1/jobs", "/api/jobs/create", "/api/v1/jobs/submit", "/api/v1/instances"];
    let sent = names.map(|name| stage.post_as(name, &shop.token, &payment));
    let answers: Vec<Answer> = futures_util::future::join_all(sent).await;
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    assert!(answers.iter().all(|answer| answer.json::<CreatedJobJson>().job_id == quote.job_id));
    let cost = PRICE.cost(Seconds(3600));
    assert_eq!(before.saturating_sub(balance(&shop).await), cost, "paid once");

    stage.indexed().await;
    let again: CreatedJobJson = stage.post_as("/api/v1/jobs", &shop.token, &payment).await.json();
    let first = answers.iter().find(|answer| answer.status == 201).unwrap().json::<CreatedJobJson>();
    assert_eq!(again.tx, first.tx, "the job that is there, with the transaction that made it");
    let job: JobJson = stage.get(&format!("/api/v1/jobs/{}", quote.job_id)).await.json();
    assert_eq!((job.status, job.locked.amount), (StatusJson::Created, cost.0.to_string()));
    // The spec lies where the agent will ask for it, and stays.
    let cid = Document::cid_of(Terms::try_from(&quote.terms).unwrap().specDigest).unwrap();
    assert!(stage.blocks.is_pinned(&cid));
    assert_eq!(stage.get(&format!("/ipfs/{cid}?format=raw")).await.status, 200);
}

#[tokio::test]
async fn a_gateway_that_has_spent_its_gas_relays_nothing() {
    let shop = Shop::watched(true, |config| config.relayed_wei_a_day = 1_000_000_000).await;
    let (quote, before) = (shop.quote().await, balance(&shop).await);
    let payment = shop.payment(&quote).await;
    let refused = shop.stage.post_as("/api/v1/jobs", &shop.token, &payment).await;
    refused.is_problem(503, "send the transaction of the answer without terms yourself");
    assert_eq!(balance(&shop).await, before);
    // Who sends it himself needs no gas of this gateway's, and is told of his job as before.
    let terms = Terms::try_from(&quote.terms).unwrap();
    shop.stage.town.renter.create_job(&terms).await.unwrap();
    let made = shop.stage.post_as("/api/v1/jobs", &shop.token, &payment).await;
    assert_eq!(made.status, 200, "{}", String::from_utf8_lossy(&made.body));
}

#[tokio::test]
async fn what_does_not_fit_is_named_before_any_money_moves() {
    let shop = Shop::new().await;
    let refused = async |change: serde_json::Value, status: u16, field: Option<&str>, words: &str| {
        let mut wish = shop.wish();
        wish.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let problem = shop.stage.post_as("/api/v1/jobs", &shop.token, &wish).await.is_problem(status, words);
        assert_eq!(problem.field.as_deref(), field, "{change}");
    };
    let token = shop.stage.market.token();
    refused(json!({"spec": null}), 400, Some("spec"), "what to run").await;
    refused(json!({"maxDurationS": null}), 400, Some("maxDurationS"), "how long").await;
    refused(json!({"maxDurationS": -1}), 400, Some("maxDurationS"), "-1").await;
    refused(json!({"maxDurationS": 0}), 400, Some("maxDurationS"), "1 s to").await;
    refused(json!({"maxPrice": {"amount": "1,5", "token": token}}), 400, Some("maxPrice.amount"), "1,5").await;
    refused(json!({"maxPrice": 5}), 400, Some("maxPrice"), "invalid type").await;
    refused(json!({"maxPrice": {"amount": "0.1", "token": token}}), 409, None, "above maxPrice").await;
    refused(json!({"resourceId": B256::repeat_byte(1)}), 400, Some("resourceId"), "not listed here").await;
    refused(json!({"controller": alloy_primitives::Address::ZERO}), 400, Some("controller"), "nobody").await;
    refused(json!({"terms": null, "authorization": {"validAfter": 0, "validBefore": 1, "signature": format!("0x{}", "11".repeat(65))}}), 400, Some("terms"), "missing").await;
    refused(json!({"modelType": "sd", "inputData": "x"}), 400, Some("modelType"), "templates are not served").await;
    refused(json!({"taskType": "sd", "executor": "x"}), 400, Some("taskType"), "maxDurationS").await;
    refused(json!({"colour": "red"}), 400, Some("colour"), "unknown field").await;
    let mut greedy = shop.wish();
    greedy["spec"]["resources"]["gpus"] = 4.into();
    shop.stage.post_as("/api/v1/jobs", &shop.token, &greedy).await.is_problem(409, "0 GPUs, the job needs 4");
    shop.stage.post("/api/v1/jobs", shop.wish().to_string()).await.is_problem(401, "sign in");
}

#[tokio::test]
async fn a_wallet_that_holds_too_little_is_told_what_is_missing() {
    let shop = Shop::new().await;
    let poor = chain::Wallet::random();
    let token = shop.stage.sign_in(&poor).await.token;
    let answer = shop.stage.post_as("/api/v1/jobs", &token, &shop.wish()).await;
    let problem = answer.is_problem(409, "holds 0");
    assert!(problem.detail.contains("3.6 "), "{}", problem.detail);
    assert_eq!(problem.kind, "funds");
}

#[tokio::test]
async fn money_that_left_since_the_price_is_missed_before_gas_is_spent() {
    let shop = Shop::new().await;
    let payment = shop.payment(&shop.quote().await).await;
    let town = &shop.stage.town;
    town.renter.transfer(town.stranger.address(), balance(&shop).await).await.unwrap();
    let before = town.chain.head().await.unwrap().number;
    let answer = shop.stage.post_as("/api/v1/jobs", &shop.token, &payment).await;
    assert_eq!(answer.is_problem(409, "holds 0").kind, "funds");
    assert_eq!(town.chain.head().await.unwrap().number, before, "nothing was sent");
}

#[tokio::test]
async fn a_gateway_without_a_key_prices_and_says_who_pays_gas() {
    let shop = Shop::watched(false, |_| ()).await;
    let answer = shop.stage.post_as("/api/v1/jobs", &shop.token, &shop.wish()).await;
    assert_eq!(answer.is_problem(400, "name the key that signs Ready").field.as_deref(), Some("controller"));
    let mut wish = shop.wish();
    wish["controller"] = json!(shop.stage.town.controller.address());
    let quote: CreatedJobJson = shop.stage.post_as("/api/v1/jobs", &shop.token, &wish).await.json();
    let payment = shop.payment(&quote).await;
    shop.stage.post_as("/api/v1/jobs", &shop.token, &payment).await.is_problem(501, "send the transaction");
    // Who sends it himself has the job, and is told so.
    let terms = Terms::try_from(&quote.terms).unwrap();
    shop.stage.town.renter.create_job(&terms).await.unwrap();
    let made = shop.stage.post_as("/api/v1/jobs", &shop.token, &payment).await;
    assert_eq!((made.status, made.json::<CreatedJobJson>().job_id), (200, quote.job_id));
    let cid = Document::cid_of(terms.specDigest).unwrap();
    until(async || shop.stage.get(&format!("/ipfs/{cid}?format=raw")).await.status == 200).await;
    assert!(shop.stage.blocks.is_pinned(&cid));
}

#[tokio::test]
async fn one_account_has_its_gas_paid_for_so_many_jobs() {
    let shop = Shop::new().await;
    let mut wish = shop.wish();
    wish["maxDurationS"] = json!(1);
    let mut payments = Vec::new();
    for _ in 0..25 {
        let quote: CreatedJobJson = shop.stage.post_as("/api/v1/jobs", &shop.token, &wish).await.json();
        payments.push(shop.payment(&quote).await);
    }
    let sent = payments.iter().map(|payment| shop.stage.post_as("/api/v1/jobs", &shop.token, payment));
    let answers: Vec<Answer> = futures_util::future::join_all(sent).await;
    let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(201), count(429)), (20, 5));
}
