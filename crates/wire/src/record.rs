//! Documents that the agent signs: what was prepared, and how it ended. Their digests go on chain.

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

/// What stood ready when the clock started: bound by `Ready.readyRecord`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadyRecord {
    /// The job.
    pub job_id: B256,
    /// Root of the image that was verified.
    pub image: String,
    /// The image's config digest as the engine names it.
    pub image_id: String,
    /// Roots of the inputs that were verified.
    pub inputs: Vec<String>,
    /// The container that waits.
    pub container_id: String,
    /// What the job will see.
    pub hardware: crate::HardwareJson,
}

/// How a job ended: bound by `completeJob.resultDigest`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompletionRecord {
    /// The job.
    pub job_id: B256,
    /// The program's exit code; none when it was stopped before it ended.
    pub exit_code: Option<i64>,
    /// Why, when it did not succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Root of the output directory, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Root of the complete log, a text file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// The pretended card was pretended.
    pub simulated: bool,
}
