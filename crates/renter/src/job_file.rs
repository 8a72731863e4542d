//! The renter's own record of a job: the terms, which the chain does not keep, and the session key where there is one.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use alloy_primitives::B256;
use chain::Wallet;
use market::JobId;
use serde::{Deserialize, Serialize};
use wire::{Terms, TermsJson};

use crate::RenterError;

/// One job as its renter remembers it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobFile {
    /// The job's id.
    pub job_id: B256,
    /// The chain it lives on.
    pub chain_id: u64,
    /// The agreement.
    pub terms: TermsJson,
    /// CID of the spec.
    pub spec: String,
    /// The session key in hex: it may let the clock start and stop the job, and never moves money to anybody. None where
    /// a watcher is the job's controller: then the renter's own key signs what is his to sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_key: Option<String>,
    /// The transaction that locked the money, once known.
    pub created_in: Option<B256>,
    /// Block before that transaction: the job's events are not older.
    pub from_block: u64,
}

impl std::fmt::Debug for JobFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JobFile").field("job_id", &self.job_id).finish_non_exhaustive()
    }
}

impl JobFile {
    /// The job's id.
    #[must_use]
    pub fn id(&self) -> JobId {
        JobId(self.job_id.0)
    }

    /// A watcher is the job's controller: it lets the clock start and counts beats.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.session_key.is_none()
    }

    /// The key that signs for this job: its session key, or else the renter's own, which `wallet` must be.
    pub fn signer(&self, wallet: &Wallet) -> Result<Wallet, RenterError> {
        match &self.session_key {
            Some(key) => Ok(Wallet::from_hex(key)?),
            None if wallet.address() == self.terms.renter => Ok(wallet.clone()),
            None => Err(RenterError::BadJob(format!(
                "job {} has no session key: its news are read with the wallet that pays, {}; name that one",
                self.id().short(),
                self.terms.renter
            ))),
        }
    }

    /// The agreement.
    pub fn terms(&self) -> Result<Terms, RenterError> {
        Ok(Terms::try_from(&self.terms)?)
    }
}

/// The folder of job files.
#[derive(Clone, Debug)]
pub struct JobFiles {
    dir: PathBuf,
}

impl JobFiles {
    /// Opens or makes the folder.
    pub fn open(dir: &Path) -> Result<Self, RenterError> {
        fs::create_dir_all(dir).map_err(RenterError::file(dir))?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// Writes a job durably before its money moves: without this file the renter could not stop his own job.
    pub fn save(&self, job: &JobFile) -> Result<(), RenterError> {
        let path = self.path(job.id());
        let bytes = serde_json::to_vec_pretty(job)
            .map_err(|err| RenterError::BadJob(format!("the job file cannot be written: {err}")))?;
        let write = || {
            // Temporary files are made with mode 0600; the session key in it is nobody else's.
            let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
            file.write_all(&bytes)?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|err| err.error)?;
            fs::File::open(&self.dir)?.sync_all()
        };
        write().map_err(RenterError::file(&path))
    }

    /// Forgets a job that never came to be.
    pub(crate) fn remove(&self, job: &JobFile) -> Result<(), RenterError> {
        let path = self.path(job.id());
        fs::remove_file(&path).map_err(RenterError::file(&path))
    }

    /// Finds a job by the beginning of its id; it must be the only one that begins so.
    pub fn find(&self, prefix: &str) -> Result<JobFile, RenterError> {
        let wanted = format!("0x{}", prefix.trim_start_matches("0x").to_lowercase());
        let named = |path: &PathBuf| {
            path.file_stem().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(&wanted))
        };
        let mut found: Vec<_> = self.paths()?.into_iter().filter(named).collect();
        let path = match (found.pop(), found.is_empty()) {
            (Some(path), true) => path,
            (None, _) => return Err(RenterError::UnknownJob(prefix.into())),
            (Some(_), false) => {
                return Err(RenterError::BadJob(format!("several jobs begin with {prefix}; give more digits")));
            }
        };
        let job = read(&path)?;
        if self.path(job.id()) == path {
            Ok(job)
        } else {
            Err(RenterError::BadJob(format!("{} holds another job, {}", path.display(), job.id())))
        }
    }

    /// All jobs whose files can be read, newest first.
    pub fn list(&self) -> Result<Vec<JobFile>, RenterError> {
        let mut jobs = Vec::new();
        for path in self.paths()? {
            match read(&path) {
                Ok(job) => jobs.push(job),
                Err(error) => tracing::warn!(%error, "a job file is passed over"),
            }
        }
        jobs.sort_by_key(|job| std::cmp::Reverse((job.from_block, job.job_id)));
        Ok(jobs)
    }

    /// The files of the folder that may be job files.
    fn paths(&self) -> Result<Vec<PathBuf>, RenterError> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(RenterError::file(&self.dir))? {
            let path = entry.map_err(RenterError::file(&self.dir))?.path();
            if path.extension().is_some_and(|ext| ext == "json") {
                paths.push(path);
            }
        }
        Ok(paths)
    }

    fn path(&self, job: JobId) -> PathBuf {
        self.dir.join(format!("{job}.json"))
    }
}

fn read(path: &Path) -> Result<JobFile, RenterError> {
    let bytes = fs::read(path).map_err(RenterError::file(path))?;
    serde_json::from_slice(&bytes).map_err(|err| RenterError::BadJob(format!("{}: {err}", path.display())))
}
