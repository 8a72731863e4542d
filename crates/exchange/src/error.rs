//! What can go wrong, sorted by what the caller does next.

use std::time::Duration;

use content::Cid;

/// The result of anything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every failure of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Everybody who was asked says that this block is not there: look elsewhere.
    #[error("block {cid} was not found: every peer that was asked lacks it")]
    NotFound {
        /// The block.
        cid: Cid,
    },
    /// No peer is left that could be asked: none could be reached, or those there were fell silent, left or lied.
    #[error("nobody is left to be asked for block {cid}: peers could not be reached, fell silent or left")]
    NoPeers {
        /// A block that is still missing.
        cid: Cid,
    },
    /// No block has come from anybody for the named time.
    #[error("no peer sent anything for {} s; block {cid} is still missing", waited.as_secs())]
    Silence {
        /// A block that is still missing.
        cid: Cid,
        /// How long was waited.
        waited: Duration,
    },
    /// What is being fetched is larger than it may be.
    #[error("{what} is larger than the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit that it passed.
        limit: u64,
    },
    /// A peer could not be reached.
    #[error("{address} could not be reached: {reason}")]
    Unreachable {
        /// Where it was looked for.
        address: String,
        /// What happened.
        reason: String,
    },
    /// The node cannot listen there.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        reason: String,
    },
    /// A setting that cannot be used.
    #[error("{what} cannot be used: {reason}")]
    BadSetting {
        /// Which one.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The table of who has what cannot be asked now.
    #[error("the routing table gave no answer: {reason}")]
    Routing {
        /// What happened.
        reason: String,
    },
    /// The block store, or a node of the DAG.
    #[error(transparent)]
    Content(#[from] content::Error),
    /// The node has stopped.
    #[error("the node has stopped")]
    Stopped,
}

impl Error {
    /// Whether the same call may succeed later, with nothing changed on this side.
    pub fn is_retryable(&self) -> bool {
        match self {
            Error::NoPeers { .. } | Error::Silence { .. } | Error::Unreachable { .. } | Error::Routing { .. } => true,
            Error::Content(error) => error.is_retryable(),
            _ => false,
        }
    }
}
