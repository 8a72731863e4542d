//! Everything that can go wrong, sorted by who has to act.
use std::path::PathBuf;

/// Exit code for input or arguments that can never work: trying again is pointless.
const EXIT_BAD_INPUT: u8 = 2;
/// Exit code for what the machine refused: a full disk, a closed pipe.
const EXIT_MACHINE: u8 = 1;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}; see `corpus-index --help`")]
    Usage(String),
    #[error("cannot read {path}: {source}; give a tar archive of text files", path = path.display())]
    Input { path: PathBuf, source: std::io::Error },
    #[error("{path} is not a usable archive: {why}; give an uncompressed, complete tar of text files", path = path.display())]
    Archive { path: PathBuf, why: String },
    #[error("{path} is not an index of this program: {why}", path = path.display())]
    Index { path: PathBuf, why: &'static str },
    #[error("cannot write {path}: {source}", path = path.display())]
    Output { path: PathBuf, source: std::io::Error },
    #[error("cannot write to standard output: {0}")]
    Stdout(std::io::Error),
}

impl Error {
    /// The exit code that tells a script whether trying again makes sense.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Input { .. } | Self::Archive { .. } | Self::Index { .. } => EXIT_BAD_INPUT,
            Self::Output { .. } | Self::Stdout(_) => EXIT_MACHINE,
        }
    }
}
