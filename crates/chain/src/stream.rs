//! The blocks of the canonical chain and what the market logged in them, in order, each once, through outages and
//! reorganisations.

use std::{collections::VecDeque, time::Duration};

use alloy::{primitives::B256, rpc::types::Filter};
use futures_util::{StreamExt, TryStreamExt, stream};
use market::Timestamp;

use crate::{Block, ChainError, Market, MarketEvent, StreamConfig};

/// Requests for single blocks that are on their way at once; more would only queue at the node.
const PARALLEL: usize = 8;
/// Blocks near the head that one step reads; a step is lost when a request in it fails.
const LIVE_BLOCKS: u64 = 64;
/// Looks at a head below what was delivered, on the same chain, before it is believed: behind one endpoint there may
/// be nodes that are not equally far.
const LAG_LOOKS: u32 = 20;
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
    /// The hash of the block below.
    pub parent: B256,
    /// Block time.
    pub timestamp: Timestamp,
    /// In the order of the log.
    pub events: Vec<Logged>,
}

/// One step along the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// The next block. Those older than the window are delivered only if the market logged something in them.
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
    range: u64,
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
            let pause = match self.step().await {
                Ok(true) => {
                    self.recovered();
                    continue;
                }
                Ok(false) => {
                    self.recovered();
                    self.market.chain().config().poll
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
                    self.backoff(&error)
                }
            };
            tokio::time::sleep(pause).await;
        }
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
        let head = self.market.chain().recent_head().await?;
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
            let last = (head.number - window).min(self.next.saturating_add(self.range - 1));
            return self.read_old(last).await;
        }
        let last = head.number.min(self.next.saturating_add(LIVE_BLOCKS - 1));
        self.read_live(last, head).await
    }

    /// The head is not above what was delivered: the chain was reorganised, or this node is behind.
    async fn shorter(&mut self, head: Block) -> Result<bool, ChainError> {
        let Some(&(tip, _)) = self.known.back() else {
            return Ok(false);
        };
        let same_chain = self.known.iter().any(|known| *known == (head.number, head.hash));
        if same_chain && head.number < tip {
            self.lag_looks += 1;
            if self.lag_looks < LAG_LOOKS {
                return Ok(false);
            }
        }
        self.lag_looks = 0;
        self.rewind().await
    }

    /// Finds the newest delivered block that is still on the chain and goes back to it.
    async fn rewind(&mut self) -> Result<bool, ChainError> {
        let mut keep = self.known.len();
        while let Some(&(number, hash)) = keep.checked_sub(1).and_then(|last| self.known.get(last)) {
            if self.market.chain().block(number).await?.is_some_and(|block| block.hash == hash) {
                break;
            }
            keep -= 1;
        }
        if keep == self.known.len() {
            return Ok(false);
        }
        self.known.truncate(keep);
        let to = self.known.back().map_or(self.from.saturating_sub(1), |(number, _)| *number);
        self.next = self.known.back().map_or(self.from, |(number, _)| number + 1);
        tracing::info!(to, "the chain was reorganised");
        self.ready.push_back(Item::Rewind { to });
        Ok(true)
    }

    /// Reads blocks that are too old to be reorganised: one request for all events, then the blocks that have some.
    async fn read_old(&mut self, last: u64) -> Result<bool, ChainError> {
        let filter = Filter::new().address(self.market.address()).from_block(self.next).to_block(last);
        let logs = match self.market.chain().logs(&filter).await {
            Ok(logs) => logs,
            Err(ChainError::Refused { message, .. }) if self.range > 1 => {
                tracing::debug!(message, range = self.range, "asking for the events of fewer blocks");
                self.range = (self.range / 2).max(1);
                return Ok(true);
            }
            Err(error) => return Err(error),
        };
        let mut numbers: Vec<u64> = logs.iter().filter_map(|log| log.block_number).collect();
        numbers.push(last);
        numbers.dedup();
        let blocks = self.blocks(numbers).await?;
        let mut found = Vec::with_capacity(blocks.len());
        for block in blocks {
            let mine: Vec<_> = logs.iter().filter(|log| log.block_number == Some(block.number)).cloned().collect();
            if mine.iter().any(|log| log.block_hash != Some(block.hash)) {
                return Err(changed());
            }
            found.push((block, mine));
        }
        self.deliver(found);
        Ok(true)
    }

    /// Reads blocks near the head one by one, each with exactly its own events.
    async fn read_live(&mut self, last: u64, head: Block) -> Result<bool, ChainError> {
        let blocks =
            if self.next == head.number { vec![head] } else { self.blocks((self.next..=last).collect()).await? };
        let mut below = self.known.back().filter(|(number, _)| number + 1 == self.next).map(|(_, hash)| *hash);
        for block in &blocks {
            if below.is_some_and(|hash| hash != block.parent) {
                // What was delivered is gone, or the blocks were read from two chains.
                return if self.rewind().await? { Ok(true) } else { Err(changed()) };
            }
            below = Some(block.hash);
        }
        let chain = self.market.chain();
        let address = self.market.address();
        let found: Vec<_> = stream::iter(blocks)
            .map(|block| async move {
                let filter = Filter::new().address(address).at_block_hash(block.hash);
                Ok::<_, ChainError>((block, chain.logs(&filter).await?))
            })
            .buffered(PARALLEL)
            .try_collect()
            .await?;
        self.deliver(found);
        Ok(true)
    }

    async fn blocks(&self, numbers: Vec<u64>) -> Result<Vec<Block>, ChainError> {
        let chain = self.market.chain();
        stream::iter(numbers)
            .map(|number| async move { chain.block(number).await?.ok_or_else(changed) })
            .buffered(PARALLEL)
            .try_collect()
            .await
    }

    fn deliver(&mut self, found: Vec<(Block, Vec<alloy::rpc::types::Log>)>) {
        for (block, logs) in found {
            let Block { number, hash, parent, timestamp } = block;
            let events = logs
                .into_iter()
                .filter_map(|log| {
                    let event = MarketEvent::decode(&log.inner)?;
                    Some(Logged { log_index: log.log_index?, tx: log.transaction_hash?, event })
                })
                .collect();
            self.ready.push_back(Item::Block(BlockEvents { number, hash, parent, timestamp, events }));
            self.known.push_back((number, hash));
            self.next = number + 1;
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
