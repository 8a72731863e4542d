//! What servers and facilitators answer.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::offer::null_is_empty;
use super::{Network, Payment, Requirements, RequirementsV1};
use crate::WireError;

/// What became of a payment: the header `PAYMENT-RESPONSE`, and the answer of `/settle`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SettleResponse {
    /// The money is there, or is sure to come.
    pub success: bool,
    /// Hash of the transaction; empty when none was sent.
    #[serde(default)]
    pub transaction: String,
    /// The chain, as the payment called it.
    #[serde(default)]
    pub network: String,
    /// Who paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<Address>,
    /// Smallest units that moved; empty when a voucher was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// A code of [`reason`](super::reason).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_reason: Option<String>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// What the scheme tells beside.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
    /// Extensions by name.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Map::is_empty")]
    pub extensions: Map<String, Value>,
}

impl SettleResponse {
    /// No money moved.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "numbers and words alike are handed over as they are made")]
    pub fn failed(network: impl ToString, payer: Option<Address>, reason: &str, message: impl ToString) -> Self {
        Self {
            network: network.to_string(),
            payer,
            error_reason: Some(reason.to_owned()),
            error_message: Some(message.to_string()),
            ..Self::default()
        }
    }
}

/// The answer of `/verify`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyResponse {
    /// The payment would be taken now.
    pub is_valid: bool,
    /// A code of [`reason`](super::reason).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid_reason: Option<String>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid_message: Option<String>,
    /// Who pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<Address>,
    /// What the scheme tells beside.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

/// The body of `/verify` and `/settle`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FacilitatorRequest {
    /// 1 or 2.
    pub x402_version: u8,
    /// What the client sent.
    pub payment_payload: Payment,
    /// What the server had asked for; of version 1 or 2 like the payment.
    pub payment_requirements: Value,
}

impl FacilitatorRequest {
    /// What the server had asked for, as version 2 has it.
    pub fn requirements(&self) -> Result<Requirements, WireError> {
        let what = "paymentRequirements";
        let malformed = |error: serde_json::Error| WireError::Malformed { what, reason: error.to_string() };
        match self.payment_payload {
            Payment::V2(_) => serde_json::from_value(self.payment_requirements.clone()).map_err(malformed),
            Payment::V1(_) => {
                let told: RequirementsV1 =
                    serde_json::from_value(self.payment_requirements.clone()).map_err(malformed)?;
                told.to_v2().ok_or_else(|| WireError::field("paymentRequirements.network", "it is no known chain"))
            }
        }
    }
}

/// The answer of `/supported`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Supported {
    /// What can be verified and settled.
    pub kinds: Vec<Kind>,
    /// Extensions by name.
    #[serde(default)]
    pub extensions: Vec<String>,
    /// Who sends transactions, by family of chains.
    #[serde(default)]
    pub signers: BTreeMap<String, Vec<Address>>,
}

/// One thing that can be verified and settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kind {
    /// 1 or 2.
    pub x402_version: u8,
    /// The scheme.
    pub scheme: String,
    /// The chain, as that version calls it.
    pub network: String,
    /// What servers need to know of it.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

impl Kind {
    /// A scheme of version 2.
    #[must_use]
    pub fn v2(scheme: &str, network: Network, extra: Map<String, Value>) -> Self {
        Self { x402_version: 2, scheme: scheme.to_owned(), network: network.to_string(), extra }
    }

    /// The same in version 1, where that has a name for the chain.
    #[must_use]
    pub fn v1(scheme: &str, network: Network) -> Option<Self> {
        let network = network.v1_name()?.to_owned();
        Some(Self { x402_version: 1, scheme: scheme.to_owned(), network, extra: Map::new() })
    }
}
