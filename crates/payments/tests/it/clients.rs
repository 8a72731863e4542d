//! Programs that others wrote, unmodified: clients before a route of ours, and a server that lets us settle for it.

use std::sync::Arc;

use alloy_primitives::{U256, hex};
use axum::{Json, Router, routing::get};
use chain::Wallet;
use market::Amount;
use payments::facilitator::{Limits, routes};
use serde_json::{Value, json};
use testkit::Peer;
use tokio::net::TcpListener;

use crate::shop::{PRICE, Shop};

/// A wallet with gas, dollars and a key that programs of others can be given.
async fn person(shop: &Shop, seed: u8) -> (Wallet, String) {
    let key = hex::encode_prefixed([seed; 32]);
    let wallet = Wallet::from_hex(&key).unwrap();
    shop.market.dev.fund(wallet.address(), U256::from(10).pow(U256::from(18))).await.unwrap();
    shop.market.deployer.mint(wallet.address(), Amount(10_000_000)).await.unwrap();
    (wallet, key)
}

/// Serves routes on a free port of this machine.
async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

/// A route that costs a cent; its address.
async fn stall(shop: &Shop) -> String {
    let sold = get(async || Json(json!({ "sold": true }))).layer(shop.layer(Limits::default()));
    format!("{}/sold", serve(Router::new().route("/sold", sold)).await)
}

/// The official client, paying by `schemes`; nothing, loudly, where it is not installed.
async fn client(shop: &Shop, key: &str, schemes: &[&str]) -> Option<Peer> {
    let mut client = Peer::start("x402-client.mjs", &[])?;
    client.say(&json!({ "key": key, "schemes": schemes, "rpc": shop.market.dev.rpc() }).to_string()).await;
    Some(client)
}

async fn ask(peer: &mut Peer, request: Value) -> Value {
    serde_json::from_str(&peer.ask(&request.to_string()).await).unwrap()
}

