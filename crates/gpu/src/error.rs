//! What can go wrong with a card, sorted by what the caller does next.

use std::time::Duration;

/// Every failure of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// Take another card, or install its driver.
    #[error("{card} does not open: {reason}")]
    Open {
        /// The card.
        card: String,
        /// The driver's words.
        reason: String,
    },
    /// Ask for a smaller proof.
    #[error("{needed} bytes in one piece are more than {card} takes ({limit}): ask for a smaller size")]
    TooLarge {
        /// The card.
        card: String,
        /// Bytes of one matrix.
        needed: u64,
        /// The driver's limit.
        limit: u64,
    },
    /// The card or its driver gave up.
    #[error("{card} failed: {reason}")]
    Failed {
        /// The card.
        card: String,
        /// The driver's words.
        reason: String,
    },
    /// The card hangs.
    #[error("{card} did not answer within {} s", within.as_secs())]
    Hangs {
        /// The card.
        card: String,
        /// The limit.
        within: Duration,
    },
}

impl From<GpuError> for proof::ProofError {
    fn from(error: GpuError) -> Self {
        Self::Card(error.to_string())
    }
}
