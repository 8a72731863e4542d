//! The loop: carries out the steps that the table of states names, and holds the lease meanwhile.

use std::time::Duration;

use chain::{EventStream, Market};
use store::{BlockRef, Cursor, Indexed, Store};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    IndexError, IndexerConfig, Writer,
    lease::Lease,
    source::{Arrived, Source},
    state::{Seen, State, next},
};

/// While another process writes, what it wrote is looked for this often.
const STANDBY_LOOK: Duration = Duration::from_millis(250);
/// The first wait after a failure; it doubles with each further one.
const RETRY_FIRST: Duration = Duration::from_millis(100);
/// The longest wait after a failure.
const RETRY_MAX: Duration = Duration::from_secs(5);

/// How far the index is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The newest block whose rows are durable.
    pub head: Option<BlockRef>,
    /// Rewinds so far: when it has changed, rows may have gone back.
    pub rewinds: u64,
    /// Blocks that this process wrote.
    pub blocks: u64,
    /// Events that this process wrote.
    pub events: u64,
    /// This process writes, not another one.
    pub is_writer: bool,
}

/// Keeps the index of one market in step with its chain.
#[derive(Debug)]
pub struct Indexer {
    config: IndexerConfig,
    market: Market,
    store: Store,
    lease: Lease,
    open: Option<(Writer, Source)>,
    failures: u32,
    error: Option<IndexError>,
    progress: watch::Sender<Progress>,
}

impl Indexer {
    /// An indexer of `market` into `store`.
    #[must_use]
    pub fn new(config: IndexerConfig, market: Market, store: Store) -> Self {
        let lease = Lease::new(store.clone(), config.holder.clone(), config.lease);
        let progress = watch::Sender::new(Progress::default());
        Self { config, market, store, lease, open: None, failures: 0, error: None, progress }
    }

    /// How far the index is, changed after each transaction.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Runs until `shutdown`, or until something is found that trying again does not mend. Outages of chain and
    /// database are waited out.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), IndexError> {
        let mut state = State::Waiting;
        while state != State::Stopped {
            let seen = self.step(state, &shutdown).await.unwrap_or_else(|error| self.failed(error));
            if seen != Seen::Nothing {
                tracing::trace!(?state, ?seen, "indexing");
            }
            state = next(state, seen);
        }
        self.open = None;
        if self.error.is_none() {
            self.lease.release().await;
        }
        self.error.map_or(Ok(()), Err)
    }

    /// Carries out the one step of a state.
    async fn step(&mut self, state: State, shutdown: &CancellationToken) -> Result<Seen, IndexError> {
        let step = async {
            match state {
                State::Waiting => self.ask().await,
                State::Opening => self.opened().await,
                State::CatchingUp | State::Following => self.wait().await,
                State::Rewinding { to } => self.take_back(to).await,
                State::Recovering => {
                    let doubled = RETRY_FIRST.saturating_mul(1 << self.failures.min(8));
                    tokio::time::sleep(doubled.min(RETRY_MAX)).await;
                    Ok(Seen::Waited)
                }
                State::Stopped => Ok(Seen::Shutdown),
            }
        };
        let seen = tokio::select! {
            biased;
            () = shutdown.cancelled() => return Ok(Seen::Shutdown),
            seen = step => seen?,
        };
        // Writing is not dropped half-way: what it came to would not be known.
        if seen == Seen::Nothing { self.write().await } else { Ok(seen) }
    }

    async fn ask(&mut self) -> Result<Seen, IndexError> {
        self.open = None;
        if self.lease.ask().await? {
            return Ok(Seen::Granted);
        }
        self.tell(self.store.cursor().await?.as_ref(), false);
        tokio::time::sleep(STANDBY_LOOK).await;
        Ok(Seen::Denied)
    }

    async fn opened(&mut self) -> Result<Seen, IndexError> {
        let indexed =
            Indexed { chain_id: self.market.chain().id(), market: self.market.address(), from: self.config.from };
        let writer = Writer::open(self.store.clone(), indexed).await?;
        let cursor = writer.cursor();
        let delivered: Vec<_> = cursor.recent.iter().map(|block| (block.number, block.hash)).collect();
        self.tell(Some(cursor), true);
        let from = cursor.indexed.from;
        let stream = EventStream::resume(self.market.clone(), from, &delivered, self.config.stream);
        self.open = Some((writer, Source::start(stream)));
        Ok(Seen::Opened)
    }

    /// Waits for blocks, no longer than the lease allows, and renews it when it is time.
    async fn wait(&mut self) -> Result<Seen, IndexError> {
        if self.lease.is_due() && !self.lease.ask().await? {
            return Ok(Seen::Lost);
        }
        if let Some((_, source)) = &mut self.open {
            let renew = self.lease.due_in();
            tokio::time::timeout(renew, source.wait()).await.ok();
        }
        Ok(Seen::Nothing)
    }

    /// Writes what has come.
    async fn write(&mut self) -> Result<Seen, IndexError> {
        let Some((writer, source)) = &mut self.open else { return Ok(Seen::Lost) };
        let blocks = match source.take().await {
            None if source.is_over() => return Ok(Seen::Trouble),
            None => return Ok(Seen::Nothing),
            Some(Arrived::Rewind(to)) => return Ok(Seen::Reorganised { to }),
            Some(Arrived::Failed(error)) => return Err(error.into()),
            Some(Arrived::Blocks(blocks)) => blocks,
        };
        if !self.lease.is_held() {
            return Ok(Seen::Lost);
        }
        writer.write(&blocks).await?;
        if self.failures > 0 {
            tracing::info!(failures = self.failures, "indexing goes on");
            self.failures = 0;
        }
        let head = writer.cursor().head();
        let events: usize = blocks.iter().map(|block| block.events.len()).sum();
        self.progress.send_modify(|progress| {
            progress.head = head;
            progress.blocks += blocks.len() as u64;
            progress.events += events as u64;
        });
        Ok(Seen::Written { old: blocks.last().is_some_and(|block| block.is_old) })
    }

    async fn take_back(&mut self, to: u64) -> Result<Seen, IndexError> {
        let Some((writer, _)) = &mut self.open else { return Ok(Seen::Lost) };
        if !self.lease.is_held() {
            return Ok(Seen::Lost);
        }
        let rewound = writer.rewind(to).await?;
        let cursor = writer.cursor().clone();
        tracing::info!(to, ?rewound, rewinds = cursor.rewinds, "the index was taken back");
        self.tell(Some(&cursor), true);
        Ok(Seen::Rewound(rewound))
    }

    fn tell(&self, cursor: Option<&Cursor>, is_writer: bool) {
        let (head, rewinds) = cursor.map_or((None, 0), |cursor| (cursor.head(), cursor.rewinds));
        self.progress.send_if_modified(|progress| {
            let told = Progress { head, rewinds, is_writer, ..*progress };
            std::mem::replace(progress, told) != told
        });
    }

    /// What a failure means for the loop; it is logged here and nowhere else.
    fn failed(&mut self, error: IndexError) -> Seen {
        self.open = None;
        if !error.is_retryable() {
            tracing::error!(%error, "indexing ends");
            self.error = Some(error);
            return Seen::Broken;
        }
        if self.failures == 0 {
            tracing::warn!(%error, "indexing is interrupted; trying until it goes on");
        }
        self.failures = self.failures.saturating_add(1);
        Seen::Trouble
    }
}
