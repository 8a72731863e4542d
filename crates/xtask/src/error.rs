//! Why a task did not succeed, and what to do about it.
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// What a shell reports for a program ended by Ctrl-C.
const EXIT_INTERRUPTED: u8 = 130;

/// Anything that stops a task.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot {what} {path}: {source}", path = path.display())]
    File { what: &'static str, path: PathBuf, source: std::io::Error },
    #[error("cannot start {program}: {source}")]
    Spawn { program: String, source: std::io::Error },
    #[error("{program} ended with {status}")]
    Failed { program: String, status: ExitStatus },
    #[error("{what} is missing: {remedy}")]
    Missing { what: String, remedy: String },
    #[error("{what} did not happen within {} s; {remedy}", limit.as_secs())]
    TimedOut { what: String, limit: Duration, remedy: String },
    #[error("{what} said something unexpected: {said}")]
    Unexpected { what: String, said: String },
    #[error("{count} of {of} steps failed: {names}")]
    Steps { count: usize, of: usize, names: String },
    #[error("{0} findings; each line says what to do")]
    Findings(usize),
    #[error("cannot read the workspace: {0}")]
    Metadata(#[from] cargo_metadata::Error),
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
    #[error("another `make run` holds {path}: end it first", path = .0.display())]
    Busy(PathBuf),
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    pub(crate) fn exit_code(&self) -> u8 {
        if matches!(self, Self::Interrupted) { EXIT_INTERRUPTED } else { 1 }
    }

    /// For `map_err`: what could not be done with which file.
    pub(crate) fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { what, path, source }
    }
}
