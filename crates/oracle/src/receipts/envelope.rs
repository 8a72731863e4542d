//! The envelope: a document with the places where its claims can be looked up.

use alloy_primitives::{Address, B256};
use store::{ReceiptRow, ReceiptState};
use wire::{
    SignatureBytes, WireError, document,
    receipt::{CommitBody, CommitJson, Receipt, ReceiptDocument, ReceiptKind, VERSION},
    record::CompletionRecord,
};

use crate::OracleError;

/// Where the receipts of a database are committed, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committer {
    /// The chain of the register.
    pub chain_id: u64,
    /// The register.
    pub register: Address,
    /// The key that commits now; of a receipt that another key committed, the row tells.
    pub recorder: Address,
}

/// What the register is told about a receipt: canonical JSON that names job, event and NID.
pub fn commit_body(job: B256, kind: ReceiptKind, nid: &str) -> Result<String, OracleError> {
    let body = CommitBody { job_id: job, event_type: kind, nid: nid.to_owned() };
    String::from_utf8(document(&body)?.bytes).map_err(|error| malformed("the commit", &error).into())
}

/// Puts a kept receipt into its envelope. `record` is what the agent says of the result, where it is known; it goes
/// along only if it is the record that the document names. `verify_url` is where anybody can look at a verification.
pub fn envelope(
    row: &ReceiptRow,
    committer: &Committer,
    record: Option<(CompletionRecord, SignatureBytes)>,
    verify_url: Option<String>,
) -> Result<Receipt, OracleError> {
    let kept: ReceiptDocument =
        serde_json::from_slice(&row.document).map_err(|error| malformed("a kept receipt", &error))?;
    let named = document(&kept)?;
    let record = match record {
        Some((record, signature)) if kept.metadata.output_hash == Some(document(&record)?.digest) => {
            Some((record, signature))
        }
        _ => None,
    };
    let (record, record_signature) = record.unzip();
    Ok(Receipt {
        version: VERSION,
        nid: row.nid.clone(),
        proof_hash: named.digest,
        document: kept,
        commit: place(&row.state).map(|(tx, block)| CommitJson {
            chain_id: committer.chain_id,
            register: committer.register,
            recorder: row.recorder.unwrap_or(committer.recorder),
            tx,
            block,
        }),
        from_block: row.from_block,
        to_block: row.to_block,
        record,
        record_signature,
        verify_url,
    })
}

/// Where it is committed, as far as that was seen on chain.
fn place(state: &ReceiptState) -> Option<(B256, u64)> {
    match state {
        ReceiptState::Stored | ReceiptState::Sending { .. } => None,
        ReceiptState::Mined { tx, block, .. } | ReceiptState::Committed { tx, block } => Some((*tx, *block)),
    }
}

fn malformed(what: &'static str, error: &dyn std::error::Error) -> WireError {
    WireError::Malformed { what, reason: error.to_string() }
}
