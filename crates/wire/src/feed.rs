//! A job's feed: what happens to it, numbered by the agent, relayed by the gateway, read by renter and page.

use alloy_primitives::B256;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    SignatureBytes,
    record::{CompletionRecord, ReadyRecord},
};

/// The longest log line that travels; longer ones are cut by the agent.
pub const LOG_LINE_BYTES_MAX: usize = 16 << 10;

/// One piece of news about a job. Numbers start at 1 and have no gaps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobEvent {
    /// Position in the job's feed.
    pub seq: u64,
    /// When the agent saw it.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub news: JobNews,
}

/// What can happen to a job, as its agent tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum JobNews {
    /// The job went on to its next phase.
    JobStatusChanged {
        /// Which.
        phase: Phase,
    },
    /// Blocks of image or inputs arrive.
    #[serde(rename_all = "camelCase")]
    JobFetch {
        /// What is fetched: `image`, `inputs`, `spec`.
        what: String,
        /// Verified bytes so far.
        bytes: u64,
        /// All bytes, once known.
        total_bytes: Option<u64>,
    },
    /// All is prepared: the controller may let the clock start.
    JobReady {
        /// What stands ready.
        record: ReadyRecord,
        /// The agent's signature over the record (`Attest`).
        signature: SignatureBytes,
    },
    /// A line of the program's output.
    JobLog {
        /// `stdout` or `stderr`.
        stream: LogStream,
        /// Without its end.
        line: String,
    },
    /// The program said how far it is; never falls.
    JobProgress {
        /// 0–100.
        percent: u8,
        /// What it is doing.
        message: String,
    },
    /// The agent is alive and runs this job.
    JobBeat {
        /// What it signed.
        beat: BeatJson,
        /// Its signature.
        signature: SignatureBytes,
    },
    /// The job ended; what the agent put on chain.
    JobCompleted {
        /// The record whose digest is on chain.
        record: CompletionRecord,
        /// The agent's signature over the record (`Attest`).
        signature: SignatureBytes,
    },
    /// The agent will not run the job; the renter is refunded.
    JobDeclined {
        /// Why, in words.
        reason: String,
    },
}

/// Where an agent is with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// The agent took the job and holds the resource.
    Accepted,
    /// Image and inputs are fetched and verified.
    Fetching,
    /// The image is loaded and the container made.
    Preparing,
    /// The container waits for the clock.
    Ready,
    /// The clock runs and the program too.
    Running,
    /// The program ended; outputs are stored.
    Collecting,
    /// The end is put on chain.
    Settling,
    /// Everything is cleaned up.
    Done,
}

/// Where a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A heartbeat as JSON; see [`crate::signed::Beat`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BeatJson {
    /// Who beats.
    pub agent: alloy_primitives::Address,
    /// Unix seconds.
    pub at: u64,
    /// Jobs that run.
    pub jobs: Vec<B256>,
    /// Of all processors, or of the GPU where there is one.
    pub utilisation_pct: u16,
    /// Main memory in use.
    pub memory_mib: u32,
    /// Hottest GPU; 0 where unknown.
    pub temperature_c: u16,
    /// All GPUs; 0 where unknown.
    pub power_w: u32,
    /// Of the agent.
    pub uptime_s: u64,
}

impl From<&BeatJson> for crate::signed::Beat {
    fn from(json: &BeatJson) -> Self {
        use alloy_primitives::aliases::U40;
        Self {
            agent: json.agent,
            at: U40::saturating_from(json.at),
            jobs: json.jobs.clone(),
            utilisationPct: json.utilisation_pct,
            memoryMib: json.memory_mib,
            temperatureC: json.temperature_c,
            powerW: json.power_w,
            uptimeS: U40::saturating_from(json.uptime_s),
        }
    }
}
