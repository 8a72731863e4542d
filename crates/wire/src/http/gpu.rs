//! Resources as everybody lists them, and what can be asked of the list.

use alloy_primitives::{Address, B256};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Money, money};
use crate::{HardwareJson, WireError};

/// How recently an agent was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Presence {
    /// Within the last minute.
    Online,
    /// More than a minute ago.
    Stale,
    /// More than three minutes ago, or never.
    Offline,
}

/// A GPU, or a machine without one, as everybody lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GpuJson {
    /// The resource's id.
    #[schema(value_type = crate::schema::Hash)]
    pub id: B256,
    /// The market that it is from: `bourse` for this one.
    pub source: String,
    /// Its provider's number.
    pub provider: String,
    /// The provider's owner.
    #[schema(value_type = crate::schema::Account)]
    pub owner: Address,
    /// The provider's agent.
    #[schema(value_type = crate::schema::Account)]
    pub agent: Address,
    /// What it is made of, as listed on chain.
    pub hardware: HardwareJson,
    /// Where it stands, as its owner says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Price of an hour.
    pub price_per_hour: Money,
    /// The owner lists it.
    pub available: bool,
    /// A job holds it.
    pub busy: bool,
    /// Whether its agent is heard.
    pub status: Presence,
    /// When its agent was last heard by this gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    /// Share of the last seven days, since it was first heard, in which its agent was heard, in hundredths of a percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime_bps: Option<u16>,
    /// When it was listed.
    pub listed_at: Timestamp,
}

impl GpuJson {
    /// A job that is ordered now can be accepted now.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.available && !self.busy && self.status != Presence::Offline
    }
}

impl TryFrom<&GpuJson> for market::Offer {
    type Error = WireError;

    fn try_from(from: &GpuJson) -> Result<Self, Self::Error> {
        let amount = &from.price_per_hour.amount;
        let price = amount.parse().map_err(|_| {
            WireError::field("pricePerHour", format!("{amount:?} is no whole number of smallest units"))
        })?;
        Ok(Self {
            id: market::ResourceId(from.id.0),
            hardware: (&from.hardware).into(),
            price: market::PerHour(price),
            available: from.available && from.status != Presence::Offline,
            busy: from.busy,
        })
    }
}

/// `GET /api/v1/gpus` and `/gpus/search`: filters, order, page. What is left out does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct GpuQuery {
    /// Words that the model's name contains, in any order and case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(max_length = 128)]
    pub model: Option<String>,
    /// The same; who types into one field means the model or the location.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(max_length = 128)]
    pub q: Option<String>,
    /// Cards, at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_gpus: Option<u16>,
    /// Memory of one card in MiB, at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_vram: Option<u64>,
    /// Processor threads, at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_cpus: Option<u16>,
    /// Main memory in MiB, at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_memory: Option<u64>,
    /// Price of an hour in whole tokens with a point, at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(pattern = r"^[0-9]{1,20}\.[0-9]{1,6}$", example = "2.50")]
    pub max_price: Option<String>,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(max_length = 128, example = "eu-west")]
    pub location: Option<String>,
    /// `now`: free and heard; `listed`: offered, though perhaps busy or silent; `any` (also when left out): everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(pattern = "^(now|listed|any)$")]
    pub availability: Option<String>,
    /// Uptime in percent, at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(maximum = 100)]
    pub min_uptime: Option<u8>,
    /// `true`: pretended cards only; `false`: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub simulated: Option<bool>,
    /// The market that it is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(max_length = 128, example = "bourse")]
    pub source: Option<String>,
    /// `price`, `vram`, `gpus`, `cpus`, `memory`, `uptime` or `listed`; with `-` before it the largest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(pattern = "^(-?(price|vram|gpus|cpus|memory|uptime|listed))?$")]
    pub sort: Option<String>,
    /// Entries of the page, 1 to 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<usize>,
    /// Where the page begins, as the page before said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(max_length = 512)]
    pub cursor: Option<String>,
}

impl GpuQuery {
    /// The highest price wished, of a token with `decimals` places.
    pub fn max_price(&self, decimals: u8) -> Result<Option<market::PerHour>, WireError> {
        let price = self.max_price.as_deref().map(|text| money::tokens("max_price", text, decimals)).transpose()?;
        Ok(price.map(|amount| market::PerHour(amount.0)))
    }
}
