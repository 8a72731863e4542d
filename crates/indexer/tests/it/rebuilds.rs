//! The index is no more than the chain: thrown away, it comes back the same, on either engine.

use indexer::{IndexError, IndexerConfig, Rebuilt, rebuild};
use store::{Store, StoreError};
use testkit::{Emitter, open_emitted};
use tokio_util::sync::CancellationToken;

use crate::{
    index::{Database, Running, replayed},
    story::Story,
};

/// Some blocks of the window and some below it.
async fn told(emitter: &Emitter) {
    let mut story = Story::new(3);
    for round in 0..3 {
        for _ in 0..20 {
            let events: Vec<_> = (0..5).flat_map(|_| story.goes_on()).collect();
            emitter.log(&events).await;
        }
        emitter.dev.mine(100 * round).await.unwrap();
    }
}

#[tokio::test]
async fn a_deleted_database_comes_back_the_same() {
    let emitter = Emitter::start().await;
    told(&emitter).await;
    let market = emitter.market().await;
    let expected = replayed(&market, 1).await;
    assert!(expected.lines().count() > 300, "{} lines", expected.lines().count());
    let mut databases = Database::engines().await;
    databases.push(Database::new().await);
    for database in databases {
        let index = Running::start(&market, &database.store, 1, "rebuilds");
        let progress = index.caught_up(&market).await;
        assert_eq!(progress.rewinds, 0);
        assert_eq!(database.store.dump_index().await.unwrap(), expected, "{:?}", database.config);
        index.stop().await.unwrap();
        // Opened again, nothing is told twice.
        let index = Running::start(&market, &database.store, 1, "rebuilds");
        assert_eq!(index.caught_up(&market).await.events, 0);
        index.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_rebuild_reads_everything_again() {
    let emitter = Emitter::start().await;
    told(&emitter).await;
    let market = emitter.market().await;
    let database = Database::new().await;
    let index = Running::start(&market, &database.store, 1, "before");
    let before = index.caught_up(&market).await;
    index.stop().await.unwrap();
    let expected = database.store.dump_index().await.unwrap();
    let mut steps: Vec<Rebuilt> = Vec::new();
    let config = IndexerConfig::new(1, "rebuild".into());
    let store = database.store.clone();
    let done = rebuild(config, market.clone(), store, CancellationToken::new(), |step| steps.push(step));
    let done = done.await.unwrap();
    assert_eq!((done.events, done.head), (before.events, before.head));
    assert_eq!(steps.last(), Some(&done));
    let cursor = database.store.cursor().await.unwrap().unwrap();
    assert_eq!(cursor.rewinds, before.rewinds + 1, "who follows learns that it must read everything again");
    assert_eq!(database.store.dump_index().await.unwrap(), expected);
}

#[tokio::test]
async fn a_database_of_another_market_is_refused() {
    let emitter = Emitter::start().await;
    let market = emitter.market().await;
    let database = Database::new().await;
    let index = Running::start(&market, &database.store, 1, "one");
    index.caught_up(&market).await;
    index.stop().await.unwrap();
    let t = testkit::TestMarket::start().await.unwrap();
    let other = Running::start(&t.market, &database.store, t.deployment.block, "other");
    let refused = other.ended().await.unwrap_err();
    assert!(matches!(refused, IndexError::Store(StoreError::OtherMarket { .. })), "{refused}");
    assert!(refused.to_string().contains(&market.address().to_string()), "{refused}");
    let before = database.store.dump_index().await.unwrap();
    let config = IndexerConfig::new(t.deployment.block, "rebuild".into());
    let refused = rebuild(config, t.market.clone(), database.store.clone(), CancellationToken::new(), |_| {}).await;
    assert!(matches!(refused, Err(IndexError::Store(StoreError::OtherMarket { .. }))), "{refused:?}");
    assert_eq!(database.store.dump_index().await.unwrap(), before, "nothing was thrown away");
    // The right one goes on.
    let store = Store::open(&database.config).await.unwrap();
    let market = open_emitted(emitter.dev.rpc().as_str()).await;
    let index = Running::start(&market, &store, 1, "one");
    index.caught_up(&market).await;
    index.stop().await.unwrap();
}

/// What cannot be is said, and nothing of its block is written.
#[tokio::test]
async fn an_impossible_event_stops_the_indexer() {
    let emitter = Emitter::start().await;
    let market = emitter.market().await;
    let database = Database::new().await;
    let mut story = Story::new(4);
    emitter.log(&story.goes_on()).await;
    let index = Running::start(&market, &database.store, 1, "one");
    index.caught_up(&market).await;
    let good = database.store.dump_index().await.unwrap();
    let job = market::JobId([7; 32]);
    let paused = market::BasisPoints(1);
    let events = [chain::MarketEvent::FeeChanged { fee: paused }, chain::MarketEvent::JobPaused { job }];
    emitter.log(&events).await;
    let error = index.ended().await.unwrap_err();
    assert!(matches!(error, IndexError::Impossible { log_index: 1, kind: "JobPaused", .. }), "{error}");
    assert!(error.to_string().contains("is unknown"), "{error}");
    assert_eq!(database.store.dump_index().await.unwrap(), good);
}
