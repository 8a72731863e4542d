//! Statements that a key signs (EIP-712), each with its own type, bound to one chain and one Market contract.

use std::{fmt, str::FromStr};

use alloy_primitives::{Address, B256, Signature, hex};
use alloy_sol_types::{Eip712Domain, SolStruct, sol};
use serde::{Deserialize, Serialize, de};

use crate::WireError;

/// A statement about "now" is accepted for this long; longer than a slow relay, shorter than a stolen one is useful.
pub const FRESH_S: u64 = 120;

sol! {
    /// The controller lets the clock of a job start. Checked by the contract.
    #[derive(Debug, PartialEq, Eq)]
    struct Ready { bytes32 jobId; bytes32 readyRecord; uint40 at; }

    /// The agent agrees to sell more seconds of a running job. Checked by the contract.
    #[derive(Debug, PartialEq, Eq)]
    struct Extend { bytes32 jobId; uint24 extraSeconds; uint40 expiry; }

    /// An agent opens its link to a gateway, answering the gateway's nonce. `gateway` is the origin that it dialled, as
    /// browsers write one: `https://host`, with `:port` where it is not the scheme's own; no other gateway can use it.
    #[derive(Debug, PartialEq, Eq)]
    struct Hello { bytes32 nonce; string gateway; address agent; bytes32[] resources; }

    /// An agent is alive and still runs these jobs.
    #[derive(Debug, PartialEq, Eq)]
    struct Beat {
        address agent;
        uint40 at;
        bytes32[] jobs;
        uint16 utilisationPct;
        uint32 memoryMib;
        uint16 temperatureC;
        uint32 powerW;
        uint40 uptimeS;
    }

    /// Renter or controller reads a job's feed.
    #[derive(Debug, PartialEq, Eq)]
    struct Watch { bytes32 jobId; uint40 at; }

    /// Somebody stores content at a gateway.
    #[derive(Debug, PartialEq, Eq)]
    struct Upload { string root; uint40 at; }

    /// An agent vouches for a document whose sha2-256 this is.
    #[derive(Debug, PartialEq, Eq)]
    struct Attest { bytes32 jobId; bytes32 digest; }

    /// An oracle asks for a proof of GPU: what is to be computed follows from the digest of this statement. `card` is
    /// the card's identity, `group` is the same for cards that are asked at once, else zero.
    #[derive(Debug, PartialEq, Eq)]
    struct GpuChallenge {
        bytes32 nonce;
        address agent;
        bytes32 card;
        bytes32 group;
        uint32 size;
        uint32 rounds;
        uint32 deadlineMs;
        uint40 at;
    }

    /// An agent answers the challenge with this digest.
    #[derive(Debug, PartialEq, Eq)]
    struct GpuAnswer { bytes32 challenge; bytes32 card; bytes32 root; }

    /// An oracle vouches for a report of a proof of GPU whose sha2-256 this is.
    #[derive(Debug, PartialEq, Eq)]
    struct GpuReport { bytes32 digest; }
}

/// The chain and contract that signatures are bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The chain's id.
    pub chain_id: u64,
    /// The Market contract.
    pub market: Address,
}

impl Domain {
    /// The 32 bytes that a key signs for `statement`.
    pub fn signing_hash(&self, statement: &impl SolStruct) -> B256 {
        statement.eip712_signing_hash(&Eip712Domain::new(
            Some("Bourse Market".into()),
            Some("1".into()),
            Some(alloy_primitives::U256::from(self.chain_id)),
            Some(self.market),
            None,
        ))
    }

    /// Who signed `statement`.
    pub fn signer(&self, statement: &impl SolStruct, signature: &SignatureBytes) -> Option<Address> {
        signature.recover(self.signing_hash(statement))
    }

    /// Checks that `expected` signed `statement`.
    pub fn verify<S: SolStruct>(
        &self,
        statement: &S,
        signature: &SignatureBytes,
        expected: Address,
    ) -> Result<(), WireError> {
        match self.signer(statement, signature) {
            Some(signer) if signer == expected => Ok(()),
            other => Err(WireError::Signer {
                what: S::NAME,
                found: other.map_or_else(|| "nobody (malformed)".into(), |signer| signer.to_string()),
                expected: expected.to_string(),
            }),
        }
    }
}

/// Checks that something signed `at` is about now.
pub fn fresh(what: &'static str, at: u64, now: u64) -> Result<(), WireError> {
    if at.abs_diff(now) <= FRESH_S {
        return Ok(());
    }
    let age_s = i64::try_from(now).unwrap_or(i64::MAX).saturating_sub(i64::try_from(at).unwrap_or(i64::MAX));
    Err(WireError::Stale { what, age_s, window_s: FRESH_S })
}

/// 65 bytes r‖s‖v with v 27 or 28 and s in the lower half of the curve's order (EIP-2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SignatureBytes(pub [u8; 65]);

impl SignatureBytes {
    /// Who signed `text` as wallets sign texts (EIP-191 `personal_sign`).
    #[must_use]
    pub fn signer_of_message(&self, text: &str) -> Option<Address> {
        self.recover(alloy_primitives::eip191_hash_message(text))
    }

    /// Who signed these 32 bytes.
    #[must_use]
    pub fn signer_of_hash(&self, hash: B256) -> Option<Address> {
        self.recover(hash)
    }

    fn recover(&self, hash: B256) -> Option<Address> {
        if !matches!(self.0[64], 27 | 28) {
            return None;
        }
        let signature = Signature::from_raw_array(&self.0).ok()?;
        if signature.normalize_s().is_some() {
            return None;
        }
        signature.recover_address_from_prehash(&hash).ok()
    }
}

impl From<Signature> for SignatureBytes {
    fn from(signature: Signature) -> Self {
        Self(signature.as_bytes())
    }
}

impl fmt::Display for SignatureBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode_prefixed(self.0))
    }
}

impl fmt::Debug for SignatureBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for SignatureBytes {
    type Err = hex::FromHexError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 65];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl Serialize for SignatureBytes {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SignatureBytes {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(|_| de::Error::custom("a signature is 65 bytes in hex"))
    }
}
