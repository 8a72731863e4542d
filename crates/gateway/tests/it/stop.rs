//! Starting and stopping.

use gateway::{Gateway, GatewayConfig, GatewayError, GatewayKeys};
use wire::{http::ToClient, link::FromGateway};

use crate::{
    sockets::{Agent, Reader},
    stage::Stage,
};

#[tokio::test]
async fn sockets_are_told_and_serving_ends() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(1).await;
    let mut agent = Agent::welcome(&stage, &provider).await;
    let mut reader = Reader::follow(&stage, &stage.job(&provider, 1), 0).await;
    assert!(reader.held().await.is_empty());
    stage.shutdown.cancel();
    let reasons = [agent.line.hear::<FromGateway>().await.unwrap_err(), reader.0.hear::<ToClient>().await.unwrap_err()];
    assert_eq!(reasons, ["the gateway stops; connect again"; 2]);
    drop((agent, reader));
    stage.served.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let stage = Stage::new(|_| ()).await;
    let config = GatewayConfig { listen: stage.host.parse().unwrap(), ..GatewayConfig::default() };
    let (market, blocks) = (stage.market.clone(), stage.blocks.clone());
    let keys = GatewayKeys::default();
    let bound = Gateway::bind(config, market, blocks, stage.store.clone(), stage.index.clone(), keys).await;
    let error = bound.err().unwrap();
    assert!(matches!(&error, GatewayError::Bind { listen, .. } if listen.to_string() == stage.host));
    assert!(error.to_string().contains("choose another address"), "{error}");
}
