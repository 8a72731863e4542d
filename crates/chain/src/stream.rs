//! The blocks of the canonical chain and what the market logged in them, in order, each once, through outages and
//! reorganisations.

use std::{collections::VecDeque, time::Duration};

use alloy::primitives::B256;
use market::Timestamp;

use self::old::Ahead;
use crate::{ChainError, Market, MarketEvent, StreamConfig, heads::News};

mod live;
mod old;

/// Requests for single blocks that are on their way at once; more would only queue at the node.
const PARALLEL: usize = 8;
/// Blocks near the head that one step reads; a step is lost when a request in it fails.
const LIVE_BLOCKS: u64 = 64;
/// Times in a row that an error which asking again should not mend is put down to the moment: nodes behind one endpoint
/// that are not equally far, a reorganisation while blocks are read, a node that starts. Half a minute in all.
const HARD_TRIES: u32 = 12;

/// One event and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its place in the block.
    pub log_index: u64,
    /// The transaction that caused it.
    pub tx: B256,
    /// What happened.
    pub event: MarketEvent,
}

/// A block and the market's events in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockEvents {
    /// Height.
    pub number: u64,
    /// Its hash.
    pub hash: B256,
    /// The hash of the block below; of old blocks it is mostly not known.
    pub parent: Option<B256>,
    /// Block time.
    pub timestamp: Timestamp,
    /// It lay below the window when it was read: no rewind step by step will ever take it back.
    pub is_old: bool,
    /// In the order of the log.
    pub events: Vec<Logged>,
}

/// One step along the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// The next block. Those older than the window are delivered only if the market logged something in them, and the
    /// last of each range that was read.
    Block(BlockEvents),
    /// Everything above block `to` never happened; its successors follow. `to` may lie below the first block, which
    /// means to begin anew.
    Rewind {
        /// The last block that is still valid.
        to: u64,
    },
}

/// The stream. Dropping a future of [`next`](Self::next) loses nothing.
pub struct EventStream {
    market: Market,
    config: StreamConfig,
    from: u64,
    /// The next block to read.
    next: u64,
    /// Delivered blocks, oldest first: what a reorganisation is compared with.
    known: VecDeque<(u64, B256)>,
    ready: VecDeque<Item>,
    /// Blocks of the next request for old events, and the most that the node was not seen to refuse.
    range: u64,
    range_max: u64,
    ahead: Ahead,
    news: Option<News>,
    lag_looks: u32,
    failures: u32,
    /// Those of the failures since the chain last answered that are not outages.
    hard: u32,
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EventStream(next {} of {:?})", self.next, self.market)
    }
}

impl EventStream {
    /// Reads from block `from_block` on.
    #[must_use]
    pub fn new(market: Market, from_block: u64, config: StreamConfig) -> Self {
        Self {
            market,
            from: from_block,
            next: from_block,
            known: VecDeque::new(),
            ready: VecDeque::new(),
            range: config.range.max(1),
            range_max: config.range.max(1),
            ahead: Ahead::default(),
            news: None,
            lag_looks: 0,
            failures: 0,
            hard: 0,
            config,
        }
    }

    /// Goes on after blocks that were delivered to an earlier stream (number and hash, oldest first): if they have been
    /// reorganised away since, a rewind comes first. `from_block` is where that earlier stream began.
    #[must_use]
    pub fn resume(market: Market, from_block: u64, delivered: &[(u64, B256)], config: StreamConfig) -> Self {
        let mut stream = Self::new(market, from_block, config);
        stream.known = delivered.iter().copied().collect();
        stream.trim();
        stream.next = stream.known.back().map_or(from_block, |(number, _)| number + 1);
        stream
    }

    /// The next block or rewind; waits for it, as long as it takes. An outage, that is an error that
    /// [may pass](ChainError::is_retryable), is waited out inside, however long it lasts. Any other error is returned
    /// when a dozen tries in a row, some 30 seconds apart from first to last, did not mend it: somebody must look at the
    /// node or the settings. Nothing is lost by it; a caller that asks again gets as many tries again.
    pub async fn next(&mut self) -> Result<Item, ChainError> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(item);
            }
            // Noted before the look, so that what is announced meanwhile calls for another.
            let chain = self.market.chain();
            let patience = self.news.get_or_insert_with(|| chain.news()).note(chain);
            match self.step().await {
                Ok(more) => {
                    self.recovered();
                    if more {
                        continue;
                    }
                    let pause = if self.lag_looks > 0 { self.market.chain().config().poll } else { patience };
                    if let Some(news) = &mut self.news {
                        news.within(pause).await;
                    }
                }
                Err(error) => {
                    if !error.is_retryable() {
                        self.hard += 1;
                        if self.hard >= HARD_TRIES {
                            self.failures = 0;
                            self.hard = 0;
                            return Err(error);
                        }
                    }
                    let pause = self.backoff(&error);
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    /// The next item and what else is ready then, `limit` items at most and at least one. It waits for the first as
    /// [`next`](Self::next) does and for nothing more. While the caller works on old blocks the ones above are read.
    pub async fn next_many(&mut self, limit: usize) -> Result<Vec<Item>, ChainError> {
        let first = self.next().await?;
        let more = self.ready.len().min(limit.saturating_sub(1));
        let mut items = Vec::with_capacity(more + 1);
        items.push(first);
        items.extend(self.ready.drain(..more));
        Ok(items)
    }

    fn recovered(&mut self) {
        if self.failures > 0 {
            tracing::info!(failures = self.failures, "the chain answers again");
            self.failures = 0;
        }
        self.hard = 0;
    }

    fn backoff(&mut self, error: &ChainError) -> Duration {
        if self.failures == 0 {
            tracing::warn!(%error, "cannot read the chain; trying until it answers");
        }
        self.failures = self.failures.saturating_add(1);
        let doubled = self.config.backoff.saturating_mul(1 << self.failures.min(16));
        doubled.min(self.config.backoff_max)
    }

    /// Looks once; `true` when there is something to deliver or more to read at once.
    ///
    /// Nothing of `self` changes before the last answer of a step is there, so that a step may be dropped anywhere.
    async fn step(&mut self) -> Result<bool, ChainError> {
        let chain = self.market.chain();
        let head = if self.lag_looks > 0 { chain.head().await? } else { chain.recent_head().await? };
        let tip = self.known.back().copied();
        if tip == Some((head.number, head.hash)) {
            self.lag_looks = 0;
            return Ok(false);
        }
        if head.number < self.next {
            return self.shorter(head).await;
        }
        self.lag_looks = 0;
        let window = u64::try_from(self.config.window).unwrap_or(u64::MAX);
        if self.next.saturating_add(window) <= head.number {
            return self.read_old(head.number - window).await;
        }
        let last = head.number.min(self.next.saturating_add(LIVE_BLOCKS - 1));
        self.read_live(last, head).await
    }

    fn deliver(&mut self, blocks: Vec<BlockEvents>) {
        for block in blocks {
            self.known.push_back((block.number, block.hash));
            self.next = block.number + 1;
            self.ready.push_back(Item::Block(block));
        }
        self.trim();
    }

    fn trim(&mut self) {
        while self.known.len() > self.config.window.max(1) {
            self.known.pop_front();
        }
    }
}

/// The chain moved while it was read.
fn changed() -> ChainError {
    ChainError::BadAnswer { what: "blocks", message: "the chain changed while it was read".into() }
}
