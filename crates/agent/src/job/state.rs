//! What the agent remembers of a job across restarts: where it stands and what later steps need.

use std::path::{Path, PathBuf};

use alloy_primitives::B256;
use market::{JobId, Outcome};
use serde::{Deserialize, Serialize};
use wire::{
    JobSpec, SignatureBytes, Terms, TermsJson,
    http::ReadyBody,
    record::{CompletionRecord, ReadyRecord},
};

use crate::{AgentError, disk};

/// Where the agent is with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Phase {
    /// Seen on chain. The acceptance is sent while fetching begins.
    Assigned,
    /// Spec, image and inputs are fetched and verified.
    Fetching,
    /// The image is loaded and the container made.
    Preparing,
    /// The container waits for the controller.
    Ready,
    /// The controller agreed; the start is on its way to the chain.
    Starting,
    /// The clock runs on chain; so does the program, or it is about to.
    Running,
    /// The program is over; outputs and log are stored.
    Collecting,
    /// The end is on its way to the chain.
    Completing,
    /// The refusal is on its way to the chain.
    Declining,
    /// The renter's side gets what there is to get.
    Delivering,
    /// Container, scratch and inputs are removed.
    CleaningUp,
    /// Nothing is left but the pins of the result, for a while.
    Done,
}

/// Everything of a job that must survive the agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Record {
    /// The agreement.
    pub(crate) terms: TermsJson,
    pub(crate) phase: Phase,
    /// Set once fetched and checked.
    pub(crate) spec: Option<JobSpec>,
    /// Set once the container is made.
    pub(crate) prepared: Option<Prepared>,
    /// What the controller signed, verified.
    pub(crate) go: Option<ReadyBody>,
    /// Set, and on disk, before the engine is first asked to start the program. A container that is missing
    /// afterwards is never made again.
    pub(crate) program_started: bool,
    /// Unix seconds of this machine when the clock was seen running.
    pub(crate) clock_seen_at: Option<u64>,
    /// How the program ended.
    pub(crate) ended: Option<Ended>,
    /// What goes on chain at the end.
    pub(crate) completion: Option<Completion>,
    /// Why the job is refused.
    pub(crate) refusal: Option<String>,
    /// Unix seconds when delivering began, and when everything was done.
    pub(crate) delivering_since: Option<u64>,
    pub(crate) done_at: Option<u64>,
}

/// A container that waits, and the signed record of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Prepared {
    pub(crate) record: ReadyRecord,
    pub(crate) digest: B256,
    pub(crate) signature: SignatureBytes,
    /// Unix seconds when it was published.
    pub(crate) since: u64,
}

/// How a program's run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Ended {
    pub(crate) exit_code: Option<i64>,
    pub(crate) outcome: Verdict,
    pub(crate) reason: Option<String>,
}

/// What the agent says of a run. What the chain says stands on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Verdict {
    /// Exit code 0.
    Succeeded,
    /// Another exit code, or the job went beyond what it bought.
    Failed,
    /// This machine could not go on.
    Aborted,
    /// The chain ended the job; the agent reports nothing there.
    EndedOnChain,
}

impl Verdict {
    /// The outcome to report; `None` where the chain already knows.
    pub(crate) fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Succeeded => Some(Outcome::Succeeded),
            Self::Failed => Some(Outcome::Failed),
            Self::Aborted => Some(Outcome::AbortedByProvider),
            Self::EndedOnChain => None,
        }
    }
}

/// The signed record of the end.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Completion {
    pub(crate) record: CompletionRecord,
    pub(crate) digest: B256,
    pub(crate) signature: SignatureBytes,
    /// Roots that were stored for the renter, the record's document included.
    pub(crate) roots: Vec<String>,
}

impl Record {
    pub(crate) fn new(terms: &Terms) -> Self {
        Self {
            terms: terms.into(),
            phase: Phase::Assigned,
            spec: None,
            prepared: None,
            go: None,
            program_started: false,
            clock_seen_at: None,
            ended: None,
            completion: None,
            refusal: None,
            delivering_since: None,
            done_at: None,
        }
    }
}

/// Where a job's files lie.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder of `job` under the agent's state folder.
    pub(crate) fn of(state_dir: &Path, job: JobId) -> Self {
        Self { path: state_dir.join("jobs").join(job.to_string()) }
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where the record lies.
    pub(crate) fn record(&self) -> PathBuf {
        self.path.join("job.json")
    }

    /// Where the journal lies.
    pub(crate) fn journal(&self) -> PathBuf {
        self.path.join("journal.jsonl")
    }

    /// Verified inputs, mounted read-only.
    pub(crate) fn inputs(&self) -> PathBuf {
        self.path.join("inputs")
    }

    /// What the job may write.
    pub(crate) fn room(&self) -> PathBuf {
        self.path.join("room")
    }

    /// Makes the folder, open to nobody else: what lies below has the rights that the job needs.
    pub(crate) fn make(&self) -> Result<(), AgentError> {
        use std::os::unix::fs::PermissionsExt;
        std::fs::create_dir_all(&self.path).map_err(AgentError::io(&self.path))?;
        let owner_only = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(&self.path, owner_only).map_err(AgentError::io(&self.path))
    }

    /// Writes the record.
    pub(crate) fn save(&self, record: &Record) -> Result<(), AgentError> {
        disk::save(&self.record(), record)
    }

    /// Reads the record; `None` where there is none.
    pub(crate) fn load(&self) -> Result<Option<Record>, AgentError> {
        disk::load(&self.record())
    }

    /// Removes everything but record and journal.
    pub(crate) fn clear(&self) -> Result<(), AgentError> {
        crate::scratch::remove(&self.room())?;
        remove_tree(&self.inputs())
    }

    /// Removes everything.
    pub(crate) fn remove(&self) -> Result<(), AgentError> {
        self.clear()?;
        remove_tree(&self.path)
    }
}

/// Removes a folder and what is below it; one that is not there is as good.
pub(crate) fn remove_tree(path: &Path) -> Result<(), AgentError> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(AgentError::io(path)(error)),
        _ => Ok(()),
    }
}
