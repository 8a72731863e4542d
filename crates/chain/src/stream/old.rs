//! Blocks that are too old to be reorganised: many by one request, several requests ahead of the caller.

use std::collections::VecDeque;

use alloy::{primitives::Address, rpc::types::Filter};
use futures_util::{StreamExt, TryStreamExt, stream};
use market::Timestamp;
use tokio_util::task::AbortOnDropHandle;

use super::{BlockEvents, EventStream, Logged, PARALLEL, changed};
use crate::{Chain, ChainError, MarketEvent, chain::Entry};

/// Ranges that are read at once and ahead of the caller: the node reads one, others travel and are decoded. Each holds
/// [`StreamConfig::range`](crate::StreamConfig) blocks in memory.
const AHEAD: usize = 4;

/// Events that one answer should hold, at most: some MiB, and soon enough decoded for the next to be on its way. More
/// in one answer halve the range, and a quarter of it lets it grow again.
const EVENTS_WANTED: usize = 5_000;

/// Ranges on their way, lowest first, without gaps.
#[derive(Default)]
pub(super) struct Ahead(VecDeque<Piece>);

struct Piece {
    first: u64,
    last: u64,
    blocks: AbortOnDropHandle<Result<Vec<BlockEvents>, ChainError>>,
}

impl EventStream {
    /// Reads on towards `last`, which is too old to be reorganised.
    pub(super) async fn read_old(&mut self, last: u64) -> Result<bool, ChainError> {
        let pieces = &mut self.ahead.0;
        if pieces.front().is_some_and(|piece| piece.first != self.next) {
            pieces.clear();
        }
        let mut first = pieces.back().map_or(self.next, |piece| piece.last + 1);
        while pieces.len() < AHEAD && first <= last {
            let piece_last = last.min(first.saturating_add(self.range - 1));
            let (chain, address) = (self.market.chain().clone(), self.market.address());
            let blocks = AbortOnDropHandle::new(tokio::spawn(read(chain, address, first, piece_last)));
            pieces.push_back(Piece { first, last: piece_last, blocks });
            first = piece_last + 1;
        }
        let Some(piece) = pieces.front_mut() else { return Ok(false) };
        let answer = (&mut piece.blocks).await;
        let Some(piece) = pieces.pop_front() else { return Ok(false) };
        let stopped = |error: tokio::task::JoinError| {
            let message = format!("its reading stopped: {error}");
            ChainError::BadAnswer { what: "eth_getLogs", message }
        };
        match answer.map_err(stopped)? {
            Ok(blocks) => {
                let events: usize = blocks.iter().map(|block| block.events.len()).sum();
                if events > EVENTS_WANTED {
                    self.range = (self.range / 2).max(1);
                } else if events < EVENTS_WANTED / 4 {
                    self.range = self.range.saturating_mul(2).min(self.range_max);
                }
                self.deliver(blocks);
            }
            Err(ChainError::Refused { message, .. }) if piece.first < piece.last => {
                let span = piece.last - piece.first + 1;
                tracing::debug!(message, span, "asking for the events of fewer blocks");
                self.range_max = (span / 2).max(1);
                self.range = self.range.min(self.range_max);
                self.ahead.0.clear();
            }
            Err(error) => return Err(error),
        }
        Ok(true)
    }
}

/// The blocks with events, and the last block in any case, so that it is known how far was read.
async fn read(chain: Chain, address: Address, first: u64, last: u64) -> Result<Vec<BlockEvents>, ChainError> {
    let filter = Filter::new().address(address).from_block(first).to_block(last);
    let (entries, tip) = tokio::try_join!(chain.entries(&filter), chain.block(last))?;
    let tip = tip.ok_or_else(changed)?;
    let mut blocks: Vec<BlockEvents> = Vec::new();
    let mut undated = Vec::new();
    for entry in entries {
        let (number, hash) = (entry.number(), entry.block_hash);
        if blocks.last().is_none_or(|block| block.number != number) {
            let in_order = blocks.last().map_or(first, |block| block.number) <= number && number <= last;
            if !in_order || (number == last && hash != tip.hash) {
                return Err(changed());
            }
            if entry.timestamp().is_none() {
                undated.push(blocks.len());
            }
            let timestamp = Timestamp(entry.timestamp().unwrap_or_default());
            blocks.push(BlockEvents { number, hash, parent: None, timestamp, is_old: true, events: Vec::new() });
        }
        if let Some(block) = blocks.last_mut() {
            if block.hash != hash {
                return Err(changed());
            }
            block.events.extend(logged(entry));
        }
    }
    date(&chain, &mut blocks, &undated).await?;
    match blocks.last_mut() {
        Some(block) if block.number == last => block.parent = Some(tip.parent),
        _ => blocks.push(BlockEvents {
            number: last,
            hash: tip.hash,
            parent: Some(tip.parent),
            timestamp: tip.timestamp,
            is_old: true,
            events: Vec::new(),
        }),
    }
    Ok(blocks)
}

pub(super) fn logged(entry: Entry) -> Option<Logged> {
    let (log_index, tx) = (entry.log_index(), entry.transaction_hash);
    let log = (!entry.removed).then(|| entry.log()).flatten()?;
    MarketEvent::decode(&log).map(|event| Logged { log_index, tx, event })
}

/// Asks for the times of blocks that the log did not tell.
async fn date(chain: &Chain, blocks: &mut [BlockEvents], undated: &[usize]) -> Result<(), ChainError> {
    let hashes: Vec<_> = undated.iter().map(|at| (*at, blocks[*at].hash)).collect();
    let mut dated = stream::iter(hashes)
        .map(|(at, hash)| async move {
            let block = chain.block_by_hash(hash).await?.ok_or_else(changed)?;
            Ok::<_, ChainError>((at, block.timestamp))
        })
        .buffered(PARALLEL);
    while let Some((at, timestamp)) = dated.try_next().await? {
        blocks[at].timestamp = timestamp;
    }
    Ok(())
}
