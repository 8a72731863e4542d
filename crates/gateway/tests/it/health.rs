//! `GET /api/v1/health` and `/api/v1/health/ready`.

use std::time::Duration;

use alloy_primitives::Address;
use content::Block;
use market::Seconds;
use serde_json::Value;
use wire::http::Health;

use crate::{
    sockets::Agent,
    stage::{Answer, Stage, until},
};

#[tokio::test]
async fn health_says_what_is_served_and_asks_nobody() {
    let recorder = Address::repeat_byte(0x77);
    let stage = Stage::watched(true, |config| config.recorder = Some(recorder)).await;
    let provider = stage.provider(1).await;
    let health: Health = stage.get("/api/v1/health").await.json();
    let domain = stage.domain();
    let expected = Health {
        status: "ok".into(),
        chain_id: domain.chain_id,
        market: domain.market,
        token: stage.market.token(),
        watcher: Some(stage.town.watcher.address()),
        recorder: Some(recorder),
        indexed_block: Some(stage.town.chain.head().await.unwrap().number),
        agents: 0,
        blocks: 0,
    };
    assert_eq!(health, expected);

    let _agent = Agent::welcome(&stage, &provider).await;
    stage.blocks.put(Block::new(content::RAW, "block").unwrap()).unwrap();
    let host = stage.host.clone();
    stage.town.dev.kill().await.unwrap();
    let answer = Answer::of(reqwest::get(format!("http://{host}/api/v1/health")).await.unwrap()).await;
    assert_eq!(answer.json::<Health>(), Health { agents: 1, blocks: 1, ..expected });
}

fn status(ready: &Value, name: &str) -> String {
    ready["dependencies"][name]["status"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn readiness_names_the_dependency_that_is_missing() {
    let stage = Stage::new(|_| ()).await;
    let ready: Value = stage.get("/api/v1/health/ready").await.json();
    assert_eq!(ready["status"], "ok");
    for name in ["chain", "content", "database", "index"] {
        assert_eq!(status(&ready, name), "ok", "{name}");
    }

    stage.store.close().await.unwrap();
    let host = stage.host.clone();
    stage.town.dev.kill().await.unwrap();
    let answer = Answer::of(reqwest::get(format!("http://{host}/api/v1/health/ready")).await.unwrap()).await;
    assert_eq!(answer.status, 503);
    let ready: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(ready["status"], "unavailable");
    let seen = ["chain", "content", "database"].map(|name| status(&ready, name));
    assert_eq!(seen, ["unavailable", "ok", "unavailable"]);
}

#[tokio::test]
async fn an_index_that_stands_still_is_not_ready() {
    let stage = Stage::halted(|config| config.limits.index_lag = Duration::from_secs(60)).await;
    stage.town.advance(Seconds(3600)).await.unwrap();
    stage.town.renter.approve(market::Amount(1)).await.unwrap();
    until(async || {
        let answer = stage.get("/api/v1/health/ready").await;
        let ready: Value = serde_json::from_slice(&answer.body).unwrap();
        let late = ready["dependencies"]["index"]["detail"].as_str().unwrap().contains("behind the chain");
        answer.status == 503 && late && status(&ready, "chain") == "ok"
    })
    .await;
}
