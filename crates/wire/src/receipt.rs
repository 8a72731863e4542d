//! Receipts: canonical documents of what was agreed, when it ran and what was paid, and the envelope they travel in.
//!
//! A document is a pure function of final chain events, so the same job always gives the same bytes. Its field names
//! follow the GPU job receipts of ERC-7053 commits; its CID (raw, sha2-256) is the NID.

use alloy_primitives::{Address, B256};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{SignatureBytes, TermsJson, http::Money, http::OutcomeJson, record::CompletionRecord};

/// The only version there is.
pub const VERSION: u32 = 1;
/// The largest document: terms and a few dozen short fields.
pub const DOCUMENT_BYTES_MAX: usize = 16 << 10;

/// What a receipt is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum ReceiptKind {
    /// Money was locked for a job.
    JobSubmitted,
    /// Its clock ended: what it cost, unless somebody disputes it in time.
    JobCompleted,
    /// A verdict changed that.
    JobResolved,
}

impl ReceiptKind {
    /// As it is written in documents and keys.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::JobSubmitted => "JobSubmitted",
            Self::JobCompleted => "JobCompleted",
            Self::JobResolved => "JobResolved",
        }
    }

    /// The key under which a receipt exists once: `gpu-job-{jobId}-{eventType}`.
    #[must_use]
    pub fn idempotency_key(self, job: market::JobId) -> String {
        format!("gpu-job-{job}-{}", self.name())
    }
}

/// What is hashed and committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReceiptDocument {
    /// [`VERSION`].
    pub version: u32,
    /// What it is about.
    pub event_type: ReceiptKind,
    /// The job.
    #[schema(value_type = crate::schema::Hash)]
    pub job_id: B256,
    /// `container`: an image run with a command.
    pub task_type: String,
    /// The agent that ran it.
    #[schema(value_type = crate::schema::Account)]
    pub executor: Address,
    /// Block time of the event.
    pub occurred_at: Timestamp,
    /// See [`ReceiptKind::idempotency_key`].
    pub idempotency_key: String,
    /// The chain.
    pub chain_id: u64,
    /// The Market contract.
    #[schema(value_type = crate::schema::Account)]
    pub market: Address,
    /// What was agreed; its hash is the job's id.
    pub terms: TermsJson,
    /// The cards were pretended.
    pub simulated: bool,
    /// What ran, and how it went.
    pub metadata: ReceiptMetadata,
    /// Where the lock went; in JobCompleted and JobResolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<ReceiptCost>,
    /// How a dispute was decided; in JobResolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<ReceiptVerdict>,
}

/// How a dispute was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReceiptVerdict {
    /// The provider's share of the pot, in hundredths of a percent.
    pub provider_bps: u16,
    /// What was disputed.
    pub pot: Money,
    /// What of it went back to the renter.
    pub returned: Money,
    /// Of that, what came from the provider's stake.
    pub from_cover: Money,
    /// CID of the judge's report; empty where nobody decided in time.
    pub evidence_cid: String,
}

/// What ran, and how it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReceiptMetadata {
    /// The listed name of the card or processor.
    pub gpu_type: String,
    /// Cards.
    pub gpu_count: u16,
    /// CID of the job spec.
    pub input_hash: String,
    /// Seconds that were paid for in advance, extensions included.
    pub estimated_duration: u64,
    /// `submitted`, `completed`, `failed`, `stopped`, `aborted`, `silent` or `disputed`.
    pub status: String,
    /// Why the clock ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeJson>,
    /// Seconds on the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<u64>,
    /// Block time at which the clock started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// sha2-256 of the agent's completion record, as `completeJob` carried it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::schema::Hash>)]
    pub output_hash: Option<B256>,
    /// CID of that record: what the provider says came out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_cid: Option<String>,
}

/// Where a lock went, in smallest units: `paid + fee + refunded = locked`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReceiptCost {
    /// By the renter, extensions included.
    pub locked: Money,
    /// To the provider.
    pub paid: Money,
    /// To the platform.
    pub fee: Money,
    /// Back to the renter.
    pub refunded: Money,
    /// A dispute may change it until then; after a verdict, nothing does from then on.
    pub disputable_until: Timestamp,
}

/// What the register's `commitData` holds, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommitBody {
    /// The job.
    #[schema(value_type = crate::schema::Hash)]
    pub job_id: B256,
    /// What the receipt is about.
    pub event_type: ReceiptKind,
    /// The receipt.
    pub nid: String,
}

/// A commit as it was found on chain (ERC-7053).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommitJson {
    /// The chain of the register.
    pub chain_id: u64,
    /// The register.
    #[schema(value_type = crate::schema::Account)]
    pub register: Address,
    /// Who committed.
    #[schema(value_type = crate::schema::Account)]
    pub recorder: Address,
    /// The transaction.
    #[schema(value_type = crate::schema::Hash)]
    pub tx: B256,
    /// Its block.
    pub block: u64,
}

/// A receipt as it travels: the document, and where to look for what it claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receipt {
    /// [`VERSION`].
    pub version: u32,
    /// The document's CID.
    pub nid: String,
    /// The document's sha2-256.
    #[schema(value_type = crate::schema::Hash)]
    pub proof_hash: B256,
    /// What is receipted.
    pub document: ReceiptDocument,
    /// Where it is committed; absent until it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitJson>,
    /// The first block to look in for the job's events.
    pub from_block: u64,
    /// The last.
    pub to_block: u64,
    /// The agent's completion record, where it is known. The provider's word, not the chain's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<CompletionRecord>,
    /// The agent's signature over that record (`Attest`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<crate::schema::SignatureHex>)]
    pub record_signature: Option<SignatureBytes>,
    /// Where anybody can look at its verification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_url: Option<String>,
}

/// Whom a verifier believes: a file that he writes himself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trust {
    /// Markets whose events count.
    pub markets: Vec<TrustedMarket>,
    /// Keys whose commits count.
    #[schema(value_type = Vec<crate::schema::Account>)]
    pub recorders: Vec<Address>,
}

/// `POST /api/v1/receipts/verify`: a receipt by itself, or with whom to believe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum VerifyReceiptBody {
    /// Judged by the trust given.
    By {
        /// What is verified.
        receipt: Receipt,
        /// Whom to believe.
        trust: Trust,
    },
    /// Judged by what this market calls its own.
    Alone(Receipt),
}

/// A market that a verifier believes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TrustedMarket {
    /// Its chain.
    pub chain_id: u64,
    /// The Market contract.
    #[schema(value_type = crate::schema::Account)]
    pub market: Address,
    /// Where its receipts are committed.
    #[schema(value_type = crate::schema::Account)]
    pub register: Address,
}

/// What a verification found, a line for each thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// The receipt.
    pub nid: String,
    /// Every line holds.
    pub verified: bool,
    /// What was checked, in order.
    pub lines: Vec<VerifiedLine>,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedLine {
    /// `document`, `market`, `recorder`, `commit`, `terms`, `times`, `cost`, `outcome` or `record`.
    pub name: String,
    /// Whether it holds.
    pub holds: bool,
    /// What was compared, in words.
    pub detail: String,
}
