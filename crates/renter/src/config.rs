//! Settings of the renter's side, as plain values.

use std::{path::PathBuf, time::Duration};

use market::Seconds;
use url::Url;

/// What a renter needs besides a market and a key.
#[derive(Clone, Debug)]
pub struct RenterConfig {
    /// Folder of the job files.
    pub jobs_dir: PathBuf,
    /// The gateway that relays and takes content.
    pub gateway: Url,
    /// Block of the market's deployment (`deployedAt` of the market file): listings are looked for from there on.
    pub deployed_at: u64,
    /// How jobs are followed.
    pub follow: FollowConfig,
}

/// Patience while following a job.
#[derive(Clone, Copy, Debug)]
pub struct FollowConfig {
    /// The agent is heard at least this often while a job runs.
    pub heartbeat: Seconds,
    /// How long the news of the end and the result may take after the chain said that the job ended.
    pub result_within: Duration,
    /// Pause between two attempts to reach the gateway.
    pub retry: Duration,
}

impl Default for FollowConfig {
    fn default() -> Self {
        Self {
            heartbeat: market::rules::HEARTBEAT,
            result_within: Duration::from_secs(600),
            retry: Duration::from_secs(1),
        }
    }
}
