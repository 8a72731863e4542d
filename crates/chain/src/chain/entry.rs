//! Log entries by the thousand: only the fields that are used, read without detours.

use alloy::{
    primitives::{Address, B256, Bytes, Log, U64},
    rpc::types::Filter,
};
use serde::Deserialize;

use super::Chain;
use crate::ChainError;

/// One log entry of a block.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    pub(crate) block_hash: B256,
    block_number: U64,
    /// Not every node tells it.
    #[serde(default)]
    block_timestamp: Option<U64>,
    pub(crate) transaction_hash: B256,
    log_index: U64,
    /// Taken back by a reorganisation; seen in subscriptions only.
    #[serde(default)]
    pub(crate) removed: bool,
}

impl Entry {
    pub(crate) fn number(&self) -> u64 {
        self.block_number.to()
    }

    pub(crate) fn timestamp(&self) -> Option<u64> {
        self.block_timestamp.map(|timestamp| timestamp.to())
    }

    pub(crate) fn log_index(&self) -> u64 {
        self.log_index.to()
    }

    /// What the contract logged; an entry has four topics at most.
    pub(crate) fn log(self) -> Option<Log> {
        Log::new(self.address, self.topics, self.data)
    }
}

impl Chain {
    /// What `filter` finds, in the order of the log.
    pub(crate) async fn entries(&self, filter: &Filter) -> Result<Vec<Entry>, ChainError> {
        self.request("eth_getLogs", (filter,)).await
    }
}
