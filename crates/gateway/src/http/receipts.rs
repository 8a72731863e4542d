//! Receipts: what is proven of jobs, and checking it.

pub(crate) mod list;
pub(crate) mod page;
pub(crate) mod show;
pub(crate) mod timeline;
pub(crate) mod verify;

use alloy_primitives::Address;
use axum::{
    extract::{FromRequestParts, Path},
    http::{HeaderMap, request::Parts},
};
use market::JobId;
use oracle::{
    OracleError,
    receipts::{Committer, envelope},
};
use store::{ReceiptRow, ReceiptState};
use wire::{
    SignatureBytes, document,
    feed::{JobEvent, JobNews},
    http::ToClient,
    receipt::Receipt,
    record::CompletionRecord,
};

use crate::{GatewayError, auth::origins, feed::Read, http::page::malformed, state::Shared, watcher::kept};

/// News of a job that are looked through at once for its end.
const LOOK: usize = 512;

/// The `{nid}` of a path: a CID as it is written in receipts.
pub(crate) struct Nid(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for Nid {
    type Rejection = GatewayError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, GatewayError> {
        let text = Path::<String>::from_request_parts(parts, state).await.map(|Path(text)| text).unwrap_or_default();
        nid(&text).map(Self).ok_or_else(|| malformed("nid", "a NID is the CID of a receipt, like bafkrei…"))
    }
}

/// A NID as it is kept, however its CID is spelled.
fn nid(text: &str) -> Option<String> {
    content::parse_cid(text).ok().map(|cid| cid.to_string())
}

/// The receipt with this NID.
async fn found(shared: &Shared, nid: &str) -> Result<ReceiptRow, GatewayError> {
    let row = shared.store.receipt_by_nid(nid).await?;
    row.ok_or_else(|| GatewayError::NotFound {
        what: format!(
            "there is no receipt {nid} here; a receipt is kept once the events of its job are final, and \
             GET /api/v1/jobs/timeline/{{jobId}} lists those of a job"
        ),
    })
}

/// A receipt as it travels. `record` is what the agent says of the result.
fn told(
    shared: &Shared,
    headers: &HeaderMap,
    mut row: ReceiptRow,
    record: Option<(CompletionRecord, SignatureBytes)>,
) -> Result<Receipt, GatewayError> {
    let committer = committer(shared).unwrap_or_else(|| {
        // Nobody commits here: there is no place to name.
        row.state = ReceiptState::Stored;
        Committer { chain_id: shared.market.chain().id(), register: Address::ZERO, recorder: Address::ZERO }
    });
    let origins = origins(shared.public_url.as_ref(), headers);
    let url = origins.last().map(|origin| format!("{origin}/api/v1/receipts/{}/verify", row.nid));
    envelope(&row, &committer, record, url).map_err(of_oracle)
}

/// Where the receipts of this market are committed, and by whom.
fn committer(shared: &Shared) -> Option<Committer> {
    let (register, recorder) = (shared.register?, shared.recorder?);
    Some(Committer { chain_id: shared.market.chain().id(), register, recorder })
}

/// What the agent said at the end of the job, with its signature: as the chain confirmed it, or else as far as the job's
/// news are held.
async fn record(shared: &Shared, job: JobId) -> Result<Option<(CompletionRecord, SignatureBytes)>, GatewayError> {
    let Some(on_chain) = shared.store.job(job).await?.and_then(|row| row.result_digest) else {
        return Ok(heard(shared, job));
    };
    let blocks = shared.blocks.clone();
    let kept = tokio::task::spawn_blocking(move || kept(&blocks, job, on_chain)).await;
    let is_confirmed = |(record, _): &(CompletionRecord, SignatureBytes)| {
        document(record).is_ok_and(|document| document.digest == on_chain)
    };
    Ok(kept.unwrap_or_default().or_else(|| heard(shared, job).filter(is_confirmed)))
}

fn heard(shared: &Shared, job: JobId) -> Option<(CompletionRecord, SignatureBytes)> {
    let mut after = 0;
    loop {
        match shared.feeds.read(job, after, LOOK) {
            Read::Behind { oldest } if oldest > after + 1 => after = oldest - 1,
            Read::Events { texts, upto } if !texts.is_empty() => {
                let ends = texts.iter().filter(|text| text.as_str().contains("JOB_COMPLETED"));
                if let Some(found) = ends.filter_map(|text| ending(text)).next_back() {
                    return Some(found);
                }
                after = upto;
            }
            _ => return None,
        }
    }
}

fn ending(text: &str) -> Option<(CompletionRecord, SignatureBytes)> {
    let Ok(ToClient::News { event: JobEvent { news, .. }, .. }) = serde_json::from_str(text) else {
        return None;
    };
    match news {
        JobNews::JobCompleted { record, signature } => Some((record, signature)),
        _ => None,
    }
}

fn of_oracle(error: OracleError) -> GatewayError {
    match error {
        OracleError::Chain(error) => GatewayError::Chain { reason: error.to_string() },
        OracleError::Store(error) => error.into(),
        other => GatewayError::Unavailable { what: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nid_has_one_spelling() {
        let nid_text = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
        assert_eq!(nid(nid_text).as_deref(), Some(nid_text));
        for bad in ["", "x", "0x00", "' OR 1=1", "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5", "ß"] {
            assert_eq!(nid(bad), None, "{bad}");
        }
    }
}
