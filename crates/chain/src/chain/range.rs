//! Logs of a stretch of blocks, in pieces where the node wants them so, and the blocks that they stand in.

use alloy::rpc::types::{Filter, Log};
use market::Timestamp;

use super::{BlockHeader, Chain};
use crate::ChainError;

/// Blocks of one request, once the node has refused to look through all of them.
const PIECE: u64 = 10_000;

impl Chain {
    /// What `filter` finds from block `from` to `to` or the newest, in the order of the log.
    pub(crate) async fn logs_within(
        &self,
        filter: &Filter,
        from: u64,
        to: Option<u64>,
    ) -> Result<Vec<Log>, ChainError> {
        let last = match to {
            Some(to) => to,
            None => self.head().await?.number,
        };
        let (mut next, mut range) = (from, u64::MAX);
        let mut found = Vec::new();
        while next <= last {
            let until = last.min(next.saturating_add(range - 1));
            match self.find_logs(&filter.clone().from_block(next).to_block(until)).await {
                Ok(logs) => {
                    found.extend(logs);
                    let Some(above) = until.checked_add(1) else { break };
                    next = above;
                }
                Err(ChainError::Refused { message, .. }) if until > next => {
                    tracing::debug!(message, range, "asking for the logs of fewer blocks");
                    range = PIECE.min((until - next).div_ceil(2));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Each log with its block. A log that is in none, or was taken back, is left out.
    pub(crate) async fn placed(&self, logs: Vec<Log>) -> Result<Vec<(BlockHeader, Log)>, ChainError> {
        let mut placed: Vec<(BlockHeader, Log)> = Vec::with_capacity(logs.len());
        for log in logs {
            let (Some(number), Some(hash), false) = (log.block_number, log.block_hash, log.removed) else {
                continue;
            };
            let header = match (log.block_timestamp, placed.last()) {
                (Some(timestamp), _) => BlockHeader { number, hash, timestamp: Timestamp(timestamp) },
                (None, Some((before, _))) if before.hash == hash => *before,
                (None, _) => {
                    let gone =
                        || ChainError::BadAnswer { what: "eth_getLogs", message: "a log of an unknown block".into() };
                    self.block_by_hash(hash).await?.ok_or_else(gone)?.header()
                }
            };
            placed.push((header, log));
        }
        Ok(placed)
    }
}
