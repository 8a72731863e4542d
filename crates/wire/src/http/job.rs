//! Jobs as everybody may read them, and the bodies that create and control them.

use alloy_primitives::{Address, B256};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Money, Runway, UnsignedTx};
use crate::{JobSpec, SignatureBytes, TermsJson, feed::LogStream, record::CompletionRecord};

/// Where a job stands on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are `market::Status`'s, which is documented")]
pub enum StatusJson {
    Created,
    Accepted,
    Running,
    Paused,
    Silent,
    Ended,
    Disputed,
    Final,
    Cancelled,
}

/// Why a job's clock ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are `market::Outcome`'s, which is documented")]
pub enum OutcomeJson {
    Succeeded,
    Failed,
    StoppedByRenter,
    AbortedByProvider,
    Silent,
    Disputed,
}

impl StatusJson {
    /// `None` for a job that the chain does not know.
    #[must_use]
    pub fn of(status: market::Status) -> Option<Self> {
        use market::Status as S;
        Some(match status {
            S::None => return None,
            S::Created => Self::Created,
            S::Accepted => Self::Accepted,
            S::Running => Self::Running,
            S::Paused => Self::Paused,
            S::Silent => Self::Silent,
            S::Ended => Self::Ended,
            S::Disputed => Self::Disputed,
            S::Final => Self::Final,
            S::Cancelled => Self::Cancelled,
        })
    }
}

impl From<StatusJson> for market::Status {
    fn from(status: StatusJson) -> Self {
        match status {
            StatusJson::Created => Self::Created,
            StatusJson::Accepted => Self::Accepted,
            StatusJson::Running => Self::Running,
            StatusJson::Paused => Self::Paused,
            StatusJson::Silent => Self::Silent,
            StatusJson::Ended => Self::Ended,
            StatusJson::Disputed => Self::Disputed,
            StatusJson::Final => Self::Final,
            StatusJson::Cancelled => Self::Cancelled,
        }
    }
}

impl From<OutcomeJson> for market::Outcome {
    fn from(outcome: OutcomeJson) -> Self {
        match outcome {
            OutcomeJson::Succeeded => Self::Succeeded,
            OutcomeJson::Failed => Self::Failed,
            OutcomeJson::StoppedByRenter => Self::StoppedByRenter,
            OutcomeJson::AbortedByProvider => Self::AbortedByProvider,
            OutcomeJson::Silent => Self::Silent,
            OutcomeJson::Disputed => Self::Disputed,
        }
    }
}

impl OutcomeJson {
    /// `None` while the clock has not ended.
    #[must_use]
    pub fn of(outcome: market::Outcome) -> Option<Self> {
        use market::Outcome as O;
        Some(match outcome {
            O::None => return None,
            O::Succeeded => Self::Succeeded,
            O::Failed => Self::Failed,
            O::StoppedByRenter => Self::StoppedByRenter,
            O::AbortedByProvider => Self::AbortedByProvider,
            O::Silent => Self::Silent,
            O::Disputed => Self::Disputed,
        })
    }
}

/// A job, all of it from the chain but `progressPct`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobJson {
    /// The hash of chain, market and terms.
    #[schema(value_type = crate::schema::Hash)]
    pub id: B256,
    /// Pays.
    #[schema(value_type = crate::schema::Account)]
    pub renter: Address,
    /// Signs Ready, may stop.
    #[schema(value_type = crate::schema::Account)]
    pub controller: Address,
    /// The provider's number.
    pub provider: String,
    /// The rented resource.
    #[schema(value_type = crate::schema::Hash)]
    pub resource_id: B256,
    /// The rented card or processor.
    pub model: String,
    /// The cards are pretended.
    pub simulated: bool,
    /// Where it stands.
    pub status: StatusJson,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeJson>,
    /// The provider's words, where it was declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// 0–100, as the program says; never falls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_pct: Option<u8>,
    /// Price of an hour.
    pub price_per_hour: Money,
    /// What the renter locked, extensions included.
    pub locked: Money,
    /// What the provider has received.
    pub paid: Money,
    /// The platform's share, once everything is settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Money>,
    /// What went back to the renter.
    pub refunded: Money,
    /// Seconds of clock that the lock pays for, extensions included.
    pub duration_s: u64,
    /// How far the money reaches, while the clock runs; in lists left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runway: Option<Runway>,
    /// Seconds on the clock at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds_run: Option<u64>,
    /// Seconds not billed.
    pub paused_s: u64,
    /// When the money was locked.
    pub created_at: Timestamp,
    /// When the provider took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// When the clock started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When the chain learnt that it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The spec's CID.
    pub spec: String,
    /// The CID of the agent's completion record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_record: Option<String>,
    /// The block of its last change.
    pub changed_block: u64,
}

/// `GET /api/v1/jobs/{id}/status`: where a job and its money stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobStatusJson {
    /// The job.
    #[schema(value_type = crate::schema::Hash)]
    pub id: B256,
    /// Where it stands.
    pub status: StatusJson,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeJson>,
    /// 0–100, as the program says; told to the job's parties only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_pct: Option<u8>,
    /// The time that the figures are of.
    pub at: Timestamp,
    /// Seconds on the clock.
    pub seconds: u64,
    /// What they cost, fee included.
    pub accrued: Money,
    /// What the provider has received.
    pub paid: Money,
    /// What of the lock is not used up; once the job is over, what went back to the renter.
    pub left: Money,
    /// Seconds of clock that are left; 0 once the job is over.
    pub runway_s: u64,
}

