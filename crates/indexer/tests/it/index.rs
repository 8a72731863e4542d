//! Databases and indexers of a test.

use std::time::Duration;

use chain::{EventStream, Item, Market, StreamConfig};
use indexer::{IndexError, Indexer, IndexerConfig, Progress, Writer};
use store::{Indexed, Store, StoreConfig};
use testkit::{TestDatabase, eventually};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

/// Catching up with any chain of these tests takes seconds.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// An empty database, opened.
pub(crate) struct Database {
    pub(crate) store: Store,
    pub(crate) config: StoreConfig,
    _kept: TestDatabase,
}

impl Database {
    /// In a file of its own.
    pub(crate) async fn new() -> Self {
        Self::open(TestDatabase::sqlite()).await
    }

    pub(crate) async fn open(kept: TestDatabase) -> Self {
        let config = StoreConfig::new(kept.url());
        Self { store: Store::open(&config).await.unwrap(), config, _kept: kept }
    }

    /// One with each engine that is installed.
    pub(crate) async fn engines() -> Vec<Self> {
        let mut opened = Vec::new();
        for kept in TestDatabase::engines() {
            opened.push(Self::open(kept).await);
        }
        opened
    }
}

/// An indexer that runs.
pub(crate) struct Running {
    pub(crate) progress: watch::Receiver<Progress>,
    shutdown: CancellationToken,
    task: AbortOnDropHandle<Result<(), IndexError>>,
}

impl Running {
    pub(crate) fn start(market: &Market, store: &Store, from: u64, holder: &str) -> Self {
        let config = IndexerConfig { lease: Duration::from_secs(3), ..IndexerConfig::new(from, holder.to_owned()) };
        let indexer = Indexer::new(config, market.clone(), store.clone());
        let (progress, shutdown) = (indexer.progress(), CancellationToken::new());
        let task: JoinHandle<_> = tokio::spawn(indexer.run(shutdown.clone()));
        Self { progress, shutdown, task: AbortOnDropHandle::new(task) }
    }

    /// Waits until the chain's newest block is in the index.
    pub(crate) async fn caught_up(&self, market: &Market) -> Progress {
        let head = market.chain().head().await.unwrap();
        eventually(LIMIT, async || {
            assert!(!self.task.is_finished(), "the indexer ended");
            let progress = *self.progress.borrow();
            (progress.head.is_some_and(|at| at.hash == head.hash)).then_some(progress)
        })
        .await
    }

    /// Asks it to end; what it ended with.
    pub(crate) async fn stop(self) -> Result<(), IndexError> {
        self.shutdown.cancel();
        self.ended().await
    }

    /// Waits until it ends by itself.
    pub(crate) async fn ended(self) -> Result<(), IndexError> {
        tokio::time::timeout(LIMIT, self.task).await.unwrap().unwrap()
    }
}

/// What a clean replay of the chain comes to.
pub(crate) async fn replayed(market: &Market, from: u64) -> String {
    let database = Database::new().await;
    let indexed = Indexed { chain_id: market.chain().id(), market: market.address(), from };
    let mut writer = Writer::open(database.store.clone(), indexed).await.unwrap();
    let head = market.chain().head().await.unwrap();
    let mut stream = EventStream::new(market.clone(), from, StreamConfig::default());
    while writer.cursor().head().is_none_or(|at| at.number < head.number) {
        match stream.next().await.unwrap() {
            Item::Block(block) => writer.write(&[block]).await.unwrap(),
            Item::Rewind { .. } => panic!("nothing changes while it is replayed"),
        }
    }
    database.store.dump_index().await.unwrap()
}
