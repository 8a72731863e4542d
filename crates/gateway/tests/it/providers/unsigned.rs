//! `POST /api/v1/providers/register`, `PATCH /api/v1/providers/{id}/availability` and `/price`: what they hand out does
//! what they say, once somebody signs it.

use alloy_primitives::{Address, B256};
use chain::{Account, Wallet, calls};
use market::{Hardware, PerHour, Timestamp};
use serde_json::{Value, json};
use wire::http::UnsignedTx;

use crate::{
    sockets::now,
    stage::{Answer, Stage, until},
};

/// A bearer token of `who`.
async fn token(stage: &Stage, who: Address) -> String {
    let token = format!("{:x}", alloy_primitives::keccak256(who));
    let expires = Timestamp(now() + 600);
    stage.store.new_session(gateway_hash(&token), who, Timestamp(now()), expires).await.unwrap();
    token
}

/// What the store knows of a token.
fn gateway_hash(token: &str) -> B256 {
    B256::from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes()).as_ref())
}

async fn send(stage: &Stage, method: reqwest::Method, path: &str, token: Option<&str>, body: &Value) -> Answer {
    let request = stage.http().request(method, stage.url(path)).body(body.to_string());
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    Answer::of(request.send().await.unwrap()).await
}

fn register_body(stage: &Stage, agent: Address) -> Value {
    json!({
        "agent": agent,
        "key": B256::repeat_byte(1),
        "hardware": {"model": "H100", "gpus": 1, "vramMib": 81920, "cpus": 8, "memoryMib": 65536, "diskMib": 1000, "simulated": true},
        "location": "eu-west",
        "pricePerHour": {"amount": "2.5", "token": stage.market.token()},
    })
}

#[tokio::test]
async fn registering_hands_out_what_is_missing_and_nothing_else() {
    let stage = Stage::new(|_| ()).await;
    let owner: Account = stage.town.newcomer().await.unwrap();
    let token = token(&stage, owner.address()).await;
    let agent = Wallet::random().address();
    let body = register_body(&stage, agent);
    let register = async |body: &Value| {
        send(&stage, reqwest::Method::POST, "/api/v1/providers/register", Some(&token), body).await
    };
    let steps: Vec<UnsignedTx> = register(&body).await.json();
    let data: Vec<_> = steps.iter().map(|step| step.data.clone()).collect();
    assert_eq!(data[0], calls::register_provider(agent, Address::ZERO));
    assert_eq!(data.len(), 2);
    let all = steps.iter().all(|step| (step.from, step.to) == (owner.address(), stage.market.address()));
    assert!(all && steps[0].chain_id == stage.domain().chain_id && steps[0].value == "0");

    // As the wallet would.
    owner.register_provider(agent, Address::ZERO).await.unwrap();
    let steps: Vec<UnsignedTx> = register(&body).await.json();
    assert_eq!(steps.iter().map(|step| &step.data).collect::<Vec<_>>(), [&data[1]], "only the listing is left");
    let hardware = Hardware {
        model: "H100".into(),
        gpus: 1,
        vram: market::Mebibytes(81920),
        cpus: 8,
        memory: market::Mebibytes(65536),
        disk: market::Mebibytes(1000),
        simulated: true,
    };
    let price = PerHour(2_500_000);
    let listing = chain::Listing { key: B256::repeat_byte(1), price, hardware, details: "region=eu-west".into() };
    assert_eq!(data[1], calls::register_resource(&listing).unwrap());
    let id = owner.register_resource(&listing).await.unwrap();
    stage.indexed().await;
    assert_eq!(register(&body).await.json::<Vec<UnsignedTx>>(), []);

    let mut dearer = body.clone();
    dearer["pricePerHour"]["amount"] = "3000000".into();
    let steps: Vec<UnsignedTx> = register(&dearer).await.json();
    assert_eq!(steps[0].data, calls::update_pricing(id, PerHour(3_000_000)).unwrap());
    let mut other = body.clone();
    other["agent"] = json!(Address::repeat_byte(3));
    register(&other).await.is_problem(409, "change it on chain first");
    let mut larger = body.clone();
    larger["hardware"]["gpus"] = 8.into();
    register(&larger).await.is_problem(409, "another key for another machine");
}

#[tokio::test]
async fn a_registration_that_cannot_be_names_its_field() {
    let stage = Stage::new(|_| ()).await;
    let token = token(&stage, Address::repeat_byte(1)).await;
    let good = register_body(&stage, Address::repeat_byte(2));
    let check = async |change: &dyn Fn(&mut Value), field: &str| {
        let mut body = good.clone();
        change(&mut body);
        let answer = send(&stage, reqwest::Method::POST, "/api/v1/providers/register", Some(&token), &body).await;
        assert_eq!(answer.is_problem(400, "").field.as_deref(), Some(field), "{body}");
    };
    check(&|body| body["hardware"]["model"] = "".into(), "hardware.model").await;
    check(&|body| body["hardware"]["gpus"] = (-1).into(), "hardware.gpus").await;
    check(&|body| body["location"] = "Sea of Storms".into(), "location").await;
    check(&|body| body["pricePerHour"]["amount"] = "free".into(), "amount").await;
    check(&|body| body["pricePerHour"]["token"] = json!(Address::ZERO), "token").await;
    check(&|body| body["agent"] = "me".into(), "agent").await;
    check(&|body| body["colour"] = "red".into(), "colour").await;
}

#[tokio::test]
async fn only_the_owner_gets_a_transaction_for_a_listing() {
    let stage = Stage::new(|_| ()).await;
    let (provider, other) = (stage.provider(1).await, stage.provider(1).await);
    let owner = provider.account.address();
    let id = provider.resource(0);
    let (mine, foreign) = (token(&stage, owner).await, token(&stage, other.account.address()).await);
    let path = |verb: &str| format!("/api/v1/providers/{owner}/{verb}");
    let patch = async |verb: &str, token: Option<&str>, body: Value| {
        send(&stage, reqwest::Method::PATCH, &path(verb), token, &body).await
    };
    let off = json!({"resourceId": provider.gpus[0].id, "available": false});
    let price =
        json!({"resourceId": provider.gpus[0].id, "pricePerHour": {"amount": "7", "token": stage.market.token()}});

    let tx: UnsignedTx = patch("availability", Some(&mine), off.clone()).await.json();
    assert_eq!((tx.from, tx.data), (owner, calls::update_availability(id, false)));
    let tx: UnsignedTx = patch("price", Some(&mine), price.clone()).await.json();
    assert_eq!(tx.data, calls::update_pricing(id, PerHour(7)).unwrap());
    for (verb, body) in [("availability", &off), ("price", &price)] {
        let answer = patch(verb, None, body.clone()).await;
        assert_eq!(answer.is_problem(401, "sign in").kind, "sign-in");
        patch(verb, Some("nonsense"), body.clone()).await.is_problem(401, "sign in");
        patch(verb, Some(&foreign), body.clone()).await.is_problem(403, "who owns provider");
        let mut theirs = body.clone();
        theirs["resourceId"] = json!(other.gpus[0].id);
        patch(verb, Some(&mine), theirs).await.is_problem(404, "lists no resource");
    }
    // Nothing of all that reached the chain.
    let state = stage.market.resource(id).await.unwrap().unwrap();
    assert_eq!((state.available, state.price), (true, PerHour(3600)));
    provider.account.update_availability(id, false).await.unwrap();
    until(async || !stage.market.resource(id).await.unwrap().unwrap().available).await;
}
