//! A public register of statements about content (ERC-7053): who said what about which CID.

use alloy::{
    primitives::{Address, B256, keccak256},
    rpc::types::Filter,
    sol_types::SolEvent,
};
use market::Timestamp;

use crate::{Chain, ChainError, bindings::register::CommitRegister as contract};

mod recorder;
pub use recorder::Recorder;

/// One statement, as the register's log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Who said it.
    pub recorder: Address,
    /// What was said.
    pub data: String,
    /// In which transaction.
    pub tx: B256,
    /// The height of its block.
    pub block: u64,
    /// The hash of its block.
    pub block_hash: B256,
    /// Its place in the block.
    pub log_index: u64,
    /// The time of its block.
    pub at: Timestamp,
}

/// A register on one chain. Cheap to clone.
#[derive(Clone)]
pub struct Register {
    chain: Chain,
    address: Address,
}

impl std::fmt::Debug for Register {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Register({} on {:?})", self.address, self.chain)
    }
}

impl Register {
    /// Finds the register at `address`. Any contract that keeps to ERC-7053 will do; that there is one is all that can
    /// be asked of it.
    pub async fn open(chain: Chain, address: Address) -> Result<Self, ChainError> {
        if chain.code(address).await?.is_empty() {
            return Err(ChainError::NoRegister { address, chain_id: chain.id() });
        }
        Ok(Self { chain, address })
    }

    /// The contract's address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// The chain it is on.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// What was said about `nid`, by `recorder` or by anybody, in the blocks from `from` to `to` or the newest, oldest
    /// first. The newest blocks may still be replaced: compare with [`Chain::finalized`].
    pub async fn commits(
        &self,
        nid: &str,
        recorder: Option<Address>,
        from: u64,
        to: Option<u64>,
    ) -> Result<Vec<Commit>, ChainError> {
        let about = keccak256(nid);
        let filter =
            Filter::new().address(self.address).event_signature(contract::Commit::SIGNATURE_HASH).topic2(about);
        let filter = recorder.into_iter().fold(filter, |filter, recorder| filter.topic1(recorder.into_word()));
        let logs = self.chain.logs_within(&filter, from, to).await?;
        let placed = self.chain.placed(logs).await?;
        Ok(placed
            .into_iter()
            .filter_map(|(block, log)| {
                let said = contract::Commit::decode_log(&log.inner).ok()?.data;
                // A node that passes over the filter must not make one statement into another.
                let asked = said.assetCid == about && recorder.is_none_or(|recorder| recorder == said.recorder);
                (asked && log.inner.address == self.address).then_some(())?;
                Some(Commit {
                    recorder: said.recorder,
                    data: said.commitData,
                    tx: log.transaction_hash?,
                    block: block.number,
                    block_hash: block.hash,
                    log_index: log.log_index?,
                    at: block.timestamp,
                })
            })
            .collect())
    }
}
