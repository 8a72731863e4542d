//! Log entries of any contract, and what a transaction left behind.

use alloy::{
    primitives::{Address, B256, Bytes},
    rpc::types::{Filter, TransactionReceipt},
    sol_types::SolEvent,
};

use crate::{BlockHeader, Chain, ChainError, Inclusion};

/// One entry of the log, as the contract wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawLog {
    /// Who wrote it.
    pub address: Address,
    /// What it is about: the event's hash first.
    pub topics: Vec<B256>,
    /// The rest of it.
    pub data: Bytes,
    /// The block that it stands in.
    pub block: BlockHeader,
    /// The transaction that it was written in.
    pub tx: B256,
    /// Its place in the block.
    pub log_index: u64,
}

impl RawLog {
    /// `None` for an entry that is in no block, or was taken back.
    pub(crate) fn new(block: BlockHeader, log: &alloy::rpc::types::Log) -> Option<Self> {
        if log.removed {
            return None;
        }
        Some(Self {
            address: log.address(),
            topics: log.topics().to_vec(),
            data: log.inner.data.data.clone(),
            block,
            tx: log.transaction_hash?,
            log_index: log.log_index?,
        })
    }

    /// The event that it is, when it is of that type. Whose it is says [`address`](Self::address) alone.
    #[must_use]
    pub fn decode<E: SolEvent>(&self) -> Option<E> {
        E::decode_raw_log_validate(self.topics.iter().copied(), &self.data).ok()
    }
}

/// What a mined transaction did. Success means only that it did not revert: whether money moved is in its logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Where it was mined, and whether it reverted.
    pub inclusion: Inclusion,
    /// Gas that it took.
    pub gas_used: u64,
    /// What was logged in it, in order.
    pub logs: Vec<RawLog>,
}

impl Chain {
    /// What the contract at `address` logged in the blocks from `from` to `to` or the newest, in order. `topics` are
    /// compared place by place; `None` takes anything. The newest blocks may still be replaced: compare the blocks'
    /// hashes later, or ask for none above [`finalized`](Self::finalized).
    pub async fn logs(
        &self,
        address: Address,
        topics: &[Option<B256>],
        from: u64,
        to: Option<u64>,
    ) -> Result<Vec<RawLog>, ChainError> {
        let mut filter = Filter::new().address(address);
        for (place, topic) in filter.topics.iter_mut().zip(topics) {
            if let Some(topic) = topic {
                *place = (*topic).into();
            }
        }
        let found = self.logs_within(&filter, from, to).await?;
        let placed = self.placed(found).await?;
        // A node that passes over the filter must not make one entry into another.
        let asked = |log: &RawLog| {
            let fits =
                |(place, topic): (usize, &Option<B256>)| topic.is_none() || log.topics.get(place) == topic.as_ref();
            log.address == address && topics.iter().enumerate().all(fits)
        };
        Ok(placed.iter().filter_map(|(block, log)| RawLog::new(*block, log)).filter(asked).collect())
    }

    /// What became of a transaction; `None` while it is not mined.
    pub async fn look_up(&self, tx: B256) -> Result<Option<Receipt>, ChainError> {
        let Some(receipt) = self.receipt(tx).await? else { return Ok(None) };
        let Some(inclusion) = Inclusion::of(&receipt) else { return Ok(None) };
        let gas_used = receipt.gas_used;
        let placed = self.placed(receipt.inner.logs().to_vec()).await?;
        let logs = placed.iter().filter_map(|(block, log)| RawLog::new(*block, log)).collect();
        Ok(Some(Receipt { inclusion, gas_used, logs }))
    }
}

impl Inclusion {
    pub(crate) fn of(receipt: &TransactionReceipt) -> Option<Self> {
        let (block, block_hash) = (receipt.block_number?, receipt.block_hash?);
        Some(Self { block, block_hash, succeeded: receipt.status() })
    }
}
