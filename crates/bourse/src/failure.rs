//! Every error of the libraries as what a person reads: what happened, and what to do next.

use std::process::ExitCode;

/// Done, but the job did not succeed.
pub(crate) const JOB_FAILED: u8 = 3;
/// Refused before any money moved.
pub(crate) const REFUSED: u8 = 4;
/// The job never ran: it was declined or cancelled, and the whole lock is back.
pub(crate) const NEVER_RAN: u8 = 5;

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
    Store(#[from] store::StoreError),
    #[error(transparent)]
    Index(#[from] indexer::IndexError),
    #[error(transparent)]
    Receipts(#[from] oracle::OracleError),
    #[error(transparent)]
    Payments(#[from] payments::PaymentsError),
    #[error(transparent)]
    Agent(#[from] agent::AgentError),
    #[error(transparent)]
    Proof(#[from] proof::ProofError),
    #[error(transparent)]
    Gpu(#[from] gpu::GpuError),
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
    /// Something failed before any money moved.
    #[error("{0}")]
    Refused(Box<Failure>),
    /// The provider did not take the job.
    #[error("the provider declined the job and {refunded} came back: {reason}")]
    Declined { reason: String, refunded: String },
    /// Something failed after the money was locked.
    #[error(
        "{source}. The job is {job}: `bourse status {job}` tells where it stands, `bourse watch {job}` goes on with it, `bourse result {job}` fetches what it left"
    )]
    Ordered { job: String, source: Box<Failure> },
}

impl Failure {
    pub(crate) fn code(&self) -> ExitCode {
        use renter::RenterError as R;
        ExitCode::from(match self {
            Self::Usage(_) | Self::Wire(_) | Self::Refused(_) | Self::Proof(_) => REFUSED,
            Self::Declined { .. } => NEVER_RAN,
            Self::Renter(R::NoMatch { .. } | R::TooLittleMoney { .. } | R::BadJob(_) | R::Wire(_)) => REFUSED,
            Self::Job(_) => JOB_FAILED,
            _ => 1,
        })
    }

    /// What failed, failed before any money moved.
    pub(crate) fn refused(self) -> Self {
        Self::Refused(Box::new(self))
    }

    /// What failed, failed with a job on the chain: the person must learn its name.
    pub(crate) fn with_job(job: &str) -> impl FnOnce(Self) -> Self {
        let job = job.to_owned();
        move |source| match source {
            Self::Declined { .. } | Self::Job(_) | Self::Ordered { .. } => source,
            source => Self::Ordered { job, source: Box::new(source) },
        }
    }

    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::File { path, source }
    }
}
