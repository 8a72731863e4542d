//! Stake: what a provider stands for his jobs with.

use alloy_primitives::B256;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Money;

/// `GET /api/v1/providers/{id}/stake`: a provider's stake, resource by resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StakeJson {
    /// The provider's number.
    pub provider: String,
    /// What stands behind each of its resources.
    pub resources: Vec<ResourceStakeJson>,
}

/// The stake of one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResourceStakeJson {
    /// The resource.
    #[schema(value_type = crate::schema::Hash)]
    pub resource_id: B256,
    /// All that was put down and not taken back or lost.
    pub stake: Money,
    /// Of it, what covers jobs that are not settled.
    pub tied: Money,
    /// Of it, what can cover the next job or begin to unbond.
    pub free: Money,
    /// Of it, what its owner asked back.
    pub unbonding: Money,
    /// When that can be withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_at: Option<Timestamp>,
    /// Of it, what is held by proposals to slash.
    pub contested: Money,
    /// Seconds at the listed price that the free stake pays at once: longer jobs wait an hour for the rest.
    pub cover_s: u64,
}

/// `POST /api/v1/providers/{id}/stake` and `/unstake`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StakeBody {
    /// Which of the provider's resources.
    #[schema(value_type = crate::schema::Hash)]
    pub resource_id: B256,
    /// How much.
    pub amount: Money,
}
