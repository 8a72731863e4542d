//! What can go wrong before there is a verdict, sorted by what the caller does next.

use crate::{COLUMNS_MAX, Check, ROUNDS_MAX, SIZE_MAX, TILE, VECTORS_MAX};

/// Every failure of this crate. A proof that does not hold is no failure but a [`Verdict`](crate::Verdict).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Ask for another size.
    #[error(
        "{rounds} products of size {size}: sizes are multiples of {TILE} up to {SIZE_MAX}, rounds 1 to {ROUNDS_MAX}"
    )]
    Shape {
        /// Rows of a matrix.
        size: u32,
        /// Products.
        rounds: u32,
    },
    /// Ask for another audit.
    #[error("an audit opens 1 to {COLUMNS_MAX} columns and no more than there are, with 1 to {VECTORS_MAX} vectors")]
    Audit,
    /// The prover takes no part: what it was sent is not for it.
    #[error("refused at `{}`: {detail}", check.name())]
    Refused {
        /// What does not hold.
        check: Check,
        /// What was compared.
        detail: String,
    },
    /// It is not this party's turn: the other one repeats itself or runs ahead.
    #[error("{what} is not awaited now")]
    OutOfTurn {
        /// What came.
        what: &'static str,
    },
    /// The bytes are no report that this version reads.
    #[error("{0}")]
    Report(String),
    /// The prover's card failed.
    #[error("the card failed: {0}")]
    Card(String),
    /// A format does not hold.
    #[error(transparent)]
    Wire(#[from] wire::WireError),
}
