//! Signing in with a wallet (EIP-4361).

use alloy_primitives::{Address, B256};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /api/v1/auth/siwe/nonce`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NonceBody {
    /// Who will sign; with it the answer carries a message ready to be signed.
    #[serde(default)]
    #[schema(value_type = Option<crate::schema::Account>)]
    pub address: Option<Address>,
}

/// A nonce that opens one session, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NonceJson {
    /// Goes into the message.
    pub nonce: String,
    /// What the message must name as its domain.
    pub domain: String,
    /// What the message must name as its URI.
    pub uri: String,
    /// What the message must name as its chain.
    pub chain_id: u64,
    /// The nonce is good until then.
    pub expires_at: Timestamp,
    /// The message to sign, when the request named who signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// `POST /api/v1/auth/siwe/verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyBody {
    /// The EIP-4361 message as it was signed.
    pub message: String,
    /// 65 bytes in hex, EIP-191 `personal_sign`.
    pub signature: String,
}

/// A session. Browsers get the same token as a cookie.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionJson {
    /// For programs: `Authorization: Bearer …`. Whoever has it is the address.
    pub token: String,
    /// Who signed in.
    #[schema(value_type = crate::schema::Account)]
    pub address: Address,
    /// Good until then.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for SessionJson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SessionJson({} until {})", self.address, self.expires_at)
    }
}

/// `GET /api/v1/auth/me`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MeJson {
    /// Who is signed in. Of somebody with a password: the last 20 bytes of his account, which no key signs for.
    #[schema(value_type = crate::schema::Account)]
    pub address: Address,
    /// Whose money it is: 32 bytes, as `Till.deposit` takes them.
    #[schema(value_type = crate::schema::Hash)]
    pub account: B256,
    /// What the account is called, where it has a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Wallets that proved to belong to the account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<crate::schema::Account>)]
    pub wallets: Vec<Address>,
    /// Until when.
    pub expires_at: Timestamp,
}
