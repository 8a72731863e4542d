//! The Rust client of others, unmodified, before a route of ours.

use alloy_primitives::{U256, hex};
use alloy_signer_local::PrivateKeySigner;
use axum::{Router, routing::get};
use chain::Wallet;
use market::Amount;
use payments::facilitator::Limits;
use tokio::net::TcpListener;
use wire::x402::{PAYMENT_RESPONSE, SettleResponse, decode};
use x402_chain_eip155::V2Eip155ExactClient;
use x402_reqwest::{ReqwestWithPayments, ReqwestWithPaymentsBuild, X402Client};

use crate::shop::{PRICE, Shop};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x402_reqwest_pays_by_exact() {
    let shop = Shop::open().await;
    let route = get(async || "sold").layer(shop.layer(Limits::default()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/sold", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/sold", route)).await });
    let key = hex::encode_prefixed([0xc7; 32]);
    let payer = Wallet::from_hex(&key).unwrap();
    shop.market.dev.fund(payer.address(), U256::from(1)).await.unwrap();
    shop.market.deployer.mint(payer.address(), Amount(10 * PRICE)).await.unwrap();

    let signer: PrivateKeySigner = key.parse().unwrap();
    let paying = X402Client::new().register(V2Eip155ExactClient::new(signer));
    let client = reqwest::Client::builder().no_proxy().build().unwrap().with_payments(paying).build();
    for count in 1..=2 {
        let answer = client.get(&url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let told: SettleResponse = decode("x", answer.headers()[PAYMENT_RESPONSE].to_str().unwrap()).unwrap();
        assert_eq!((told.success, told.payer), (true, Some(payer.address())));
        assert_eq!(answer.text().await.unwrap(), "sold");
        assert_eq!(shop.received().await, count * PRICE, "each request is paid once");
    }
    assert_eq!(shop.token.balance_of(payer.address()).await.unwrap().0, 8 * PRICE);
}
