//! What can go wrong, sorted by what the caller does next.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cid::Cid;

/// The result of anything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every failure of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder of ours could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A stream given to us broke off.
    #[error("the stream broke off: {source}")]
    Stream {
        /// What its other end said.
        source: std::io::Error,
    },
    /// The other end of a body is slower than it may be.
    #[error(
        "the line stood still for {} s, or moved fewer than {bytes_per_s} bytes a second; try again over a faster one",
        idle.as_secs()
    )]
    Slow {
        /// The longest that a piece may take.
        idle: Duration,
        /// The slowest that is allowed over the whole.
        bytes_per_s: u64,
    },
    /// Another process has this store open.
    #[error("the block store {} is open in another process; stop that one first", path.display())]
    StoreLocked {
        /// The store's folder.
        path: PathBuf,
    },
    /// The batch would make the store larger than its limit; nothing of it was written.
    #[error(
        "the block store is full: {needed} bytes more would exceed its limit of {limit} bytes; raise the limit or unpin something"
    )]
    StoreFull {
        /// Bytes the batch needs.
        needed: u64,
        /// The configured limit.
        limit: u64,
    },
    /// The disk is full; the store is as it was before the batch.
    #[error("the disk under {} is full; free some space and try again", path.display())]
    DiskFull {
        /// The segment that could not grow.
        path: PathBuf,
    },
    /// Stored or received bytes do not have the hash that their CID names.
    #[error("the bytes of block {cid} are not those its CID names")]
    Corrupt {
        /// The block.
        cid: Cid,
    },
    /// Nobody who was asked has this block.
    #[error("block {cid} was not found")]
    NotFound {
        /// The block.
        cid: Cid,
    },
    /// A path names nothing in this DAG.
    #[error("{path:?} names nothing under {root}")]
    NoSuchPath {
        /// Where the path starts.
        root: Cid,
        /// The part that was looked for.
        path: String,
    },
    /// Text or bytes that are no CID of a supported kind.
    #[error("not a CID that can be used here: {reason}")]
    BadCid {
        /// What is wrong with it.
        reason: String,
    },
    /// A format was broken by its bytes.
    #[error("malformed {what}: {reason}")]
    Malformed {
        /// The format.
        what: &'static str,
        /// Where and how it is broken.
        reason: String,
    },
    /// Something is larger than its named limit.
    #[error("{what} is larger than the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit that it passed.
        limit: u64,
    },
    /// The node is of another kind than was asked for.
    #[error("{cid} is not a {wanted}")]
    WrongKind {
        /// The node.
        cid: Cid,
        /// What was asked for.
        wanted: &'static str,
    },
    /// A name or link that would leave the folder it belongs to.
    #[error("unsafe path {path:?}: {reason}")]
    UnsafePath {
        /// The name as it was found.
        path: String,
        /// Why it is refused.
        reason: &'static str,
    },
    /// An image breaks a rule of the OCI format or of ours.
    #[error("image refused: {reason}")]
    BadImage {
        /// The rule and where it was broken.
        reason: String,
    },
    /// A byte range lies outside the file.
    #[error("the range lies outside the {size} bytes of the file")]
    BadRange {
        /// The file's size.
        size: u64,
    },
    /// A server answered with something other than what was asked.
    #[error("{url} answered {status}: {detail}")]
    Server {
        /// The address without its query.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The first words of its explanation.
        detail: String,
    },
    /// A server could not be reached, or fell silent for longer than the named time.
    #[error("{url}: {reason}")]
    Unreachable {
        /// The address without its query.
        url: String,
        /// What happened.
        reason: String,
    },
    /// A worker thread ended without an answer: the program is shutting down.
    #[error("interrupted: the program is shutting down")]
    Interrupted,
}

impl Error {
    /// Whether the same call may succeed later, with nothing changed on this side.
    pub fn is_retryable(&self) -> bool {
        match self {
            Error::Stream { .. } | Error::Unreachable { .. } | Error::Interrupted | Error::DiskFull { .. } => true,
            Error::Server { status, .. } => *status >= 500 || matches!(*status, 408 | 429),
            _ => false,
        }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error + '_ {
        move |source| {
            if source.kind() == std::io::ErrorKind::StorageFull {
                Error::DiskFull { path: path.to_owned() }
            } else {
                Error::Io { path: path.to_owned(), source }
            }
        }
    }

    pub(crate) fn malformed(what: &'static str, reason: impl Into<String>) -> Error {
        Error::Malformed { what, reason: reason.into() }
    }

    pub(crate) fn image(reason: impl Into<String>) -> Error {
        Error::BadImage { reason: reason.into() }
    }
}

/// Carries our error through an interface that only knows `std::io::Error`.
impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        std::io::Error::other(error)
    }
}

/// Takes our error out again where [`From<Error>`] put it in.
impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        match error.downcast::<Error>() {
            Ok(ours) => ours,
            Err(source) => Error::Stream { source },
        }
    }
}
