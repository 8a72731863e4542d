//! What a client sends with its request.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::offer::null_is_empty;
use super::{BatchPayload, ExactPayload, Network, Requirements, ResourceInfo, Version, header};
use crate::WireError;

/// A payment of version 2, in the header `PAYMENT-SIGNATURE`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentV2 {
    /// 2.
    pub x402_version: Version<2>,
    /// What is paid for, as the server called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceInfo>,
    /// The offer that is taken. Never trust it for the price: compare it with what was offered.
    pub accepted: Requirements,
    /// What the scheme asks for.
    pub payload: Value,
    /// Extensions by name.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Map::is_empty")]
    pub extensions: Map<String, Value>,
}

/// A payment of version 1, in the header `X-PAYMENT`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentV1 {
    /// 1.
    pub x402_version: Version<1>,
    /// The scheme.
    pub scheme: String,
    /// The chain, as version 1 calls it.
    pub network: String,
    /// What the scheme asks for.
    pub payload: Value,
}

/// A payment of either version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "a request carries one")]
pub enum Payment {
    /// Version 1.
    V1(PaymentV1),
    /// Version 2.
    V2(PaymentV2),
}

const WHAT: &str = "the payment";

impl Payment {
    /// Reads the payment of a request from its two headers; nothing when it has neither. Version 2 goes first.
    pub fn of_headers(payment_signature: Option<&str>, x_payment: Option<&str>) -> Result<Option<Self>, WireError> {
        match (payment_signature, x_payment) {
            (Some(text), _) => header::decode(WHAT, text).map(Self::V2).map(Some),
            (None, Some(text)) => header::decode(WHAT, text).map(Self::V1).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// Reads it from JSON, where its own number tells which version it is.
    pub fn of_json(value: Value) -> Result<Self, WireError> {
        match value.get("x402Version").and_then(Value::as_u64) {
            Some(1) => from_value(value).map(Self::V1),
            Some(2) => from_value(value).map(Self::V2),
            _ => Err(WireError::field("paymentPayload.x402Version", "it is neither 1 nor 2")),
        }
    }

    /// 1 or 2.
    #[must_use]
    pub fn version(&self) -> u8 {
        match self {
            Self::V1(_) => 1,
            Self::V2(_) => 2,
        }
    }

    /// The scheme that it names.
    #[must_use]
    pub fn scheme(&self) -> &str {
        match self {
            Self::V1(payment) => &payment.scheme,
            Self::V2(payment) => &payment.accepted.scheme,
        }
    }

    /// The chain that it names; nothing where version 1 names one that nobody knows.
    #[must_use]
    pub fn network(&self) -> Option<Network> {
        match self {
            Self::V1(payment) => Network::of_v1(&payment.network),
            Self::V2(payment) => Some(payment.accepted.network),
        }
    }

    /// Whether it was made for `offer`. Version 1 echoes scheme and chain only.
    #[must_use]
    pub fn is_for(&self, offer: &Requirements) -> bool {
        match self {
            Self::V1(_) => self.scheme() == offer.scheme && self.network() == Some(offer.network),
            Self::V2(payment) => offer.is_echoed_by(&payment.accepted),
        }
    }

    /// What `exact` asks for.
    pub fn exact(&self) -> Result<ExactPayload, WireError> {
        self.payload().and_then(from_value)
    }

    /// What `batch-settlement` asks for.
    pub fn batch(&self) -> Result<BatchPayload, WireError> {
        self.payload().and_then(from_value)
    }

    /// Extensions by name, in version 2.
    #[must_use]
    pub fn extensions(&self) -> Option<&Map<String, Value>> {
        match self {
            Self::V1(_) => None,
            Self::V2(payment) => Some(&payment.extensions),
        }
    }

    fn payload(&self) -> Result<Value, WireError> {
        match self {
            Self::V1(PaymentV1 { payload, .. }) | Self::V2(PaymentV2 { payload, .. }) => Ok(payload.clone()),
        }
    }
}

impl<'de> Deserialize<'de> for Payment {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::of_json(Value::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, WireError> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| WireError::Malformed { what: WHAT, reason: format!("at {}: {}", error.path(), error.inner()) })
}
