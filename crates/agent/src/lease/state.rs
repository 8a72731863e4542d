//! What the agent remembers of a lease across restarts, money aside: that stands with its channel.

use std::path::{Path, PathBuf};

use alloy_primitives::B256;
use market::{JobId, Mebibytes};
use serde::{Deserialize, Serialize};
use wire::{JobSpec, SignatureBytes, TermsJson, http::LeasePhase, record::CompletionRecord};

use super::account::Account;
use crate::job::Folder;
use crate::{AgentError, disk};

/// Where the agent is with a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Phase {
    /// Its set-up is paid.
    Opened,
    /// Spec, image and inputs are fetched and verified.
    Fetching,
    /// The image is loaded and the container made.
    Preparing,
    /// The container waits for the first tick.
    Ready,
    /// The clock runs; so does the program, or it is about to.
    Running,
    /// The program is being stopped.
    Stopping,
    /// The program is over; outputs and log are being stored.
    Collecting,
    /// Its account is closed; the workspace is kept for a while.
    Done,
    /// Nothing is left but the record, for as long as somebody may ask.
    Removed,
}

impl Phase {
    /// Whether vouchers are taken for it.
    pub(crate) fn takes_ticks(self) -> bool {
        matches!(self, Self::Opened | Self::Fetching | Self::Preparing | Self::Ready | Self::Running)
    }

    /// The name that its payer is told.
    pub(crate) fn told(self) -> LeasePhase {
        match self {
            Self::Opened | Self::Fetching => LeasePhase::Fetching,
            Self::Preparing => LeasePhase::Preparing,
            Self::Ready => LeasePhase::Ready,
            Self::Running => LeasePhase::Running,
            Self::Stopping => LeasePhase::Stopping,
            Self::Collecting => LeasePhase::Collecting,
            Self::Done | Self::Removed => LeasePhase::Done,
        }
    }
}

/// Why a lease ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Ending {
    /// The program ended by itself.
    Exited,
    /// Its payer stopped it.
    Stopped,
    /// Nobody paid for two ticks.
    Unpaid,
    /// The payer takes his money out of the channel.
    MoneyLeaves,
    /// The longest that it may run is over.
    TimeOver,
    /// It wrote more than it may.
    DiskOver,
    /// It cannot be run here.
    Refused,
    /// This machine could not prepare it.
    Failed,
    /// The container is gone.
    ContainerGone,
    /// The engine stayed away.
    EngineGone,
}

impl Ending {
    /// What its payer is told.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Exited => "the program ended",
            Self::Stopped => "stopped by the payer",
            Self::Unpaid => "two ticks were not paid; the workspace is kept for a day",
            Self::MoneyLeaves => "the payer takes his money out of the channel",
            Self::TimeOver => "the longest time that was asked for is over",
            Self::DiskOver => "disk limit: the program wrote more than it asked for",
            Self::Refused => "it cannot be run here",
            Self::Failed => "this machine could not prepare it",
            Self::ContainerGone => "the container is gone and is never started twice",
            Self::EngineGone => "the container engine stopped and did not come back in time",
        }
    }

    /// Whether this machine failed: then the set-up is not charged.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Failed | Self::ContainerGone | Self::EngineGone)
    }
}

/// Everything of a lease that must survive the agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Record {
    /// The agreement; its hash is the lease's id.
    pub(crate) terms: TermsJson,
    /// The channel that pays.
    pub(crate) channel: B256,
    /// Hash of what whoever may read and stop it shows to a gateway.
    pub(crate) capability: B256,
    pub(crate) phase: Phase,
    /// Set once fetched and checked.
    pub(crate) spec: Option<JobSpec>,
    /// Bytes that the inputs take of its disk.
    pub(crate) inputs_bytes: u64,
    /// Unix seconds when it stood ready.
    pub(crate) ready_at: Option<u64>,
    /// Its payer asked to stop it: on disk before he is answered.
    pub(crate) stop_asked: bool,
    /// Set, and on disk, before the engine is first asked to start the program. A container that is missing
    /// afterwards is never made again.
    pub(crate) program_started: bool,
    /// Why it ends; set, and on disk, before the program is stopped.
    pub(crate) ending: Option<Ending>,
    pub(crate) exit_code: Option<i64>,
    /// More about the end.
    pub(crate) detail: Option<String>,
    /// The signed record of the end.
    pub(crate) completion: Option<Completion>,
    /// Its account as it was closed: the channel forgets it when it is closed itself.
    pub(crate) account: Option<Account>,
    /// Unix seconds when it was over.
    pub(crate) done_at: Option<u64>,
    /// The lease that goes on in its workspace.
    #[serde(default)]
    pub(crate) resumed_by: Option<B256>,
    /// Unix seconds when that was opened: until it has the workspace nothing is removed.
    #[serde(default)]
    pub(crate) resumed_at: Option<u64>,
}

/// The signed record of the end, and what was stored for the payer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Completion {
    pub(crate) record: CompletionRecord,
    pub(crate) signature: SignatureBytes,
    pub(crate) roots: Vec<String>,
}

impl Record {
    pub(crate) fn new(terms: TermsJson, channel: B256, capability: B256) -> Self {
        Self {
            terms,
            channel,
            capability,
            phase: Phase::Opened,
            spec: None,
            inputs_bytes: 0,
            ready_at: None,
            stop_asked: false,
            program_started: false,
            ending: None,
            exit_code: None,
            detail: None,
            completion: None,
            account: None,
            done_at: None,
            resumed_by: None,
            resumed_at: None,
        }
    }

    /// What it may write: its disk less what its inputs take.
    pub(crate) fn room_limit(&self) -> Mebibytes {
        let disk = self.spec.as_ref().map(|spec| spec.needs().disk).unwrap_or_default();
        Mebibytes((disk.bytes().saturating_sub(self.inputs_bytes) >> 20).max(1))
    }

    /// Why it ended, in words.
    pub(crate) fn reason(&self) -> Option<String> {
        let ending = self.ending?;
        match (ending, &self.detail) {
            (Ending::Exited, None) => None,
            (Ending::Exited | Ending::Refused, Some(detail)) => Some(detail.clone()),
            (_, None) => Some(ending.reason().to_owned()),
            (_, Some(detail)) => Some(format!("{}; {detail}", ending.reason())),
        }
    }
}

/// The file of a lease's record.
pub(crate) fn path(folder: &Folder) -> PathBuf {
    folder.path().join("lease.json")
}

/// The leases that are written down.
pub(crate) fn written_down(state_dir: &Path) -> Result<Vec<(JobId, Record)>, AgentError> {
    let leases = state_dir.join("leases");
    std::fs::create_dir_all(&leases).map_err(AgentError::io(&leases))?;
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&leases).map_err(AgentError::io(&leases))? {
        let name = entry.map_err(AgentError::io(&leases))?.file_name();
        let Some(id) = name.to_str().and_then(|name| name.parse::<B256>().ok()) else { continue };
        let id = JobId(id.0);
        match disk::load::<Record>(&path(&Folder::of_lease(state_dir, id))) {
            Ok(record) => found.extend(record.map(|record| (id, record))),
            Err(error) => tracing::error!(lease = %id, %error, "a lease's record cannot be read; it is passed over"),
        }
    }
    Ok(found)
}
