//! The agent link: one outbound WebSocket from agent to gateway, JSON text messages.
//!
//! ```text
//! gateway → Challenge          agent → Hello (signed over the nonce)      gateway → Welcome | Refused
//! agent   → Beat               every heartbeat
//! agent   → Metrics            every ten seconds
//! agent   → Job                a job it serves, with its terms            gateway → Have { seq }: what it holds
//! agent   → Event              the job's feed from seq + 1 on
//! gateway → Ready              the controller's signature, as it came
//! agent   → Leases             how it sells time by the tick
//! gateway → LeaseCall { call } open, pay, stop, look at or refund      agent → LeaseAnswer { call }
//! agent   → LeaseNews          a lease went on
//! ```

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

mod lease;
pub use lease::{LEASE_CALLS_MAX, LEASE_WITHIN_S, LeaseAsk, LeaseOffer, LeaseReply, LeaseState};

use crate::{
    HardwareJson, SignatureBytes, TermsJson,
    feed::{BeatJson, JobEvent},
    http::{JobMetricsPoint, MetricsPoint, ReadyBody},
};

/// Where the gateway serves the link.
pub const PATH: &str = "/api/v1/agents/link";
/// The only version there is.
pub const VERSION: u32 = 1;
/// The largest message either side accepts: a log line or a beat with many jobs fits many times.
pub const MESSAGE_BYTES_MAX: usize = 256 << 10;
/// How often an agent measures.
pub const METRICS_EVERY_S: u64 = 10;
/// Resources one agent may announce.
pub const RESOURCES_MAX: usize = 64;

/// What an agent says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FromAgent {
    /// Answers the challenge.
    Hello {
        /// Version of this protocol.
        version: u32,
        /// The agent's address.
        agent: Address,
        /// What it serves. The gateway checks each against the chain.
        resources: Vec<Announced>,
        /// Over `signed::Hello` with the challenge's nonce and the resources' ids in order.
        signature: SignatureBytes,
    },
    /// It is alive.
    Beat {
        /// What it signed.
        beat: BeatJson,
        /// Its signature.
        signature: SignatureBytes,
    },
    /// What it measures, every ten seconds. Unsigned: the link knows who speaks, and no money follows from it.
    Metrics {
        /// The machine.
        machine: MetricsPoint,
        /// Each job that runs.
        jobs: Vec<JobMetrics>,
    },
    /// It serves this job.
    Job {
        /// The agreement; its hash is the job's id.
        terms: TermsJson,
    },
    /// News of a job announced before.
    Event {
        /// Which.
        job: B256,
        /// What.
        event: JobEvent,
    },
    /// It sells time by the tick, like this; said once, after the welcome.
    Leases {
        /// How.
        offer: LeaseOffer,
    },
    /// It answers a call.
    LeaseAnswer {
        /// Which.
        call: u64,
        /// What it says.
        answer: Box<LeaseReply>,
    },
    /// A lease went on by itself.
    LeaseNews {
        /// Which.
        lease: B256,
        /// Where it is now.
        state: Box<LeaseState>,
    },
}

/// A resource that an agent serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Announced {
    /// Its id.
    pub id: B256,
    /// What it is made of, as it is listed on chain.
    pub hardware: HardwareJson,
}

/// What a job's container uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobMetrics {
    /// Which.
    pub job: B256,
    /// What it uses.
    pub metrics: JobMetricsPoint,
}

/// What a gateway says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum FromGateway {
    /// The first message.
    Challenge {
        /// Fresh for this connection.
        nonce: B256,
        /// The chain it serves.
        chain_id: u64,
        /// The market it serves.
        market: Address,
    },
    /// The agent is known; it may speak.
    Welcome {},
    /// It is not; the connection closes.
    Refused {
        /// Why and what to do.
        reason: String,
    },
    /// The news of a job that the gateway holds already.
    Have {
        /// Which.
        job: B256,
        /// Its last number, 0 for none.
        seq: u64,
    },
    /// The controller lets the clock start.
    Ready {
        /// Which.
        job: B256,
        /// What was signed and by what signature.
        body: ReadyBody,
    },
    /// Something about a lease. Asked again with the same contents, it is answered the same and done once.
    LeaseCall {
        /// Comes back with the answer.
        call: u64,
        /// What.
        ask: Box<LeaseAsk>,
    },
}
