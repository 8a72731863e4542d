//! From an empty database to the chain's head.

use std::time::{Duration, Instant};

use indexer::{Indexer, IndexerConfig};
use store::{JobFilter, Store, StoreConfig};
use testkit::{Emitter, TestDatabase};
use tokio_util::sync::CancellationToken;

use crate::workload::{EVENTS, resource};

/// Slower than this is broken.
const WITHIN: Duration = Duration::from_secs(300);

/// Events a second, all rows durable.
pub(crate) async fn measure(emitter: &Emitter, database: TestDatabase) -> f64 {
    let store = Store::open(&StoreConfig::new(database.url())).await.unwrap();
    let market = emitter.market().await;
    let head = market.chain().head().await.unwrap();
    let indexer = Indexer::new(IndexerConfig::new(1, "bench".into()), market, store.clone());
    let (mut progress, shutdown) = (indexer.progress(), CancellationToken::new());
    let began = Instant::now();
    let run = tokio::spawn(indexer.run(shutdown.clone()));
    let done = progress.wait_for(|progress| progress.head.is_some_and(|at| at.number >= head.number));
    let done = *tokio::time::timeout(WITHIN, done).await.unwrap().unwrap();
    let took = began.elapsed();
    shutdown.cancel();
    run.await.unwrap().unwrap();
    // What was measured is what was meant.
    assert_eq!(done.events, EVENTS);
    let newest = store.jobs(&JobFilter::default(), None, 1).await.unwrap();
    assert_eq!(newest[0].status, market::Status::Final);
    assert!(store.resource(resource(0)).await.unwrap().unwrap().held_by.is_none());
    EVENTS as f64 / took.as_secs_f64()
}
