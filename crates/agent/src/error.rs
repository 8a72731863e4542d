//! What can go wrong in the agent, sorted by what the caller does next.

use std::path::{Path, PathBuf};

/// Every failure of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AgentError {
    /// A file or folder of ours could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Another agent works in the same folder.
    #[error("another agent uses {}; stop it first", path.display())]
    Locked {
        /// The state folder.
        path: PathBuf,
    },
    /// A file of ours holds something else.
    #[error("{} is not what this agent wrote: {reason}; move it away", path.display())]
    BadState {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The container engine does not answer.
    #[error("the container engine at {} does not answer: {reason}; start it", socket.display())]
    EngineAway {
        /// Its socket.
        socket: PathBuf,
        /// What happened.
        reason: String,
    },
    /// The container engine refused something.
    #[error("the container engine refused to {what}: {reason}")]
    Engine {
        /// What was asked.
        what: &'static str,
        /// Its answer.
        reason: String,
    },
    /// The chain could not be asked, or refused.
    #[error(transparent)]
    Chain(#[from] chain::ChainError),
    /// Content could not be stored, read or fetched.
    #[error(transparent)]
    Content(#[from] content::Error),
    /// A document that arrived is not what it must be.
    #[error(transparent)]
    Wire(#[from] wire::WireError),
    /// Nobody listed this machine for this agent.
    #[error("no listing names {agent} as its agent for this machine; list it with the owner's key")]
    NotListed {
        /// This agent's address.
        agent: alloy_primitives::Address,
    },
    /// Whoever is between could read and change what the gateway says.
    #[error("the gateway {gateway} is not on this machine and not reached over TLS; use https")]
    PlainGateway {
        /// Where it is.
        gateway: String,
    },
    /// The job cannot be run here; its renter gets everything back.
    #[error("{reason}")]
    Refused {
        /// Why, for the renter.
        reason: String,
    },
    /// The agent is shutting down.
    #[error("the agent is shutting down")]
    ShuttingDown,
}

impl AgentError {
    /// Whether the same call may succeed later, with nothing changed on this side.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::EngineAway { .. } => true,
            Self::Chain(error) => error.is_retryable(),
            Self::Content(error) => error.is_retryable(),
            _ => false,
        }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused { reason: reason.into() }
    }
}
