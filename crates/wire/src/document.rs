//! Documents that are known by their bytes: canonical JSON (RFC 8785), their sha2-256 and their raw CIDv1.

use alloy_primitives::B256;
use cid::Cid;
use serde::Serialize;

use crate::WireError;

/// Multicodec of raw bytes.
const RAW: u64 = 0x55;
/// Multicodec of sha2-256.
const SHA2_256: u64 = 0x12;

/// A document's canonical bytes and its two names: the digest that goes on chain and the CID that finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Canonical JSON.
    pub bytes: Vec<u8>,
    /// sha2-256 of the bytes.
    pub digest: B256,
    /// The raw CIDv1 with that digest.
    pub cid: Cid,
}

/// Writes `value` canonically, so that equal values have equal names everywhere.
pub fn document(value: &impl Serialize) -> Result<Document, WireError> {
    let bytes = serde_jcs::to_vec(value)
        .map_err(|err| WireError::Malformed { what: "the document", reason: err.to_string() })?;
    let digest = B256::from_slice(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes).as_ref());
    let cid = Document::cid_of(digest)?;
    Ok(Document { bytes, digest, cid })
}

impl Document {
    /// The CID under which the document with this digest is found.
    pub fn cid_of(digest: B256) -> Result<Cid, WireError> {
        let hash = multihash::Multihash::<64>::wrap(SHA2_256, digest.as_slice())
            .map_err(|err| WireError::Malformed { what: "the digest", reason: err.to_string() })?;
        Ok(Cid::new_v1(RAW, hash))
    }
}
