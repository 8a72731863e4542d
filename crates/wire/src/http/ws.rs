//! What is said on `/api/v1/ws`.

use alloy_primitives::B256;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AssetJson, GpuJson, MetricsPoint, Presence, WalletRunwayJson};

use crate::{SignatureBytes, TermsJson, WireError, feed::JobEvent, signed};

/// What a client says on `/api/v1/ws`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
#[expect(clippy::large_enum_variant, reason = "one message at a time; nobody keeps many")]
pub enum FromClient {
    /// Begin a topic.
    Subscribe(Subscribe),
    /// End it.
    Unsubscribe {
        /// Which.
        topic: String,
    },
}

/// A wish to follow `job:{jobId}`, `provider:{providerId}` or `account:{accountId}`.
///
/// A job's topic needs a party of the job: either a session (cookie or bearer token of the upgrade request), or a
/// signature. The terms prove who the renter is; the signature that it is him. A provider's topic is public; an account's is for
/// a session of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscribe {
    /// `job:0x…`, `account:0x…` or `provider:7`.
    pub topic: String,
    /// The last number seen, 0 for from the beginning.
    #[serde(default)]
    pub since: u64,
    /// What stands for a session.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<WatchProof>,
}

/// A party's signature over the wish to follow a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchProof {
    /// The job's agreement.
    pub terms: TermsJson,
    /// Unix seconds.
    pub at: u64,
    /// By renter or controller over `signed::Watch`.
    pub signature: SignatureBytes,
}

impl WatchProof {
    /// Checks the agreement and the signature against `topic`, and gives the job's id and terms.
    pub fn verify(
        &self,
        topic: &str,
        domain: &signed::Domain,
        now: u64,
    ) -> Result<(market::JobId, crate::Terms), WireError> {
        let terms = crate::Terms::try_from(&self.terms)?;
        let job = terms.job_id(domain.chain_id, domain.market);
        if topic != format!("job:{job}") {
            return Err(WireError::field("topic", format!("the terms given are those of job:{job}")));
        }
        signed::fresh("Watch", self.at, now)?;
        let watch =
            signed::Watch { jobId: B256::from(job.0), at: alloy_primitives::aliases::U40::saturating_from(self.at) };
        let signer = domain.signer(&watch, &self.signature);
        if signer != Some(terms.renter) && signer != Some(terms.controller) {
            return Err(WireError::Signer {
                what: "Watch",
                found: signer.map_or_else(|| "nobody (malformed)".into(), |signer| signer.to_string()),
                expected: format!("the renter {} or the controller {}", terms.renter, terms.controller),
            });
        }
        Ok((job, terms))
    }
}

/// One piece of news about a provider. Numbers rise without gaps while a gateway runs, and begin higher when it is
/// started anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderEvent {
    /// Position in the provider's topic.
    pub seq: u64,
    /// When the gateway learnt it.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub news: ProviderNews,
}

/// What can happen to a provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(clippy::large_enum_variant, reason = "few are held at once, each in a ring of bounded size")]
pub enum ProviderNews {
    /// It is heard, or no longer.
    ProviderStatusChanged {
        /// How recently it was heard.
        status: Presence,
    },
    /// Its agent measured its machine.
    GpuMetricsUpdate {
        /// What.
        metrics: MetricsPoint,
    },
    /// One of its listings changed on chain: offered or not, taken or free, its price.
    GpuChanged {
        /// As it is now.
        gpu: GpuJson,
    },
}

/// One piece of news about an account. Numbers rise as those of a provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountEvent {
    /// Position in the account's topic.
    pub seq: u64,
    /// When the gateway noticed it.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub news: AccountNews,
}

/// What can happen to an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountNews {
    /// What it has of an asset lasts shorter than a bound: told once each time that a bound is crossed.
    RunwayWarning {
        /// Of what.
        asset: AssetJson,
        /// How long it lasts, with the bound that was crossed as its warning.
        runway: WalletRunwayJson,
    },
}

/// What a gateway says on `/api/v1/ws`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ToClient {
    /// News of a topic.
    News {
        /// Which topic.
        topic: String,
        /// What.
        #[serde(flatten)]
        event: JobEvent,
    },
    /// News of a provider's topic.
    Provider {
        /// Which topic.
        topic: String,
        /// What.
        #[serde(flatten)]
        event: ProviderEvent,
    },
    /// News of an account's topic.
    Account {
        /// Which topic.
        topic: String,
        /// What.
        #[serde(flatten)]
        event: AccountEvent,
    },
    /// The gateway's own word about a topic.
    Notice {
        /// Which topic.
        topic: String,
        /// `SUBSCRIBED`; `CURRENT` once all that was held is sent; `RESYNC`; `UNSUBSCRIBED`; or `REFUSED`.
        #[serde(rename = "type")]
        kind: String,
        /// In words.
        detail: String,
    },
}