/// `POST /api/v1/jobs/{id}/stop`: what ended the job, or what its renter must send to end it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoppedJson {
    /// The job.
    #[schema(value_type = crate::schema::Hash)]
    pub job_id: B256,
    /// Where it stood when this was answered.
    pub status: StatusJson,
    /// What was done, or is to be done.
    pub does: String,
    /// The gateway's transaction, mined, that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::schema::Hash>)]
    pub tx: Option<B256>,
    /// The transaction that ends it, for the caller to sign and send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<UnsignedTx>,
}

/// One thing that the chain says happened: who did what, when, why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChainEventJson {
    /// Block time.
    pub at: Timestamp,
    /// The block.
    pub block: u64,
    /// Its place in the block.
    pub log_index: u64,
    /// The transaction.
    #[schema(value_type = crate::schema::Hash)]
    pub tx: B256,
    /// The contract's name for it, like `JobStarted`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Who did it, where the event or the job tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::schema::Account>)]
    pub who: Option<Address>,
    /// Its fields.
    #[schema(value_type = Object)]
    pub detail: serde_json::Value,
}

/// `POST /api/v1/jobs`. Without `authorization` nothing happens yet: the answer holds the terms and what to sign.
/// With the terms of that answer and an authorization over them, the gateway puts the job on chain at its own gas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateJobBody {
    /// The resource to rent; the cheapest free one that satisfies the spec when left out.
    #[serde(default)]
    #[schema(value_type = Option<crate::schema::Hash>)]
    pub resource_id: Option<B256>,
    /// What to run.
    #[serde(default)]
    pub spec: Option<JobSpec>,
    /// Seconds of clock to lock money for.
    #[serde(default)]
    pub max_duration_s: Option<u32>,
    /// Price of an hour, at most.
    #[serde(default)]
    pub max_price: Option<Money>,
    /// Pretended cards are good enough.
    #[serde(default)]
    pub simulated: bool,
    /// Who signs Ready and may stop; the gateway's watcher when left out.
    #[serde(default)]
    #[schema(value_type = Option<crate::schema::Account>)]
    pub controller: Option<Address>,
    /// The terms that the authorization pays for.
    #[serde(default)]
    pub terms: Option<TermsJson>,
    /// The renter's signature for the lock.
    #[serde(default)]
    pub authorization: Option<AuthorizationJson>,
}

/// EIP-3009 `ReceiveWithAuthorization` by the renter to the Market, with the job's id as its nonce.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AuthorizationJson {
    /// Unix seconds.
    pub valid_after: u64,
    /// Unix seconds.
    pub valid_before: u64,
    /// 65 bytes in hex.
    #[schema(value_type = crate::schema::SignatureHex)]
    pub signature: SignatureBytes,
}

/// The answer: a job to be paid for, or one that is on chain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedJobJson {
    /// The job's id.
    #[schema(value_type = crate::schema::Hash)]
    pub job_id: B256,
    /// What is agreed.
    pub terms: TermsJson,
    /// What is locked; unused seconds come back.
    pub estimated_cost: Money,
    /// The transaction that creates it, for who pays gas himself and has approved the Market.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction: Option<UnsignedTx>,
    /// EIP-712 typed data for `eth_signTypedData_v4`; its signature goes into `authorization`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub sign: Option<serde_json::Value>,
    /// The transaction that created it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::schema::Hash>)]
    pub tx: Option<B256>,
}

/// `POST /api/v1/jobs/{id}/ready`: the controller lets the clock start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadyBody {
    /// Digest of the agent's readiness record.
    #[schema(value_type = crate::schema::Hash)]
    pub ready_record: B256,
    /// Unix seconds.
    pub at: u64,
    /// By controller or renter over `signed::Ready`.
    #[schema(value_type = crate::schema::SignatureHex)]
    pub signature: SignatureBytes,
}

/// A line of a job's output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// Its number in the job's feed.
    pub seq: u64,
    /// When the agent saw it.
    pub at: Timestamp,
    /// Where it came from.
    pub stream: LogStream,
    /// Without its end.
    pub line: String,
}

/// `GET /api/v1/jobs/{id}/logs?since=&limit=`: lines that the gateway holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogsJson {
    /// The lines, oldest first.
    pub lines: Vec<LogLine>,
    /// Ask with this as `since` for what comes after.
    pub next: u64,
}

/// One measurement of a job's container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobMetricsPoint {
    /// When the agent measured it.
    pub at: Timestamp,
    /// Processor time used, in percent of one processor.
    pub cpu_pct: u32,
    /// Main memory in use.
    pub memory_mib: u32,
    /// Of the GPUs that the job holds; 0 where there is none.
    pub gpu_pct: u16,
    /// Memory of those GPUs in use.
    pub gpu_memory_mib: u32,
}

/// `GET /api/v1/jobs/{id}/result`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResultJson {
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeJson>,
    /// sha2-256 of the completion record, as the chain has it.
    #[schema(value_type = Option<crate::schema::Hash>)]
    pub result_digest: Option<B256>,
    /// The record, when this gateway holds it: the provider's signed word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<CompletionRecord>,
}
