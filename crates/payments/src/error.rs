//! What can go wrong with payments, sorted by what the caller does next.

use chain::ChainError;
use store::StoreError;

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
}

impl PaymentsError {
    /// The same may succeed when it is tried again later, and trying does no harm.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Chain(error) => error.is_retryable(),
            Self::Store(error) => error.is_retryable(),
        }
    }
}
