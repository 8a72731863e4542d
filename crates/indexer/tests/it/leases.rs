//! One writer at a time.

use std::time::Duration;

use indexer::{IndexError, IndexerConfig, rebuild};
use testkit::{Emitter, eventually};
use tokio_util::sync::CancellationToken;

use crate::{
    index::{Database, LIMIT, Running, replayed},
    story::Story,
};

#[tokio::test]
async fn a_second_process_follows_and_takes_over() {
    let emitter = Emitter::start().await;
    let market = emitter.market().await;
    let database = Database::new().await;
    let mut story = Story::new(1);
    let first = Running::start(&market, &database.store, 1, "first");
    emitter.log(&story.goes_on()).await;
    first.caught_up(&market).await;
    let second = Running::start(&market, &database.store, 1, "second");
    emitter.log(&story.goes_on()).await;
    let (one, two) = (first.caught_up(&market).await, second.caught_up(&market).await);
    assert!(one.is_writer && !two.is_writer);
    assert_eq!(one.head, two.head);

    let config = IndexerConfig::new(1, "third".into());
    let refused = rebuild(config, market.clone(), database.store.clone(), CancellationToken::new(), |_| ()).await;
    assert!(matches!(refused, Err(IndexError::Taken)), "{refused:?}");

    first.stop().await.unwrap();
    emitter.log(&story.goes_on()).await;
    assert!(second.caught_up(&market).await.is_writer);
    assert_eq!(database.store.dump_index().await.unwrap(), replayed(&market, 1).await);
    second.stop().await.unwrap();
}

/// A process that was held up for longer than its lease finds another at work, and writes no more.
#[tokio::test]
async fn a_lost_lease_stops_writing() {
    let emitter = Emitter::start().await;
    let market = emitter.market().await;
    let database = Database::new().await;
    let index = Running::start(&market, &database.store, 1, "held up");
    index.caught_up(&market).await;
    let store = &database.store;
    // As if its lease had run out while it was held up, and another had come.
    store.end_lease(store::INDEX_LEASE, "held up").await.unwrap();
    assert!(store.index_lease("another", 3600).await.unwrap());
    let mut progress = index.progress.clone();
    tokio::time::timeout(LIMIT, progress.wait_for(|progress| !progress.is_writer)).await.unwrap().unwrap();
    emitter.log(&Story::new(2).goes_on()).await;
    let head = market.chain().head().await.unwrap();
    assert!(store.cursor().await.unwrap().unwrap().head().unwrap().number < head.number);
    store.end_lease(store::INDEX_LEASE, "another").await.unwrap();
    assert!(index.caught_up(&market).await.is_writer);
    eventually(Duration::from_secs(1), async || (!store.dump_index().await.unwrap().is_empty()).then_some(())).await;
    index.stop().await.unwrap();
}
