//! Completion records: kept under the digest that stands on chain, so that everybody finds them.

use std::sync::Arc;

use content::{Block, BlockStore};
use market::JobId;
use wire::Document;

use crate::state::Shared;

/// Keeps what the chain has confirmed, forgets what it has refuted; the rest waits.
pub(super) async fn settle(shared: &Shared) {
    for (job, record) in shared.watch.completed() {
        let row = match shared.store.job(job).await {
            Ok(row) => row,
            Err(error) => {
                tracing::debug!(%error, "completion records wait: the store does not answer");
                return;
            }
        };
        let Some(on_chain) = row.and_then(|row| row.result_digest) else {
            continue;
        };
        if on_chain != record.digest {
            tracing::warn!(%job, "a completion record is not the one whose digest stands on chain");
            shared.watch.settled(job, record.digest);
            continue;
        }
        let (blocks, cid, digest) = (shared.blocks.clone(), record.cid, record.digest);
        match tokio::task::spawn_blocking(move || keep(&blocks, job, record)).await {
            Ok(Ok(())) => {
                tracing::debug!(%job, %cid, "a completion record is kept");
                shared.watch.settled(job, digest);
            }
            Ok(Err(error)) => tracing::warn!(%job, %error, "a completion record cannot be kept; it is tried again"),
            Err(error) => tracing::warn!(%job, %error, "a completion record cannot be kept; it is tried again"),
        }
    }
}

fn keep(blocks: &Arc<BlockStore>, job: JobId, record: Document) -> content::Result<()> {
    let block = Block::verified(record.cid, record.bytes)?;
    blocks.put(block)?;
    blocks.pin(&format!("record:{job}"), &record.cid)
}
