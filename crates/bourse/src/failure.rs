//! Every error of the libraries as what a person reads: what happened, and what to do next.

use std::process::ExitCode;

/// Done, but the job did not succeed.
pub(crate) const JOB_FAILED: u8 = 3;
/// Refused before any money moved.
pub(crate) const REFUSED: u8 = 4;

/// An error at the rim.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Renter(#[from] renter::RenterError),
    #[error(transparent)]
    Chain(#[from] chain::ChainError),
    #[error(transparent)]
    Content(#[from] content::Error),
    #[error(transparent)]
    Gateway(#[from] gateway::GatewayError),
    #[error(transparent)]
    Agent(#[from] agent::AgentError),
    #[error(transparent)]
    Wire(#[from] wire::WireError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("{path}: {source}")]
    File { path: String, source: std::io::Error },
    /// The person's wish cannot be carried out as it stands.
    #[error("{0}")]
    Usage(String),
    /// The job ran, but not as it should have.
    #[error("{0}")]
    Job(String),
}

impl Failure {
    pub(crate) fn code(&self) -> ExitCode {
        use renter::RenterError as R;
        ExitCode::from(match self {
            Self::Usage(_) | Self::Wire(_) => REFUSED,
            Self::Renter(R::NoMatch { .. } | R::TooLittleMoney { .. } | R::BadJob(_) | R::Wire(_)) => REFUSED,
            Self::Job(_) | Self::Renter(R::Declined { .. }) => JOB_FAILED,
            _ => 1,
        })
    }

    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::File { path, source }
    }
}
