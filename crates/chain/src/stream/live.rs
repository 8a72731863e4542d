//! Blocks near the head, each with exactly its own events, and the way back when they were replaced.

use alloy::rpc::types::Filter;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{BlockEvents, EventStream, Item, PARALLEL, changed, old::logged};
use crate::{Block, ChainError};

/// Looks at a head below what was delivered, on the same chain, before it is believed: behind one endpoint there may
/// be nodes that are not equally far.
const LAG_LOOKS: u32 = 20;

impl EventStream {
    /// The head is not above what was delivered: the chain was reorganised, or this node is behind.
    pub(super) async fn shorter(&mut self, head: Block) -> Result<bool, ChainError> {
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

    /// Reads blocks near the head one by one, each with exactly its own events.
    pub(super) async fn read_live(&mut self, last: u64, head: Block) -> Result<bool, ChainError> {
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
                let Block { number, hash, parent, timestamp } = block;
                let events = chain.entries(&filter).await?.into_iter().filter_map(logged).collect();
                Ok::<_, ChainError>(BlockEvents {
                    number,
                    hash,
                    parent: Some(parent),
                    timestamp,
                    is_old: false,
                    events,
                })
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
}
