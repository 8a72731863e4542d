//! `POST /api/v1/jobs` by people who mean no good.

use chain::Wallet;
use market::Status;
use serde_json::{Value, json};
use wire::Terms;

use super::{PRICE, Shop};

/// Checks that paying so is refused, and that no job and no payment came of it.
async fn refused(shop: &Shop, token: &str, body: &Value, status: u16, words: &str) {
    let renter = shop.stage.town.renter.address();
    let before = shop.stage.market.token_balance(renter).await.unwrap();
    shop.stage.post_as("/api/v1/jobs", token, body).await.is_problem(status, words);
    assert_eq!(shop.stage.market.token_balance(renter).await.unwrap(), before);
    let Ok(terms) = serde_json::from_value::<wire::TermsJson>(body["terms"].clone()) else { return };
    let Ok(terms) = Terms::try_from(&terms) else { return };
    let job = shop.stage.market.job_id(&terms);
    assert_eq!(shop.stage.market.job(job).await.unwrap().status, Status::None);
}

#[tokio::test]
async fn a_signature_pays_for_its_own_terms_by_its_own_renter_in_its_time() {
    let shop = Shop::new().await;
    let (stage, token) = (&shop.stage, shop.token.as_str());
    let quote = shop.quote().await;
    let good = shop.payment(&quote).await;
    let changed = |field: &str, value: Value| {
        let mut body = good.clone();
        body["terms"][field] = value;
        body
    };
    // Terms that were altered after they were signed, each in what its author would gain by.
    refused(&shop, token, &changed("salt", json!("7")), 403, "the payment of these terms").await;
    refused(&shop, token, &changed("maxDuration", json!(7200)), 403, "the payment of these terms").await;
    refused(&shop, token, &changed("controller", json!(stage.town.stranger.address())), 403, "the payment of").await;
    refused(&shop, token, &changed("pricePerHour", json!((PRICE.0 * 2).to_string())), 403, "the payment of").await;
    refused(&shop, token, &changed("pricePerHour", json!("1")), 409, "its price has risen").await;
    refused(&shop, token, &changed("cancelFeeBps", json!(2500)), 400, "reserved").await;
    refused(&shop, token, &changed("minCharge", json!(PRICE.0.to_string())), 400, "ten minutes").await;
    refused(&shop, token, &changed("pricePerHour", json!("-1")), 400, "no whole number").await;
    refused(&shop, token, &changed("pricePerHour", json!((1_u128 << 100).to_string())), 400, "larger than").await;
    refused(&shop, token, &changed("notBefore", json!(u64::MAX)), 400, "larger than").await;
    let digest = json!(alloy_primitives::B256::repeat_byte(3));
    refused(&shop, token, &changed("specDigest", digest), 400, "send it along").await;
    // Somebody else's terms, and somebody else's signature.
    let stranger = stage.sign_in(stage.town.stranger.wallet()).await.token;
    refused(&shop, &stranger, &good, 403, "who must be signed in").await;
    let terms = Terms::try_from(&quote.terms).unwrap();
    let before = market::Timestamp(good["authorization"]["validBefore"].as_u64().unwrap());
    let forged = stage.market.authorize(&Wallet::random(), &terms, before).await.unwrap();
    let mut body = good.clone();
    body["authorization"]["signature"] = json!(forged.signature);
    refused(&shop, token, &body, 403, "the payment of these terms").await;
    body["authorization"]["signature"] = json!(format!("0x{}", "00".repeat(65)));
    refused(&shop, token, &body, 403, "nobody (malformed)").await;
    body["authorization"]["signature"] = json!("0x12");
    refused(&shop, token, &body, 400, "65 bytes").await;
    // A time that is over, and one that was stretched.
    refused(&shop, token, &shop.signed(&quote, 1_000_000).await, 400, "it was good until 1000000").await;
    let mut stretched = shop.signed(&quote, 1_000_000).await;
    stretched["authorization"]["validBefore"] = json!(u64::MAX);
    refused(&shop, token, &stretched, 403, "the payment of these terms").await;
    // A spec that is not the one that was priced.
    let mut body = good.clone();
    body["spec"] = shop.wish()["spec"].clone();
    body["spec"]["args"] = json!(["--steal"]);
    refused(&shop, token, &body, 400, "not the terms'").await;

    // All that was refused spoilt nothing.
    assert_eq!(stage.post_as("/api/v1/jobs", token, &good).await.status, 201);
}

#[tokio::test]
async fn what_happens_between_price_and_payment_is_told_and_costs_nothing() {
    let shop = Shop::new().await;
    let (stage, token) = (&shop.stage, shop.token.as_str());
    let payment = shop.payment(&shop.quote().await).await;
    stage.town.owner.update_availability(shop.resource, false).await.unwrap();
    stage.indexed().await;
    refused(&shop, token, &payment, 409, "does not offer it now").await;
    stage.town.owner.update_availability(shop.resource, true).await.unwrap();
    stage.indexed().await;
    // Another's job holds it.
    let terms = shop.stage.town.terms(shop.resource, PRICE);
    stage.town.renter.create_job(&terms).await.unwrap();
    stage.town.agent.accept_job(&terms).await.unwrap();
    stage.indexed().await;
    refused(&shop, token, &payment, 409, "a job holds it now").await;
    stage.post_as("/api/v1/jobs", token, &shop.wish()).await.is_problem(409, "a job holds it now");
}

#[tokio::test]
async fn bodies_of_any_size_and_shape_get_an_answer() {
    let shop = Shop::new().await;
    let stage = &shop.stage;
    let send = async |body: String| {
        let request = stage.http().post(stage.url("/api/v1/jobs")).bearer_auth(&shop.token).body(body);
        crate::stage::Answer::of(request.send().await.unwrap()).await
    };
    for body in ["", "null", "[]", "7", "\"x\"", "{", "{}", "{\"spec\":7}", "{\"spec\":{}}", "{\"terms\":{}}"] {
        send(body.into()).await.is_problem(400, "");
    }
    send("[".repeat(60_000)).await.is_problem(400, "");
    send(format!("{{\"spec\":\"{}\"}}", "x".repeat(70_000))).await.is_problem(413, "65536");
    let mut wide = shop.wish();
    wide["spec"]["args"] = json!(vec!["\u{202e}\u{0}"; 3]);
    send(wide.to_string()).await.is_problem(400, "zero byte");
}
