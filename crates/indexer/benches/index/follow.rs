//! From a block to its row.

use std::time::{Duration, Instant};

use chain::MarketEvent;
use indexer::{Indexer, IndexerConfig};
use market::PerHour;
use store::{Store, StoreConfig};
use testkit::{Emitter, TestDatabase};
use tokio_util::sync::CancellationToken;

use crate::{
    bench,
    workload::{machine, provider, resource},
};

/// Blocks that are measured.
const BLOCKS: usize = 300;
/// Between two looks for the row; a look takes about as long.
const LOOK_EVERY: Duration = Duration::from_micros(200);
/// Slower than this is broken.
const WITHIN: Duration = Duration::from_secs(10);

/// From the order to mine a block until a change in it is read from the store.
pub(crate) async fn measure() {
    let emitter = Emitter::start().await;
    let database = TestDatabase::sqlite();
    let store = Store::open(&StoreConfig::new(database.url())).await.unwrap();
    emitter.log(&[provider(), machine(0)]).await;
    let indexer = Indexer::new(IndexerConfig::new(1, "bench".into()), emitter.market().await, store.clone());
    let shutdown = CancellationToken::new();
    let run = tokio::spawn(indexer.run(shutdown.clone()));
    price_is(&store, PerHour(3_600_000)).await;
    emitter.dev.automine(false).await.unwrap();
    let mut waits = Vec::with_capacity(BLOCKS);
    for number in 1..=BLOCKS {
        let price = PerHour(number as u128);
        // Handed in and not mined yet: the block is ordered when the clock runs.
        drop(emitter.send(&[MarketEvent::PriceChanged { resource: resource(0), price }]).await);
        let began = Instant::now();
        let (mined, ()) = tokio::join!(emitter.dev.mine(1), price_is(&store, price));
        waits.push(began.elapsed().as_secs_f64() * 1000.0);
        mined.unwrap();
    }
    waits.sort_by(f64::total_cmp);
    bench("indexer.block_to_row_p50_ms", waits[BLOCKS / 2], "ms");
    bench("indexer.block_to_row_p99_ms", waits[BLOCKS * 99 / 100], "ms");
    shutdown.cancel();
    run.await.unwrap().unwrap();
}

async fn price_is(store: &Store, price: PerHour) {
    let began = Instant::now();
    while store.resource(resource(0)).await.unwrap().is_none_or(|row| row.price != price) {
        assert!(began.elapsed() < WITHIN, "the row does not come");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
