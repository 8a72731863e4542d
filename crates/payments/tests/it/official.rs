//! The official client, server and facilitator of x402 among themselves, over this repository's contracts: what they
//! can do with the public channels they can do with ours.

use alloy_primitives::{U256, hex};
use chain::{Channels, Erc20, Wallet, canonical};
use market::Amount;
use serde_json::{Value, json};
use testkit::{Peer, TestMarket, TestMarketConfig};

/// What each of the official programs costs a call, in smallest units of the dollar: one cent.
const PRICE: u128 = 10_000;
/// The client deposits ten times what it pays, as its server asks.
const DEPOSIT: u128 = 100_000;

/// A wallet with gas, dollars and a key that programs of others can be given.
async fn person(market: &TestMarket, seed: u8) -> (Wallet, String) {
    let key = hex::encode_prefixed([seed; 32]);
    let wallet = Wallet::from_hex(&key).unwrap();
    market.dev.fund(wallet.address(), U256::from(10).pow(U256::from(18))).await.unwrap();
    market.deployer.mint(wallet.address(), Amount(1_000_000)).await.unwrap();
    (wallet, key)
}

async fn ask(peer: &mut Peer, request: Value) -> Value {
    serde_json::from_str(&peer.ask(&request.to_string()).await).unwrap()
}

/// The address that a program says it serves at.
async fn serves(peer: &mut Peer) -> String {
    let said: Value = serde_json::from_str(&peer.hear().await).unwrap();
    said["url"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn official_programs_trade_over_our_channels() {
    let market = TestMarket::with(TestMarketConfig { x402: true, ..TestMarketConfig::default() }).await.unwrap();
    let (rpc, (facilitates, facilitator_key)) = (market.dev.rpc().to_string(), person(&market, 0xfa).await);
    let (payer, payer_key) = person(&market, 0xca).await;
    let receiver = market.owner.address().to_string();
    let Some(mut facilitator) = Peer::start("x402-facilitator.mjs", &[&rpc, &facilitator_key]) else { return };
    let facilitator_url = serves(&mut facilitator).await;
    let Some(mut server) = Peer::start("x402-server.mjs", &[&facilitator_url, &receiver, "$0.01", "batch-settlement"])
    else {
        return;
    };
    let url = format!("{}/sold", serves(&mut server).await);
    let Some(mut client) = Peer::start("x402-client.mjs", &[]) else { return };
    client.say(&json!({ "key": payer_key, "schemes": ["batch-settlement"], "rpc": rpc }).to_string()).await;

    let token = Erc20::open(market.chain.clone(), market.market.token()).await.unwrap();
    let before = token.balance_of(payer.address()).await.unwrap();
    let first = ask(&mut client, json!({ "do": "fetch", "url": url })).await;
    assert_eq!(first["status"], 200, "{first}");
    assert_eq!(first["payment"]["amount"], DEPOSIT.to_string(), "the deposit: {first}");
    let second = ask(&mut client, json!({ "do": "fetch", "url": url })).await;
    assert_eq!(second["payment"]["extra"]["channelState"]["chargedCumulativeAmount"], (2 * PRICE).to_string());

    // A client that lost its memory is put right by the server and pays once.
    ask(&mut client, json!({ "do": "forget" })).await;
    let third = ask(&mut client, json!({ "do": "fetch", "url": url })).await;
    assert_eq!(third["requests"], json!([402, 402, 200]), "{third}");
    assert_eq!(third["payment"]["extra"]["channelState"]["chargedCumulativeAmount"], (3 * PRICE).to_string());

    let refund = ask(&mut client, json!({ "do": "refund", "url": url })).await;
    assert_eq!(refund["refund"]["amount"], (DEPOSIT - 3 * PRICE).to_string(), "{refund}");
    let after = token.balance_of(payer.address()).await.unwrap();
    assert_eq!(before.0 - after.0, 3 * PRICE, "what was bought left the payer, nothing else");

    let id = third["payment"]["extra"]["channelState"]["channelId"].as_str().unwrap().parse().unwrap();
    let channels = Channels::open(market.chain.clone(), canonical::BATCH_SETTLEMENT).await.unwrap();
    let channel = channels.channel(id).await.unwrap();
    assert_eq!((channel.balance, channel.claimed), (3 * PRICE, 3 * PRICE));
    assert_ne!(facilitates.address(), payer.address());
}
