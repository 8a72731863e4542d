//! What a server asks for.

use alloy_primitives::Address;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{EXACT, Network, TRANSFER_METHOD, Version, decimal};

/// A 402 of version 2, in the header `PAYMENT-REQUIRED`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRequired {
    /// 2.
    pub x402_version: Version<2>,
    /// Why this answer is a 402: a code of [`reason`](super::reason), or words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What is for sale.
    pub resource: ResourceInfo,
    /// Ways to pay; each pays for it alone. Those that cannot be read are left out.
    #[serde(deserialize_with = "readable")]
    pub accepts: Vec<Requirements>,
    /// Extensions by name.
    #[serde(default, deserialize_with = "null_is_empty", skip_serializing_if = "Map::is_empty")]
    pub extensions: Map<String, Value>,
}

/// What is for sale.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceInfo {
    /// Its address.
    pub url: String,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What its answer is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Who serves it, at most 32 printable ASCII characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_name: Option<String>,
    /// At most five words of at most 32 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
}

/// One way to pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Requirements {
    /// [`EXACT`](super::EXACT), [`BATCH_SETTLEMENT`](super::BATCH_SETTLEMENT), or one that is not known here.
    pub scheme: String,
    /// The chain.
    pub network: Network,
    /// Smallest units.
    #[serde(with = "decimal")]
    pub amount: u128,
    /// The token.
    #[serde(serialize_with = "checksummed")]
    pub asset: Address,
    /// Who is paid.
    #[serde(serialize_with = "checksummed")]
    pub pay_to: Address,
    /// How long a payment may take, in seconds.
    pub max_timeout_seconds: u64,
    /// What the scheme needs beside; for EIP-3009 the token's EIP-712 `name` and `version`.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub extra: Map<String, Value>,
}

impl Requirements {
    /// Whether `accepted`, as a client echoes it, is this offer: equal by value, where addresses and hashes have no
    /// case. A client may know more in `extra` than was asked, never less.
    #[must_use]
    pub fn is_echoed_by(&self, accepted: &Self) -> bool {
        let plain = self.scheme == accepted.scheme
            && self.network == accepted.network
            && self.amount == accepted.amount
            && self.asset == accepted.asset
            && self.pay_to == accepted.pay_to
            && self.max_timeout_seconds == accepted.max_timeout_seconds;
        let told = |(key, value): (&String, &Value)| accepted.extra.get(key).is_some_and(|other| same(value, other));
        plain && self.extra.iter().all(told)
    }

    /// A text in `extra`.
    #[must_use]
    pub fn extra_str(&self, key: &str) -> Option<&str> {
        self.extra.get(key).and_then(Value::as_str)
    }

    /// Money moves by EIP-3009, the default.
    #[must_use]
    pub fn is_eip3009(&self) -> bool {
        matches!(self.extra_str(TRANSFER_METHOD), None | Some("eip3009"))
    }
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) if one.starts_with("0x") => one.eq_ignore_ascii_case(other),
        _ => one == other,
    }
}

/// A 402 of version 1, in the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRequiredV1 {
    /// 1.
    pub x402_version: Version<1>,
    /// Why this answer is a 402.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Ways to pay. Those that cannot be read are left out.
    #[serde(deserialize_with = "readable")]
    pub accepts: Vec<RequirementsV1>,
}

/// One way to pay, in version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequirementsV1 {
    /// The scheme.
    pub scheme: String,
    /// The chain, as version 1 calls it.
    pub network: String,
    /// Smallest units.
    #[serde(with = "decimal")]
    pub max_amount_required: u128,
    /// What is for sale: its address.
    pub resource: String,
    /// In words.
    #[serde(default)]
    pub description: String,
    /// What its answer is.
    #[serde(default)]
    pub mime_type: String,
    /// Shape of the answer, if it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Value>,
    /// Who is paid.
    pub pay_to: Address,
    /// How long a payment may take, in seconds.
    pub max_timeout_seconds: u64,
    /// The token.
    pub asset: Address,
    /// What the scheme needs beside.
    #[serde(default, deserialize_with = "null_is_empty")]
    pub extra: Map<String, Value>,
}

impl PaymentRequired {
    /// The same for clients of version 1, as far as they can pay it: `exact` by EIP-3009 on chains they know.
    #[must_use]
    pub fn to_v1(&self) -> PaymentRequiredV1 {
        let known = self.accepts.iter().filter(|offer| offer.scheme == EXACT && offer.is_eip3009());
        let accepts = known.filter_map(|offer| RequirementsV1::of(offer, &self.resource)).collect();
        PaymentRequiredV1 { x402_version: Version, error: self.error.clone(), accepts }
    }
}

impl RequirementsV1 {
    fn of(offer: &Requirements, resource: &ResourceInfo) -> Option<Self> {
        Some(Self {
            scheme: offer.scheme.clone(),
            network: offer.network.v1_name()?.to_owned(),
            max_amount_required: offer.amount,
            resource: resource.url.clone(),
            description: resource.description.clone().unwrap_or_default(),
            mime_type: resource.mime_type.clone().unwrap_or_default(),
            output_schema: None,
            pay_to: offer.pay_to,
            max_timeout_seconds: offer.max_timeout_seconds,
            asset: offer.asset,
            extra: offer.extra.clone(),
        })
    }

    /// The same as version 2 has it; nothing where the chain's name is unknown.
    #[must_use]
    pub fn to_v2(&self) -> Option<Requirements> {
        Some(Requirements {
            scheme: self.scheme.clone(),
            network: Network::of_v1(&self.network)?,
            amount: self.max_amount_required,
            asset: self.asset,
            pay_to: self.pay_to,
            max_timeout_seconds: self.max_timeout_seconds,
            extra: self.extra.clone(),
        })
    }
}

/// `null` stands for an object that is not there.
pub(super) fn null_is_empty<'de, D: Deserializer<'de>>(from: D) -> Result<Map<String, Value>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Offers for other chains and by other means stand beside those that are meant for us.
fn readable<'de, D: Deserializer<'de>, T: for<'a> Deserialize<'a>>(from: D) -> Result<Vec<T>, D::Error> {
    let all = Vec::<Value>::deserialize(from)?;
    Ok(all.into_iter().filter_map(|one| serde_json::from_value(one).ok()).collect())
}

/// Addresses in the spelling of EIP-55, as official servers offer them: they compare what clients echo letter by letter.
fn checksummed<S: Serializer>(address: &Address, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(address)
}
