//! What can be wrong with something that arrived.

/// A refusal to read a document, with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Larger than its named limit.
    #[error("{what} has {bytes} bytes, more than the {limit} allowed: shorten it")]
    TooLarge {
        /// The document.
        what: &'static str,
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Not the documented shape.
    #[error("{what} cannot be read: {reason}")]
    Malformed {
        /// The document.
        what: &'static str,
        /// What is wrong and where.
        reason: String,
    },
    /// A field has a value out of its range.
    #[error("{field}: {reason}")]
    Field {
        /// Path of the field in the document.
        field: String,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// A signature is by another key than it must be, or by none.
    #[error("the signature over {what} is by {found}, not by {expected}")]
    Signer {
        /// What was signed.
        what: &'static str,
        /// Who signed, or why nobody did.
        found: String,
        /// Who should have.
        expected: String,
    },
    /// A signed statement is older or newer than it may be.
    #[error("{what} was signed {age_s} s ago, outside the {window_s} s allowed: check this machine's clock")]
    Stale {
        /// What was signed.
        what: &'static str,
        /// Its age; negative when it lies in the future.
        age_s: i64,
        /// The window.
        window_s: u64,
    },
}

impl WireError {
    pub(crate) fn field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Field { field: field.into(), reason: reason.into() }
    }
}
