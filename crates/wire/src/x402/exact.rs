//! `exact` on EVM chains: an EIP-3009 authorization for exactly the price.

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Serialize};

use super::{decimal, typed};

/// The longest signature: contract wallets wrap theirs, and theirs alone are longer than 65 bytes.
pub const SIGNATURE_BYTES_MAX: usize = 4 << 10;

/// What `exact` carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExactPayload {
    /// Over the authorization: 65 bytes by a key, anything by a contract wallet.
    pub signature: Bytes,
    /// Who pays whom.
    pub authorization: Authorization,
}

/// EIP-3009 `TransferWithAuthorization`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorization {
    /// Pays.
    pub from: Address,
    /// Is paid.
    pub to: Address,
    /// Smallest units.
    #[serde(with = "decimal")]
    pub value: u128,
    /// Valid later than this, Unix seconds.
    #[serde(with = "decimal")]
    pub valid_after: u128,
    /// Valid earlier than this, Unix seconds.
    #[serde(with = "decimal")]
    pub valid_before: u128,
    /// Used once per payer and token.
    pub nonce: B256,
}

impl Authorization {
    /// As it is signed.
    #[must_use]
    pub fn typed(&self) -> typed::TransferWithAuthorization {
        typed::TransferWithAuthorization {
            from: self.from,
            to: self.to,
            value: U256::from(self.value),
            validAfter: U256::from(self.valid_after),
            validBefore: U256::from(self.valid_before),
            nonce: self.nonce,
        }
    }
}
