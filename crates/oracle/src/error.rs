//! What can go wrong in the oracle, sorted by what the caller does next.

use chain::ChainError;
use market::JobId;
use store::StoreError;
use wire::{WireError, receipt::ReceiptKind};

use crate::receipts::Line;

/// Every failure of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OracleError {
    /// The chain's own reason.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The database's own reason.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The block store's own reason.
    #[error("the receipt cannot be kept for serving: {0}")]
    Content(#[from] content::Error),
    /// A format does not hold.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// What the receipt is about has not happened, as far as the given events tell.
    #[error("there is no {} of job {job} yet: the events that were read hold none", kind.name())]
    NotYet {
        /// The job.
        job: JobId,
        /// What was asked for.
        kind: ReceiptKind,
    },
    /// Events and formulas tell different things; nobody signs either. Look at the endpoint, then at the contract.
    #[error("{what} of job {job} is {told} by its events and {computed} by the formula; no receipt is written")]
    Disagree {
        /// The job.
        job: JobId,
        /// What differs.
        what: &'static str,
        /// As the events tell.
        told: String,
        /// As it should be.
        computed: String,
    },
    /// Something that a receipt names is not on chain: the listing, the provider, a time.
    #[error("{what} of job {job} is not to be found on chain; no receipt is written")]
    Missing {
        /// The job.
        job: JobId,
        /// What is missing.
        what: &'static str,
    },
    /// A document is larger than anybody reads: a listing with a name of kilobytes.
    #[error("the receipt of job {job} has {bytes} bytes, the limit is {limit}; no receipt is written")]
    TooLong {
        /// The job.
        job: JobId,
        /// What it would have.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The database holds another document under the key of this one. Nothing was written.
    #[error("there is another document under {key} already; the database and the chain do not belong together")]
    Conflict {
        /// The idempotency key.
        key: String,
    },
    /// A thread of this process ended before its work was done.
    #[error("keeping a receipt was interrupted: {reason}")]
    Stopped {
        /// Why.
        reason: String,
    },
    /// The loop ended where the settings of a test let it die.
    #[error("ended on the line {line:?}, as the settings ask")]
    Died {
        /// Where.
        line: Line,
    },
}

impl OracleError {
    /// The same may succeed when it is tried again later, and trying does no harm.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Chain(error) => error.is_retryable(),
            Self::Store(error) => error.is_retryable(),
            _ => false,
        }
    }

    /// What is wrong is this job's own, and the others can go on.
    #[must_use]
    pub fn is_of_the_job(&self) -> bool {
        matches!(
            self,
            Self::NotYet { .. }
                | Self::Disagree { .. }
                | Self::Missing { .. }
                | Self::TooLong { .. }
                | Self::Conflict { .. }
        )
    }
}
