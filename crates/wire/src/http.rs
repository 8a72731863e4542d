//! Bodies of the gateway's HTTP and WebSocket interface (`/api/v1`).

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

use crate::{SignatureBytes, TermsJson, WireError, feed::JobEvent, hardware::HardwareJson, signed};

/// Events that a gateway keeps of one job; a reader who is further behind is told to resync.
pub const FEED_EVENTS_MAX: usize = 20_000;

/// A GPU, or a machine without one, as everybody lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GpuJson {
    /// The resource's id.
    pub id: B256,
    /// What it is made of.
    pub hardware: HardwareJson,
    /// Price of an hour in smallest units.
    pub price_per_hour: String,
    /// The owner lists it.
    pub available: bool,
    /// A job holds it.
    pub busy: bool,
    /// Its agent's address.
    pub agent: Address,
}

impl TryFrom<&GpuJson> for market::Offer {
    type Error = WireError;

    fn try_from(from: &GpuJson) -> Result<Self, Self::Error> {
        let price = from.price_per_hour.parse().map_err(|_| {
            WireError::field("pricePerHour", format!("{:?} is no whole number of smallest units", from.price_per_hour))
        })?;
        Ok(Self {
            id: market::ResourceId(from.id.0),
            hardware: (&from.hardware).into(),
            price: market::PerHour(price),
            available: from.available,
            busy: from.busy,
        })
    }
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the next page begins; absent on the last.
    pub next_cursor: Option<String>,
}

/// `GET /api/v1/health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// `ok`.
    pub status: String,
    /// The chain it serves.
    pub chain_id: u64,
    /// The market it serves.
    pub market: Address,
    /// Agents connected now.
    pub agents: usize,
    /// Blocks of content held.
    pub blocks: u64,
}

/// `POST /api/v1/jobs/{id}/ready`: the controller lets the clock start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadyBody {
    /// Digest of the agent's readiness record.
    pub ready_record: B256,
    /// Unix seconds.
    pub at: u64,
    /// By controller or renter over `signed::Ready`.
    pub signature: SignatureBytes,
}

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

/// A wish to follow `job:{jobId}`. The terms prove who the renter is; the signature that it is him.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscribe {
    /// `job:0x…`.
    pub topic: String,
    /// The last number seen, 0 for from the beginning.
    #[serde(default)]
    pub since: u64,
    /// The job's agreement.
    pub terms: TermsJson,
    /// Unix seconds.
    pub at: u64,
    /// By renter or controller over `signed::Watch`.
    pub signature: SignatureBytes,
}

impl Subscribe {
    /// Checks the topic, the agreement and the signature, and gives the job's id and terms.
    pub fn verify(&self, domain: &signed::Domain, now: u64) -> Result<(market::JobId, crate::Terms), WireError> {
        let terms = crate::Terms::try_from(&self.terms)?;
        let job = terms.job_id(domain.chain_id, domain.market);
        if self.topic != format!("job:{job}") {
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

/// What a gateway says on `/api/v1/ws`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[expect(clippy::large_enum_variant, reason = "one message at a time; nobody keeps many")]
pub enum ToClient {
    /// News of a topic.
    News {
        /// Which topic.
        topic: String,
        /// What.
        #[serde(flatten)]
        event: JobEvent,
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

/// An error as RFC 9457 `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A stable name.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for people.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// What happened and what to do next.
    pub detail: String,
    /// The field of the body, for forms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// The `Authorization` header of an upload: `Bourse <address> <unix seconds> <signature>` over `signed::Upload`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadPass {
    /// Who uploads.
    pub who: Address,
    /// Unix seconds.
    pub at: u64,
    /// Over `signed::Upload`.
    pub signature: SignatureBytes,
}

impl UploadPass {
    /// The header's value.
    #[must_use]
    pub fn header(&self) -> String {
        format!("Bourse {} {} {}", self.who, self.at, self.signature)
    }

    /// Reads the header's value and checks that who it names signed for `root`.
    pub fn verify(header: &str, root: &str, domain: &signed::Domain, now: u64) -> Result<Address, WireError> {
        let malformed = || WireError::Malformed {
            what: "the Authorization header",
            reason: "an upload needs `Bourse <address> <unix seconds> <signature>`".into(),
        };
        let mut words = header.split_whitespace();
        let parts = [words.next(), words.next(), words.next(), words.next(), words.next()];
        let [Some("Bourse"), Some(who), Some(at), Some(signature), None] = parts else {
            return Err(malformed());
        };
        let who: Address = who.parse().map_err(|_| malformed())?;
        let at: u64 = at.parse().map_err(|_| malformed())?;
        let signature: SignatureBytes = signature.parse().map_err(|_| malformed())?;
        signed::fresh("Upload", at, now)?;
        let upload = signed::Upload { root: root.into(), at: alloy_primitives::aliases::U40::saturating_from(at) };
        domain.verify(&upload, &signature, who)?;
        Ok(who)
    }
}
