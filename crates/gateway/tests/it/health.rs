//! `GET /api/v1/health` and `/api/v1/health/ready`.

use content::Block;
use serde_json::Value;
use wire::http::Health;

use crate::{
    sockets::Agent,
    stage::{Answer, Stage},
};

#[tokio::test]
async fn health_says_what_is_served_and_asks_nobody() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(1).await;
    let health: Health = stage.get("/api/v1/health").await.json();
    let domain = stage.domain();
    let expected =
        Health { status: "ok".into(), chain_id: domain.chain_id, market: domain.market, agents: 0, blocks: 0 };
    assert_eq!(health, expected);

    let _agent = Agent::welcome(&stage, &provider).await;
    stage.store.put(Block::new(content::RAW, "block").unwrap()).unwrap();
    let host = stage.host.clone();
    stage.town.dev.kill().await.unwrap();
    let answer = Answer::of(reqwest::get(format!("http://{host}/api/v1/health")).await.unwrap()).await;
    assert_eq!(answer.json::<Health>(), Health { agents: 1, blocks: 1, ..expected });
}

#[tokio::test]
async fn readiness_names_the_dependency_that_is_missing() {
    let stage = Stage::new(|_| ()).await;
    let ready: Value = stage.get("/api/v1/health/ready").await.json();
    let status = |ready: &Value, name: &str| ready["dependencies"][name]["status"].clone();
    assert_eq!(
        (&ready["status"], status(&ready, "chain"), status(&ready, "store")),
        (&"ok".into(), "ok".into(), "ok".into())
    );

    let host = stage.host.clone();
    stage.town.dev.kill().await.unwrap();
    let answer = Answer::of(reqwest::get(format!("http://{host}/api/v1/health/ready")).await.unwrap()).await;
    assert_eq!(answer.status, 503);
    let ready: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(ready["status"], "unavailable");
    assert_eq!((status(&ready, "chain"), status(&ready, "store")), ("unavailable".into(), "ok".into()));
}
