//! A machine is listed once, and its listing follows the settings.

use agent::{AgentError, Simulated};
use market::{Mebibytes, PerHour};
use testkit::eventually;

use crate::stage::{LIMIT, Stage};

#[tokio::test]
async fn listing_twice_gives_one_record_and_a_new_price_is_told() {
    let mut stage = Stage::new().await;
    stage.agent().await.stop().await.unwrap();
    let resource = stage.gateway.resource();
    stage.config.price_per_hour = PerHour(7200);
    let _agent = stage.agent().await;
    assert_eq!(stage.gateway.resource(), resource);
    let listed = stage.town.market.resource(resource).await.unwrap().unwrap();
    assert_eq!((listed.price, listed.available, listed.simulated), (PerHour(7200), true, false));
}

#[tokio::test]
async fn a_machine_that_changed_is_announced_as_it_was_listed() {
    let mut stage = Stage::new().await;
    stage.agent().await.stop().await.unwrap();
    let listed = stage.gateway.hardware();
    stage.config.offered.disk = listed.disk.0.checked_sub(1).map(Mebibytes);
    let _agent = stage.agent().await;
    assert_eq!(stage.gateway.hardware(), listed, "a gateway compares with the chain");
}

#[tokio::test]
async fn the_region_that_was_said_first_stays_and_a_wrong_one_is_refused() {
    let mut stage = Stage::new().await;
    stage.config.region = Some("EU West".into());
    let refused = agent::run(stage.config.clone(), Default::default()).await;
    assert!(matches!(refused, Err(AgentError::Wire(_))), "{refused:?}");
    for region in ["eu-west", "us-east"] {
        stage.config.region = Some(region.into());
        stage.agent().await.stop().await.unwrap();
        let listing = stage.town.market.listing(stage.gateway.resource(), 0).await.unwrap().unwrap();
        assert_eq!(wire::details::region(&listing.details), Some("eu-west"), "{listing:?}");
    }
}

#[tokio::test]
async fn a_simulated_card_is_marked_on_chain() {
    let mut stage = Stage::new().await;
    stage.config.simulate = Some(Simulated::H100);
    let _agent = stage.agent().await;
    let listed = stage.town.market.resource(stage.gateway.resource()).await.unwrap().unwrap();
    assert!(listed.simulated);
}

#[tokio::test]
async fn without_the_owners_key_somebody_must_have_listed_it() {
    let mut stage = Stage::new().await;
    let owner = stage.config.owner.take();
    let unlisted = agent::run(stage.config.clone(), Default::default()).await;
    assert!(matches!(unlisted, Err(AgentError::NotListed { .. })), "{unlisted:?}");
    stage.config.owner = owner;
    stage.agent().await.stop().await.unwrap();
    let resource = stage.gateway.resource();
    stage.config.owner = None;
    let _agent = stage.agent().await;
    eventually(LIMIT, async || (stage.gateway.resource() == resource).then_some(())).await;
}
