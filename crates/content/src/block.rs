//! CIDs and blocks: bytes under the name that their SHA-256 gives them.

use aws_lc_rs::digest::{Context, SHA256, digest};
use bytes::Bytes;
use cid::Cid;
use multihash::Multihash;

use crate::error::{Error, Result};

/// Multicodec of a block without structure.
pub const RAW: u64 = 0x55;
/// Multicodec of a dag-pb node.
pub const DAG_PB: u64 = 0x70;
/// Multihash code of SHA2-256.
pub(crate) const SHA2_256: u64 = 0x12;
/// Multihash code of "the digest is the data".
pub(crate) const IDENTITY: u64 = 0x00;

/// The largest block: the most that every IPFS implementation must accept.
pub const BLOCK_BYTES_MAX: usize = 2 << 20;
/// The most data that a CID may carry in itself (IPIP-0512).
pub const IDENTITY_BYTES_MAX: usize = 128;

/// A SHA-256 digest, the key of everything stored.
pub type Digest = [u8; 32];

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> Digest {
    to_digest(digest(&SHA256, bytes).as_ref())
}

/// A SHA-256 that is fed piece by piece.
#[derive(Clone)]
pub struct Sha256(Context);

impl Default for Sha256 {
    fn default() -> Self {
        Self(Context::new(&SHA256))
    }
}

impl Sha256 {
    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of everything added.
    pub fn finish(self) -> Digest {
        to_digest(self.0.finish().as_ref())
    }
}

fn to_digest(bytes: &[u8]) -> Digest {
    let mut out = [0; 32];
    out.copy_from_slice(bytes);
    out
}

/// Lower-case hexadecimal, as OCI digests are written.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

/// The CIDv1 of a digest under a codec.
pub(crate) fn cid_of(codec: u64, digest: &Digest) -> Cid {
    // 32 bytes always fit the 64 of a CID's multihash, so the fallback is never taken.
    Cid::new_v1(codec, Multihash::wrap(SHA2_256, digest).unwrap_or_default())
}

/// Reads a CID from text; only what [`check_cid`] accepts.
pub fn parse_cid(text: &str) -> Result<Cid> {
    let cid = Cid::try_from(text).map_err(|error| Error::BadCid { reason: error.to_string() })?;
    check_cid(&cid)?;
    Ok(cid)
}

/// Whether this crate can verify and read the block that `cid` names.
pub fn check_cid(cid: &Cid) -> Result<()> {
    let bad = |reason: String| Err(Error::BadCid { reason });
    if cid.codec() != RAW && cid.codec() != DAG_PB {
        return bad(format!("codec {:#x} is neither raw nor dag-pb", cid.codec()));
    }
    match (cid.hash().code(), cid.hash().digest().len()) {
        (SHA2_256, 32) => Ok(()),
        (IDENTITY, length) if length <= IDENTITY_BYTES_MAX => Ok(()),
        (IDENTITY, length) => bad(format!("{length} bytes within the CID are more than {IDENTITY_BYTES_MAX}")),
        (code, _) => bad(format!("hash {code:#x} is not sha2-256")),
    }
}

/// The digest under which the block of `cid` is stored.
pub(crate) fn digest_of(cid: &Cid) -> Result<Digest> {
    if cid.hash().code() != SHA2_256 || cid.hash().digest().len() != 32 {
        return Err(Error::BadCid { reason: format!("hash {:#x} is not sha2-256", cid.hash().code()) });
    }
    Ok(to_digest(cid.hash().digest()))
}

/// The data of a CID that carries its data in itself.
pub(crate) fn identity_data(cid: &Cid) -> Option<Bytes> {
    (cid.hash().code() == IDENTITY).then(|| Bytes::copy_from_slice(cid.hash().digest()))
}

/// Bytes together with the CID that was computed from them; it cannot be built with another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    cid: Cid,
    data: Bytes,
}

impl Block {
    /// Hashes `data` into a block of `codec`; fails above [`BLOCK_BYTES_MAX`].
    pub fn new(codec: u64, data: impl Into<Bytes>) -> Result<Block> {
        let data = data.into();
        check_size(data.len())?;
        Ok(Block { cid: cid_of(codec, &sha256(&data)), data })
    }

    /// Takes bytes that somebody says are `cid`; fails with [`Error::Corrupt`] where they are not.
    pub fn verified(cid: Cid, data: impl Into<Bytes>) -> Result<Block> {
        let data = data.into();
        check_size(data.len())?;
        check_cid(&cid)?;
        let matches = match identity_data(&cid) {
            Some(own) => own == data,
            None => sha256(&data) == digest_of(&cid)?,
        };
        if matches { Ok(Block { cid, data }) } else { Err(Error::Corrupt { cid }) }
    }

    /// Its name.
    pub fn cid(&self) -> &Cid {
        &self.cid
    }

    /// Its bytes.
    pub fn data(&self) -> &Bytes {
        &self.data
    }
}

fn check_size(length: usize) -> Result<()> {
    if length > BLOCK_BYTES_MAX {
        return Err(Error::TooLarge { what: "a block", limit: BLOCK_BYTES_MAX as u64 });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cid_of_known_bytes() {
        let block = Block::new(RAW, "hello world").unwrap();
        assert_eq!(block.cid().to_string(), "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e");
        assert!(Block::verified(*block.cid(), "hello world").is_ok());
        assert!(matches!(Block::verified(*block.cid(), "hello World"), Err(Error::Corrupt { .. })));
    }

    #[test]
    fn odd_cids_are_refused() {
        assert!(parse_cid("bafkqaaa").is_ok(), "the empty identity CID");
        assert!(parse_cid("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn").is_ok(), "version 0 can be read");
        for bad in ["", "hello", "bafyreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje", "../etc"] {
            assert!(parse_cid(bad).is_err(), "{bad}");
        }
        let blake3 = Cid::new_v1(RAW, Multihash::wrap(0x1e, &[0; 32]).unwrap());
        assert!(check_cid(&blake3).is_err());
        let fat = Cid::new_v1(RAW, Multihash::wrap(SHA2_256, &[0; 31]).unwrap());
        assert!(check_cid(&fat).is_err());
    }

    #[test]
    fn the_largest_block_is_two_mebibytes() {
        assert!(Block::new(RAW, vec![0; BLOCK_BYTES_MAX]).is_ok());
        assert!(matches!(Block::new(RAW, vec![0; BLOCK_BYTES_MAX + 1]), Err(Error::TooLarge { .. })));
    }
}
