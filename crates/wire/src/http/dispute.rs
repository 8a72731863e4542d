//! Disputes: what is open, what was decided, and the calls that open and decide one.

use alloy_primitives::{Address, B256};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Money, UnsignedTx};

/// Bytes of a reason: what a person says in a few sentences. It goes on chain and costs gas.
pub const REASON_BYTES_MAX: usize = 512;
/// Bytes of a CID of evidence.
pub const EVIDENCE_BYTES_MAX: usize = 128;

/// Where a dispute stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum DisputeState {
    /// Nobody has decided yet.
    Open,
    /// The judge decided, or nobody did in time and it was split.
    Resolved,
}

/// A dispute as the chain has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DisputeJson {
    /// The job; it has at most one dispute.
    #[schema(value_type = crate::schema::Hash)]
    pub job_id: B256,
    /// Whether it waits for a verdict.
    pub state: DisputeState,
    /// Who opened it.
    #[schema(value_type = crate::schema::Account)]
    pub opener: Address,
    /// The job's renter.
    #[schema(value_type = crate::schema::Account)]
    pub renter: Address,
    /// The provider's number.
    pub provider: String,
    /// Block time.
    pub opened_at: Timestamp,
    /// From then on anybody may have it split in halves.
    pub answer_by: Timestamp,
    /// The opener's words.
    pub reason: String,
    /// What is fought over: the part of the pay that is still held or covered.
    pub pot: Money,
    /// What the opener put down; lost only on a wholly adverse verdict.
    pub bond: Money,
    /// What was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<VerdictJson>,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerdictJson {
    /// Who decided: the judge, or whoever had it split after the judge's time.
    #[schema(value_type = crate::schema::Account)]
    pub by: Address,
    /// Block time.
    pub at: Timestamp,
    /// The provider's share of the pot, in hundredths of a percent: 0, 5000 or 10000.
    pub provider_bps: u16,
    /// What went back to the renter.
    pub returned: Money,
    /// How much of that the provider's stake paid.
    pub from_cover: Money,
    /// CID of the evidence; empty where nobody decided.
    pub evidence: String,
}

/// `POST /api/v1/jobs/{id}/dispute`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DisputeBody {
    /// What went wrong, in 1 to 512 bytes. It is published on chain for ever.
    #[schema(min_length = 1, max_length = 512)]
    pub reason: String,
}

/// `POST /api/v1/disputes/{id}/resolve`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResolveBody {
    /// The provider's share of the pot: 0, 5000 or 10000.
    #[schema(maximum = 10000)]
    pub provider_bps: u16,
    /// CID of the evidence.
    #[schema(min_length = 1, max_length = 128)]
    pub evidence: String,
}

/// Calls for the caller's own wallet, to be sent in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallsJson {
    /// What they do together, and what they cost.
    pub does: String,
    /// Money that they move from the caller, where they move any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moves: Option<Money>,
    /// The calls.
    pub calls: Vec<UnsignedTx>,
}
