//! The terms of a job: what renter and provider agreed on, and the id that follows from them.

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::{SolValue, sol};
use market::{Amount, BasisPoints, JobId, PerHour, ResourceId, Seconds, Stream};
use serde::{Deserialize, Serialize};

sol! {
    /// The agreement as the Market contract hashes it; see `contracts/src/interfaces/IMarket.sol`.
    #[derive(Debug, PartialEq, Eq)]
    struct Terms {
        address renter;
        address controller;
        bytes32 resourceId;
        uint96 pricePerHour;
        uint96 minCharge;
        uint32 maxDuration;
        uint40 notBefore;
        uint16 cancelFeeBps;
        bytes32 specDigest;
        uint32 flags;
        uint64 salt;
        bytes32 extra;
    }
}

impl Terms {
    /// The job's id: the hash of chain, contract and agreement.
    #[must_use]
    pub fn job_id(&self, chain_id: u64, market: Address) -> JobId {
        JobId(keccak256((U256::from(chain_id), market, self.clone()).abi_encode()).0)
    }

    /// The resource that is rented.
    #[must_use]
    pub fn resource(&self) -> ResourceId {
        ResourceId(self.resourceId.0)
    }

    /// The payment stream, with `extra` seconds bought since and the fee that the contract noted.
    #[must_use]
    pub fn stream(&self, extra: Seconds, fee: BasisPoints) -> Stream {
        Stream {
            price: PerHour(self.pricePerHour.to()),
            min_charge: Amount(self.minCharge.to()),
            duration: Seconds(u64::from(self.maxDuration) + extra.0),
            fee,
        }
    }
}

/// The same agreement as JSON: numbers that can exceed 53 bits are decimal strings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Terms)]
pub struct TermsJson {
    /// Pays, and gets back what is not earned.
    #[schema(value_type = crate::schema::Account)]
    pub renter: Address,
    /// Signs `Ready` and may stop.
    #[schema(value_type = crate::schema::Account)]
    pub controller: Address,
    /// The rented resource.
    #[schema(value_type = crate::schema::Hash)]
    pub resource_id: B256,
    /// Smallest units an hour.
    #[serde(with = "decimal")]
    #[schema(value_type = String, pattern = "^[0-9]{1,39}$")]
    pub price_per_hour: u128,
    /// Smallest units.
    #[serde(with = "decimal")]
    #[schema(value_type = String, pattern = "^[0-9]{1,39}$")]
    pub min_charge: u128,
    /// Seconds.
    pub max_duration: u32,
    /// Unix seconds, 0 for at once.
    pub not_before: u64,
    /// Hundredths of a percent.
    pub cancel_fee_bps: u16,
    /// sha2-256 of the job spec.
    #[schema(value_type = crate::schema::Hash)]
    pub spec_digest: B256,
    /// Reserved.
    pub flags: u32,
    /// Makes equal agreements differ.
    #[serde(with = "decimal")]
    #[schema(value_type = String, pattern = "^[0-9]{1,39}$")]
    pub salt: u64,
    /// Reserved.
    #[schema(value_type = crate::schema::Hash)]
    pub extra: B256,
}

pub(crate) mod decimal {
    //! Numbers as decimal strings.
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(value: &impl Display, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: FromStr>(from: D) -> Result<T, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(|_| D::Error::custom(format!("{text:?} is no whole number in range")))
    }
}

impl From<&Terms> for TermsJson {
    fn from(terms: &Terms) -> Self {
        Self {
            renter: terms.renter,
            controller: terms.controller,
            resource_id: terms.resourceId,
            price_per_hour: terms.pricePerHour.to(),
            min_charge: terms.minCharge.to(),
            max_duration: terms.maxDuration,
            not_before: terms.notBefore.to(),
            cancel_fee_bps: terms.cancelFeeBps,
            spec_digest: terms.specDigest,
            flags: terms.flags,
            salt: terms.salt,
            extra: terms.extra,
        }
    }
}

impl TryFrom<&TermsJson> for Terms {
    type Error = crate::WireError;

    fn try_from(json: &TermsJson) -> Result<Self, Self::Error> {
        use crate::WireError;
        let fits = |name: &str| WireError::field(name, "the number is larger than the contract can hold");
        Ok(Self {
            renter: json.renter,
            controller: json.controller,
            resourceId: json.resource_id,
            pricePerHour: json.price_per_hour.try_into().map_err(|_| fits("pricePerHour"))?,
            minCharge: json.min_charge.try_into().map_err(|_| fits("minCharge"))?,
            maxDuration: json.max_duration,
            notBefore: json.not_before.try_into().map_err(|_| fits("notBefore"))?,
            cancelFeeBps: json.cancel_fee_bps,
            specDigest: json.spec_digest,
            flags: json.flags,
            salt: json.salt,
            extra: json.extra,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_and_back_is_the_same_agreement() {
        let terms = Terms {
            renter: Address::repeat_byte(1),
            controller: Address::repeat_byte(2),
            resourceId: B256::repeat_byte(3),
            pricePerHour: "79228162514264337593543950335".parse().unwrap(),
            minCharge: "5".parse().unwrap(),
            maxDuration: 600,
            notBefore: "7".parse().unwrap(),
            cancelFeeBps: 0,
            specDigest: B256::repeat_byte(4),
            flags: 0,
            salt: u64::MAX,
            extra: B256::ZERO,
        };
        let text = serde_json::to_string(&TermsJson::from(&terms)).unwrap();
        let back: TermsJson = serde_json::from_str(&text).unwrap();
        assert_eq!(Terms::try_from(&back).unwrap(), terms);
        assert_ne!(terms.job_id(1, Address::ZERO), terms.job_id(2, Address::ZERO), "bound to the chain");
        assert_ne!(terms.job_id(1, Address::ZERO), terms.job_id(1, Address::repeat_byte(9)), "bound to the contract");
        assert!(serde_json::from_str::<TermsJson>(&text.replace("\"600\"", "-1").replace("600", "-600")).is_err());
    }
}
