//! A route behind our layer, and the same route for nothing.

use std::net::SocketAddr;
use std::sync::Arc;

use alloy_primitives::{Address, U256};
use axum::{Json, Router, routing::get};
use chain::{Channels, Erc20, Teller, Wallet, canonical};
use payments::channel::Desk;
use payments::exact::Exact;
use payments::facilitator::{Batch, DEPOSIT_GAS, FollowConfig, Limits, Sender};
use payments::layer::{ByChannel, Paid, Quote};
use serde_json::{Value, json};
use store::{Store, StoreConfig};
use testkit::{TestDatabase, TestMarket};
use tokio::net::TcpListener;
use wire::x402::ResourceInfo;

use crate::PRICE;

async fn sold() -> Json<Value> {
    Json(json!({ "sold": true }))
}

/// Serves, and tells where; the database lasts as long as what comes with it.
pub(crate) async fn serve(market: &TestMarket) -> (SocketAddr, TestDatabase) {
    let database = TestDatabase::sqlite();
    let store = Store::open(&StoreConfig::new(database.url())).await.unwrap();
    let token = Erc20::open(market.chain.clone(), market.market.token()).await.unwrap();
    let key = Wallet::random();
    market.dev.fund(key.address(), U256::from(10).pow(U256::from(18))).await.unwrap();
    let sender = Sender::new(Teller::new(market.chain.clone(), key), store.clone(), FollowConfig::default());
    let exact = Exact::new(token.clone(), sender.clone(), store.clone()).unwrap();
    let channels = Channels::open(market.chain.clone(), canonical::BATCH_SETTLEMENT).await.unwrap();
    let batch = Batch::new(channels, token, sender).unwrap();
    let receiver = Address::repeat_byte(0x77);
    let by_channel = ByChannel {
        desk: Desk::start(store.clone(), batch.separator()),
        batch,
        receiver,
        withdraw_delay: 3600,
        min_deposit: 0,
        limits: Limits { gas_a_day: 100 * DEPOSIT_GAS, ..Limits::default() },
    };
    let quote = move |_: &axum::http::request::Parts| {
        let resource = ResourceInfo { url: "http://shop/sold".into(), ..ResourceInfo::default() };
        Some(Quote { amount: PRICE, pay_to: receiver, resource })
    };
    let paid = Paid::new(exact, Some(by_channel), store, Arc::new(quote));
    let app = Router::new().route("/sold", get(sold).layer(paid)).route("/free", get(sold));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    (host, database)
}
