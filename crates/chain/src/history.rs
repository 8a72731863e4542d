//! What happened to one job, all at once.

use alloy::{primitives::B256, rpc::types::Filter};
use market::JobId;

use crate::{BlockHeader, ChainError, Logged, Market, MarketEvent};

impl Market {
    /// Everything that happened to a job in the blocks from `from` to `to` or the newest, in order, each event with its
    /// block. The newest blocks may still be replaced: compare with [`Chain::finalized`](crate::Chain::finalized).
    pub async fn history(
        &self,
        job: JobId,
        from: u64,
        to: Option<u64>,
    ) -> Result<Vec<(BlockHeader, Logged)>, ChainError> {
        // Every event of a job, and none of anything else, has the job's id as its first topic.
        let filter = Filter::new().address(self.address()).topic1(B256::from(job.0));
        let logs = self.chain().logs_within(&filter, from, to).await?;
        let placed = self.chain().placed(logs).await?;
        Ok(placed
            .into_iter()
            .filter_map(|(block, log)| {
                let event = MarketEvent::decode(&log.inner).filter(|event| event.job() == Some(job))?;
                Some((block, Logged { log_index: log.log_index?, tx: log.transaction_hash?, event }))
            })
            .collect())
    }
}