async fn held(shop: &Shop, wallet: &Wallet) -> u128 {
    shop.token.balance_of(wallet.address()).await.unwrap().0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_client_pays_by_exact_in_either_version() {
    let shop = Shop::open().await;
    let url = stall(&shop).await;
    let (payer, key) = person(&shop, 0xc1).await;
    let before = held(&shop, &payer).await;
    for (count, scheme) in (1..).zip(["exact", "exact-v1"]) {
        let Some(mut client) = client(&shop, &key, &[scheme]).await else { return };
        let bought = ask(&mut client, json!({ "do": "fetch", "url": url })).await;
        assert_eq!(bought["requests"], json!([402, 200]), "{scheme}: {bought}");
        assert_eq!((&bought["body"], &bought["payment"]["success"]), (&json!({ "sold": true }), &json!(true)));
        assert_eq!(bought["payment"]["transaction"].as_str().unwrap().len(), 66, "{bought}");
        assert_eq!((before - held(&shop, &payer).await, shop.received().await), (count * PRICE, count * PRICE));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_official_client_pays_from_a_channel_is_put_right_and_gets_the_rest_back() {
    let shop = Shop::open().await;
    let url = stall(&shop).await;
    let (payer, key) = person(&shop, 0xc2).await;
    let before = held(&shop, &payer).await;
    let Some(mut client) = client(&shop, &key, &["batch-settlement"]).await else { return };
    let charged = |bought: &Value| bought["payment"]["extra"]["channelState"]["chargedCumulativeAmount"].clone();
    for count in 1..=3 {
        let bought = ask(&mut client, json!({ "do": "fetch", "url": url })).await;
        assert_eq!((&bought["requests"], charged(&bought)), (&json!([402, 200]), json!((count * PRICE).to_string())));
        assert_eq!(before - held(&shop, &payer).await, 10 * PRICE, "one deposit pays for all of them");
    }
    ask(&mut client, json!({ "do": "forget" })).await;
    let bought = ask(&mut client, json!({ "do": "fetch", "url": url })).await;
    assert_eq!((&bought["requests"], charged(&bought)), (&json!([402, 402, 200]), json!((4 * PRICE).to_string())));

    let back = ask(&mut client, json!({ "do": "refund", "url": url })).await;
    assert_eq!(back["refund"]["amount"], (6 * PRICE).to_string(), "{back}");
    assert_eq!(before - held(&shop, &payer).await, 4 * PRICE, "what was bought left the payer, nothing else");
    let id = bought["payment"]["extra"]["channelState"]["channelId"].as_str().unwrap().parse().unwrap();
    assert_eq!(shop.batch.look(id).await.unwrap().claimed, 4 * PRICE, "and it is the receiver's to fetch");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mppx_pays_as_a_client_of_x402() {
    let shop = Shop::open().await;
    let url = stall(&shop).await;
    let (payer, key) = person(&shop, 0xc3).await;
    let before = held(&shop, &payer).await;
    let Some(mut client) = Peer::start("x402-mppx.mjs", &[&key, "GET", &url]) else { return };
    let bought: Value = serde_json::from_str(&client.hear().await).unwrap();
    assert_eq!(bought, json!({ "status": 200, "body": { "sold": true } }));
    assert_eq!((before - held(&shop, &payer).await, shop.received().await), (PRICE, PRICE));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_others_sells_through_our_facilitator() {
    let shop = Shop::open().await;
    let facilitator = serve(routes(shop.facilitator(Limits::default()), Arc::new(Vec::new))).await;
    let (payer, key) = person(&shop, 0xc4).await;
    let before = held(&shop, &payer).await;
    let receiver = shop.receiver.to_string();
    let Some(mut server) = Peer::start("x402-server.mjs", &[&facilitator, &receiver, "$0.01"]) else { return };
    let said: Value = serde_json::from_str(&server.hear().await).unwrap();
    let url = format!("{}/sold", said["url"].as_str().unwrap());
    let Some(mut client) = client(&shop, &key, &["exact"]).await else { return };
    for count in 1..=2 {
        let bought = ask(&mut client, json!({ "do": "fetch", "url": url })).await;
        assert_eq!((&bought["requests"], &bought["body"]), (&json!([402, 200]), &json!({ "sold": true })), "{bought}");
        let told = bought["payment"]["payer"].as_str().unwrap();
        assert!(told.eq_ignore_ascii_case(&payer.address().to_string()), "{told}");
        assert_eq!((before - held(&shop, &payer).await, shop.received().await), (count * PRICE, count * PRICE));
    }

    // Who is paid must be somebody that this market lists: others' gas is not paid.
    let Some(mut other) = Peer::start("x402-server.mjs", &[&facilitator, &payer.address().to_string(), "$0.01"]) else {
        return;
    };
    let said: Value = serde_json::from_str(&other.hear().await).unwrap();
    let url = format!("{}/sold", said["url"].as_str().unwrap());
    let refused = ask(&mut client, json!({ "do": "fetch", "url": url })).await;
    assert_eq!(refused["requests"], json!([402, 402]), "{refused}");
    assert_eq!(shop.received().await, 2 * PRICE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_others_sells_from_channels_through_our_facilitator() {
    let shop = Shop::open().await;
    let facilitator = serve(routes(shop.facilitator(Limits::default()), Arc::new(Vec::new))).await;
    let (payer, key) = person(&shop, 0xc5).await;
    let (_, authorizer) = person(&shop, 0xc6).await;
    let before = held(&shop, &payer).await;
    let receiver = shop.receiver.to_string();
    let how = [facilitator.as_str(), &receiver, "$0.01", "batch-settlement", &authorizer];
    let Some(mut server) = Peer::start("x402-server.mjs", &how) else { return };
    let said: Value = serde_json::from_str(&server.hear().await).unwrap();
    let url = format!("{}/sold", said["url"].as_str().unwrap());
    let Some(mut client) = client(&shop, &key, &["batch-settlement"]).await else { return };
    for _ in 0..2 {
        let bought = ask(&mut client, json!({ "do": "fetch", "url": url })).await;
        assert_eq!((&bought["requests"], &bought["body"]), (&json!([402, 200]), &json!({ "sold": true })), "{bought}");
    }
    let back = ask(&mut client, json!({ "do": "refund", "url": url })).await;
    assert!(back["error"].is_null(), "{back}");
    assert_eq!(before - held(&shop, &payer).await, 2 * PRICE, "what was bought left the payer, nothing else");
}
