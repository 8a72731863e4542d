//! Time bought by the tick (`/api/v1/x402/leases`).

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Money;
use crate::{JobSpec, record::CompletionRecord};

/// The shortest tick, in seconds.
pub const TICK_MIN_S: u32 = 1;
/// The longest tick, in seconds.
pub const TICK_MAX_S: u32 = 30;
/// A tick unless the provider says otherwise, in seconds.
pub const TICK_S: u32 = 10;
/// So much may be paid for in advance, in seconds.
pub const PREPAID_MAX_S: u64 = 600;
/// Unpaid ticks after which nothing runs any more.
pub const EXPOSURE_TICKS: u64 = 2;

/// `POST /api/v1/x402/leases`: what to run, until the payer stops paying. The same body goes with the payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeaseBody {
    /// What to run.
    pub spec: JobSpec,
    /// On which resource; the cheapest that fits when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::schema::Hash>)]
    pub resource_id: Option<B256>,
    /// The longest that it may run, however long it is paid for; a day when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_duration_s: Option<u32>,
    /// The highest price of an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_price: Option<Money>,
    /// Takes a card that is pretended.
    #[serde(default)]
    pub simulated: bool,
    /// Begins in the workspace that this lease left: with the same spec, by the same payer, on the same resource, within a
    /// day of its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::schema::Hash>)]
    pub resume: Option<B256>,
}

/// `POST /api/v1/x402/leases/{id}/tick`; an empty body is one tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TickBody {
    /// Seconds to pay for; one tick when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
}

/// Where a lease stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum LeasePhase {
    /// Image and inputs are fetched and verified.
    Fetching,
    /// The container is made.
    Preparing,
    /// The container waits for the first tick; ticks are due from now on.
    Ready,
    /// The clock runs and the program too.
    Running,
    /// The program is being stopped.
    Stopping,
    /// Outputs and log are being stored.
    Collecting,
    /// It is over; its workspace is kept for a day.
    Done,
}

impl LeasePhase {
    /// Whether nothing more is paid or run.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Stopping | Self::Collecting | Self::Done)
    }
}

/// A lease as its payer sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeaseJson {
    /// Its id: the hash of its terms.
    #[schema(value_type = crate::schema::Hash)]
    pub lease_id: B256,
    /// Where it stands.
    pub status: LeasePhase,
    /// What it runs on.
    #[schema(value_type = crate::schema::Hash)]
    pub resource_id: B256,
    /// What an hour costs.
    pub price_per_hour: Money,
    /// Seconds of a tick.
    pub tick_s: u32,
    /// What the next tick costs.
    pub next_tick: Money,
    /// Seconds that are paid for.
    pub paid_s: u64,
    /// Seconds that have run.
    pub served_s: u64,
    /// Everything that was paid for it, its set-up included.
    pub charged: Money,
    /// What of it is earned. What is paid and not earned goes back with the refund of the channel.
    pub earned: Money,
    /// The channel that pays.
    #[schema(value_type = crate::schema::Hash)]
    pub channel_id: B256,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The answer to the payment that opens a lease.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeaseOpenedJson {
    /// Its id.
    #[schema(value_type = crate::schema::Hash)]
    pub lease_id: B256,
    /// Reads, pays and stops this lease, as `Authorization: Bearer`. Whoever has it may. Told once; the same payment
    /// again gets a new one, and the old one ends.
    pub capability: String,
    /// Where it stands.
    pub lease: LeaseJson,
}

/// `GET /api/v1/x402/leases/{id}/result`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeaseResultJson {
    /// Its id.
    #[schema(value_type = crate::schema::Hash)]
    pub lease_id: B256,
    /// The exit code, where the program ended by itself.
    pub exit_code: Option<i64>,
    /// Why it ended.
    pub reason: Option<String>,
    /// Root of what it wrote.
    pub result: Option<String>,
    /// What it said, as one file.
    pub log: Option<String>,
}

impl LeaseResultJson {
    /// From the agent's record.
    #[must_use]
    pub fn of(lease_id: B256, record: &CompletionRecord) -> Self {
        Self {
            lease_id,
            exit_code: record.exit_code,
            reason: record.reason.clone(),
            result: record.result.clone(),
            log: record.log.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_tick_is_one_tick() {
        assert_eq!(serde_json::from_str::<TickBody>("{}").unwrap(), TickBody::default());
        assert!(serde_json::from_str::<TickBody>(r#"{"seconds":-1}"#).is_err());
        assert!(serde_json::from_str::<TickBody>(r#"{"amount":1}"#).is_err());
    }
}
