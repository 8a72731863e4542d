//! Providers: what they are, earn and measure, and the transactions by which they change it.

use alloy_primitives::{Address, B256, Bytes};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{GpuJson, Money, Presence};
use crate::HardwareJson;

/// Somebody who provides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderJson {
    /// Its number.
    pub id: String,
    /// Lists and sets prices.
    #[schema(value_type = crate::schema::Account)]
    pub owner: Address,
    /// Runs jobs.
    #[schema(value_type = crate::schema::Account)]
    pub agent: Address,
    /// Gets the money.
    #[schema(value_type = crate::schema::Account)]
    pub payout: Address,
    /// Whether its agent is heard.
    pub status: Presence,
    /// When its agent was last heard by this gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    /// Share of the last seven days, since it was first heard, in which its agent was heard, in hundredths of a percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime_bps: Option<u16>,
    /// When it registered.
    pub registered_at: Timestamp,
    /// What it lists.
    pub resources: Vec<GpuJson>,
    /// Jobs that it started.
    pub jobs_started: u64,
    /// Jobs that it ended well.
    pub jobs_succeeded: u64,
}

/// `GET /api/v1/providers/{id}/earnings`: net of fees, by block time, days in UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EarningsJson {
    /// Ever.
    pub total: Money,
    /// Since midnight.
    pub today: Money,
    /// In the last seven days.
    pub week: Money,
    /// In the last thirty days.
    pub month: Money,
    /// Day (`2026-11-20`) and what came on it, oldest first, at most the last ninety.
    pub history: Vec<(String, Money)>,
}

/// One measurement of a provider's machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MetricsPoint {
    /// When the agent measured it.
    pub at: Timestamp,
    /// Of the GPUs where there are any, else of all processors.
    pub utilisation_pct: u16,
    /// Main memory in use.
    pub memory_mib: u32,
    /// Hottest GPU; 0 where unknown.
    pub temperature_c: u16,
    /// All GPUs; 0 where unknown.
    pub power_w: u32,
}

/// `POST /api/v1/providers/register`: answers with the transactions to sign, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegisterBody {
    /// Runs the jobs.
    #[schema(value_type = crate::schema::Account)]
    pub agent: Address,
    /// Gets the money; the owner when left out.
    #[serde(default)]
    #[schema(value_type = Option<crate::schema::Account>)]
    pub payout: Option<Address>,
    /// Chosen by the agent from the machine's identity; listing the same key twice gives one record.
    #[schema(value_type = crate::schema::Hash)]
    pub key: B256,
    /// What is listed.
    pub hardware: HardwareJson,
    /// Where it stands.
    #[serde(default)]
    pub location: Option<String>,
    /// Price of an hour.
    pub price_per_hour: Money,
}

/// `PATCH /api/v1/providers/{id}/availability`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AvailabilityBody {
    /// Which of the provider's resources.
    #[schema(value_type = crate::schema::Hash)]
    pub resource_id: B256,
    /// Offered, or not.
    pub available: bool,
}

/// `PATCH /api/v1/providers/{id}/price`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PriceBody {
    /// Which of the provider's resources.
    #[schema(value_type = crate::schema::Hash)]
    pub resource_id: B256,
    /// Price of an hour for new jobs.
    pub price_per_hour: Money,
}

/// A transaction that the caller signs and sends with a wallet of his own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnsignedTx {
    /// The chain.
    pub chain_id: u64,
    /// Who must send it.
    #[schema(value_type = crate::schema::Account)]
    pub from: Address,
    /// The contract.
    #[schema(value_type = crate::schema::Account)]
    pub to: Address,
    /// The call.
    #[schema(value_type = crate::schema::BytesHex)]
    pub data: Bytes,
    /// Coins that go with it, in wei.
    pub value: String,
    /// What it does, in words.
    pub does: String,
}
