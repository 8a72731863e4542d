//! What can go wrong for a renter, by what to do next.

/// An error of the renter's side.
#[derive(Debug, thiserror::Error)]
pub enum RenterError {
    /// No offer fits.
    #[error("no resource fits: {why}")]
    NoMatch {
        /// The nearest offer and what stands in the way.
        why: String,
    },
    /// The wallet holds less than the job locks.
    #[error(
        "the wallet {wallet} holds {have} {symbol}, the job locks {need}: {missing} {symbol} are missing. \
         Send them there, or shorten the job with --max-duration"
    )]
    TooLittleMoney {
        /// Whose wallet.
        wallet: String,
        /// In whole tokens.
        have: String,
        /// In whole tokens.
        need: String,
        /// In whole tokens.
        missing: String,
        /// The token.
        symbol: String,
    },
    /// The template or the wish is wrong.
    #[error("{0}")]
    BadJob(String),
    /// What the gateway said cannot be true.
    #[error("{what} does not hold: {detail}. Try another provider or gateway")]
    Untrue {
        /// The claim.
        what: &'static str,
        /// What was found.
        detail: String,
    },
    /// No job of that name is known here.
    #[error("no job {0} is known here; `bourse ps` lists those that are")]
    UnknownJob(String),
    /// The gateway cannot be reached or refused.
    #[error("the gateway at {url} {problem}")]
    Gateway {
        /// Which.
        url: String,
        /// What happened.
        problem: String,
        /// Another attempt may help.
        retryable: bool,
    },
    /// The gateway knows nothing of that name; it may come yet.
    #[error("the gateway at {url} {problem}")]
    NotThere {
        /// Which gateway.
        url: String,
        /// What it said.
        problem: String,
    },
    /// The job ended, but its result did not arrive.
    #[error(
        "the job ended, but its result did not arrive within {within_s} s: {detail}. \
         `bourse result JOB` fetches it later"
    )]
    NoResult {
        /// How long was waited.
        within_s: u64,
        /// What was missing.
        detail: String,
    },
    /// A document was refused.
    #[error(transparent)]
    Wire(#[from] wire::WireError),
    /// The chain refused or cannot be reached.
    #[error(transparent)]
    Chain(#[from] chain::ChainError),
    /// Content cannot be stored or found.
    #[error(transparent)]
    Content(#[from] content::Error),
    /// A file of ours cannot be written or read.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

impl RenterError {
    /// The same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Gateway { retryable, .. } => *retryable,
            Self::Chain(err) => err.is_retryable(),
            Self::NoResult { .. } | Self::NotThere { .. } => true,
            _ => false,
        }
    }

    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::File { path, source }
    }
}
