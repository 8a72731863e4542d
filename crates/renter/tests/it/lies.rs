//! What a gateway says of the offers is only where to look; the chain says what they are.

use alloy_primitives::B256;
use chain::{Account, Market, SendConfig, Wallet};
use market::{Hardware, Needs, PerHour, Seconds};
use renter::{FollowConfig, Renter, RenterConfig, RenterError};
use wire::{HardwareJson, http::GpuJson};

use crate::stage::{DURATION, PRICE, Stage};

#[tokio::test]
async fn the_quote_has_the_figures_of_the_chain() {
    let stage = Stage::new().await;
    let mut lie = stage.gpu();
    lie.price_per_hour.amount = "1".into();
    lie.available = false;
    lie.busy = true;
    let truth = Hardware::from(&lie.hardware);
    lie.hardware = HardwareJson {
        model: "NVIDIA H100".into(),
        gpus: 8,
        vram_mib: 81_920,
        cpus: 64,
        memory_mib: 1 << 20,
        disk_mib: 1 << 24,
        simulated: true,
    };
    let mut unknown = GpuJson { id: B256::repeat_byte(0x77), ..stage.gpu() };
    unknown.price_per_hour.amount = "0".into();
    stage.gateway.set_gpus(vec![unknown, lie]);

    let offers = stage.renter.offers().await.unwrap();
    let [offer] = &offers[..] else { panic!("what the chain does not know is no offer: {offers:?}") };
    assert_eq!((offer.id, offer.price), (stage.resource, PRICE));
    assert_eq!((offer.available, offer.busy, &offer.hardware), (true, false, &truth), "what stands in the listing");

    let quote = stage.renter.quote(&Needs::default(), Seconds(10)).await.unwrap();
    assert_eq!((quote.offer.id, quote.locked.0), (stage.resource, 10_000));
    let cheap = Needs { max_price: Some(PerHour(PRICE.0 - 1)), ..Needs::default() };
    let err = stage.renter.quote(&cheap, Seconds(10)).await.unwrap_err();
    assert!(matches!(err, RenterError::NoMatch { .. }), "{err}");
}

#[tokio::test]
async fn what_was_listed_in_no_known_block_is_no_offer() {
    let stage = Stage::new().await;
    let config = RenterConfig {
        jobs_dir: stage.jobs_dir.path().to_owned(),
        gateway: stage.gateway.url(),
        deployed_at: stage.town.chain.head().await.unwrap().number + 1,
        follow: FollowConfig::default(),
    };
    // A market of its own: what one has read, it remembers.
    let market = Market::open(stage.town.chain.clone(), stage.town.market.address()).await.unwrap();
    let account = Account::new(market, Wallet::random(), SendConfig::default());
    assert_eq!(Renter::new(account, config).unwrap().offers().await.unwrap(), []);
}

#[tokio::test]
async fn what_is_taken_or_withdrawn_is_not_chosen_however_it_is_praised() {
    let stage = Stage::new().await;
    let wants = async || stage.renter.quote(&Needs::default(), DURATION).await;
    stage.town.owner.update_availability(stage.resource, false).await.unwrap();
    let err = wants().await.unwrap_err();
    assert!(matches!(err, RenterError::NoMatch { .. }), "{err}");

    stage.town.owner.update_availability(stage.resource, true).await.unwrap();
    let job = stage.place().await;
    stage.town.agent.accept_job(&job.terms).await.unwrap();
    let err = wants().await.unwrap_err();
    assert!(matches!(err, RenterError::NoMatch { .. }), "{err}");
}

#[tokio::test]
async fn health_is_what_the_gateway_says() {
    let stage = Stage::new().await;
    let health = stage.renter.gateway().health().await.unwrap();
    assert_eq!(health.market, stage.town.market.address());
}
