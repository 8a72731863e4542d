//! Completion records: kept under the digest that stands on chain, so that everybody finds them, each with its agent's
//! signature beside it.

use std::sync::Arc;

use alloy_primitives::B256;
use content::{Block, BlockStore};
use market::JobId;
use serde::{Deserialize, Serialize};
use wire::{Document, SignatureBytes, document, record::CompletionRecord};

use crate::state::Shared;

/// What is kept beside a record: who signs gives the same record a signature of his own.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Attested {
    record: String,
    job_id: B256,
    signature: SignatureBytes,
}

/// Keeps what the chain has confirmed, forgets what it has refuted; the rest waits.
pub(super) async fn settle(shared: &Shared) {
    for (job, (record, signature)) in shared.watch.completed() {
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
        match tokio::task::spawn_blocking(move || keep(&blocks, job, record, signature)).await {
            Ok(Ok(())) => {
                tracing::debug!(%job, %cid, "a completion record is kept");
                shared.watch.settled(job, digest);
            }
            Ok(Err(error)) => tracing::warn!(%job, %error, "a completion record cannot be kept; it is tried again"),
            Err(error) => tracing::warn!(%job, %error, "a completion record cannot be kept; it is tried again"),
        }
    }
}

fn keep(blocks: &Arc<BlockStore>, job: JobId, record: Document, signature: SignatureBytes) -> content::Result<()> {
    let root = record.cid;
    blocks.put(Block::verified(root, record.bytes)?)?;
    blocks.pin(&format!("record:{job}"), &root)?;
    let attested = Attested { record: root.to_string(), job_id: B256::from(job.0), signature };
    // Every part has a JSON form.
    let Ok(attested) = document(&attested) else {
        return Ok(());
    };
    let cid = attested.cid;
    blocks.put(Block::verified(cid, attested.bytes)?)?;
    blocks.pin(&beside(job), &cid)
}

/// The completion record of a job whose digest stands on chain, with its agent's signature; none where it was not kept.
/// Reads at most a few blocks, and the names of others' pins begin otherwise.
pub(crate) fn kept(blocks: &BlockStore, job: JobId, on_chain: B256) -> Option<(CompletionRecord, SignatureBytes)> {
    let read = |cid: &cid::Cid| blocks.get(cid).ok().flatten();
    blocks.pinned_by(&beside(job)).iter().find_map(|cid| {
        let attested: Attested = serde_json::from_slice(&read(cid)?).ok()?;
        let record: CompletionRecord =
            serde_json::from_slice(&read(&content::parse_cid(&attested.record).ok()?)?).ok()?;
        (document(&record).ok()?.digest == on_chain).then_some((record, attested.signature))
    })
}

/// The name under which the signature is pinned.
fn beside(job: JobId) -> String {
    format!("attested:{job}")
}
