//! What can go wrong with payments, sorted by what the caller does next.

use chain::ChainError;
use store::StoreError;

use crate::ledger::Refusal;

/// Every failure of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PaymentsError {
    /// The chain's own reason.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The database's own reason.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The ledger refused a posting, and nothing has changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database did not answer while a posting was written: it may stand or not. Post the same again; it counts once.
    #[error("the ledger does not answer: {reason}; whether the posting stands is not known, post the same again")]
    Unanswered {
        /// What happened.
        reason: String,
    },
    /// The database refused what the rules allowed: the ledger is broken, or somebody wrote past it. Nothing was written.
    #[error("the ledger does not add up: {reason}; nothing was written, audit the ledger before anything else")]
    Broken {
        /// What the database said.
        reason: String,
    },
    /// The writer of this process has ended.
    #[error("the ledger's writer has ended; start the program again")]
    Ended,
}

impl PaymentsError {
    /// The same may succeed when it is tried again later, and trying does no harm.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Chain(error) => error.is_retryable(),
            Self::Store(error) => error.is_retryable(),
            Self::Unanswered { .. } => true,
            _ => false,
        }
    }

    /// Why the ledger refused, when it did.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}
