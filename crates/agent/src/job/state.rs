//! What the agent remembers of a job across restarts: where it stands and what later steps need.

use std::path::{Path, PathBuf};

use alloy_primitives::B256;
use market::{JobId, Mebibytes, Outcome};
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
    /// Nothing is left but record, news and the pins of the result, for a while.
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
    /// Set, and on disk, before the start is first sent: from then on the clock may run without our knowing.
    #[serde(default)]
    pub(crate) start_sent: bool,
    /// Bytes that the inputs take of the job's disk.
    #[serde(default)]
    pub(crate) inputs_bytes: u64,
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
    /// Set once the chain settled the job: until then there may be pay to collect, or a dispute to answer.
    #[serde(default)]
    pub(crate) settled: bool,
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
    /// What the job may write: its disk less what its inputs take.
    pub(crate) fn room_limit(&self) -> Mebibytes {
        let disk = self.spec.as_ref().map(|spec| spec.needs().disk).unwrap_or_default();
        Mebibytes((disk.bytes().saturating_sub(self.inputs_bytes) >> 20).max(1))
    }

    pub(crate) fn new(terms: &Terms) -> Self {
        Self {
            terms: terms.into(),
            phase: Phase::Assigned,
            spec: None,
            prepared: None,
            go: None,
            program_started: false,
            start_sent: false,
            inputs_bytes: 0,
            clock_seen_at: None,
            ended: None,
            completion: None,
            refusal: None,
            delivering_since: None,
            done_at: None,
            settled: false,
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

    /// The folder of a lease, which lies beside those of jobs.
    pub(crate) fn of_lease(state_dir: &Path, lease: JobId) -> Self {
        Self { path: state_dir.join("leases").join(lease.to_string()) }
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

    /// Moves the whole folder to a name that no job has, and says which.
    pub(crate) fn set_aside(&self) -> Result<PathBuf, AgentError> {
        let named = |number: u32| self.path.with_extension(format!("{number}.unreadable"));
        let aside = (0..).map(named).find(|path| !path.exists()).unwrap_or_else(|| named(u32::MAX));
        std::fs::rename(&self.path, &aside).map_err(AgentError::io(&self.path))?;
        Ok(aside)
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

/// Removes a folder and what is below it; one that is not there is as good. Folders that a job closed to everybody,
/// its own user included, are opened first.
pub(crate) fn remove_tree(path: &Path) -> Result<(), AgentError> {
    let mut removed = std::fs::remove_dir_all(path);
    if removed.as_ref().is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied) {
        open_folders(path);
        removed = std::fs::remove_dir_all(path);
    }
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(AgentError::io(path)(error)),
        _ => Ok(()),
    }
}

/// Gives every folder below `path` back to its owner; links are not followed.
fn open_folders(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        drop(std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)));
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        folders.extend(entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|it| it.path()));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn folders_that_a_job_closed_are_opened_again() {
        let dir = tempfile::tempdir().unwrap();
        let closed = dir.path().join("a/b");
        let outside = tempfile::tempdir().unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let set = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        std::fs::create_dir_all(&closed).unwrap();
        std::os::unix::fs::symlink(outside.path(), closed.join("link")).unwrap();
        set(outside.path(), 0o750);
        set(&closed, 0);
        set(&dir.path().join("a"), 0);
        open_folders(dir.path());
        assert_eq!((mode(&closed), mode(outside.path())), (0o700, 0o750));
        remove_tree(&dir.path().join("a")).unwrap();
        assert!(outside.path().exists() && !closed.exists());
    }

    #[test]
    fn what_is_set_aside_is_kept_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::of(dir.path(), JobId([7; 32]));
        for text in ["{", "["] {
            folder.make().unwrap();
            std::fs::write(folder.record(), text).unwrap();
            assert!(matches!(folder.load(), Err(AgentError::BadState { .. })));
            let aside = folder.set_aside().unwrap();
            assert_eq!(std::fs::read_to_string(aside.join("job.json")).unwrap(), text);
            assert!(matches!(folder.load(), Ok(None)));
        }
    }
}
