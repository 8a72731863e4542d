//! What can go wrong, by what the caller does next.

use alloy_primitives::Address;
use chain::ChainError;
use market::{Amount, JobId, ResourceId, Status};
use store::StoreError;

/// Why indexing does not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The database does not answer, or indexes another market.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain does not answer as it should.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The chain's log and the rows do not go together. Trying again will not help: rebuild the index, and if it comes
    /// back, this version does not know the contract.
    #[error("block {block}, log entry {log_index}: {kind} cannot have happened: {why}; run `bourse indexer rebuild`")]
    Impossible {
        /// The event's block.
        block: u64,
        /// Its place in the block.
        log_index: u64,
        /// The contract's name for it.
        kind: &'static str,
        /// What does not fit.
        why: Contradiction,
    },
    /// A block does not follow what is indexed. The index must be opened again.
    #[error("block {block} does not follow block {head}, the newest in the index")]
    Disorder {
        /// What came.
        block: u64,
        /// What it should follow.
        head: u64,
    },
    /// Another process writes the index of this database.
    #[error("another process writes this index; stop it, or wait until it is gone")]
    Taken,
    /// The process was asked to end before the work was done.
    #[error("stopped before it was done; what is indexed so far stays, and the next run goes on there")]
    Stopped,
}

impl IndexError {
    /// The same may succeed when the index is opened again later, and trying does no harm.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            // Somebody else wrote, or emptied the index: where it stands now must be read again.
            Self::Store(StoreError::NotNext { .. } | StoreError::NotBegun) => true,
            Self::Store(error) => error.is_retryable(),
            // The stream waits outages out by itself; what it gives up on is mended at the node, while we run.
            Self::Chain(_) | Self::Disorder { .. } => true,
            Self::Impossible { .. } | Self::Taken | Self::Stopped => false,
        }
    }
}

/// What an event says that the rows deny.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Contradiction {
    /// No event created the job.
    #[error("job {0} is unknown")]
    UnknownJob(JobId),
    /// No event listed the resource.
    #[error("resource {0} is unknown")]
    UnknownResource(ResourceId),
    /// No event registered the provider.
    #[error("provider {0} is unknown")]
    UnknownProvider(u32),
    /// The job was created before.
    #[error("job {0} exists")]
    JobExists(JobId),
    /// The resource was listed before.
    #[error("resource {0} exists")]
    ResourceExists(ResourceId),
    /// The provider was registered before.
    #[error("provider {0} exists")]
    ProviderExists(u32),
    /// The contract lets this happen in other states only.
    #[error("job {job} is {status:?}")]
    WrongStatus {
        /// Which job.
        job: JobId,
        /// Where it stands.
        status: Status,
    },
    /// A resource holds one job at a time.
    #[error("resource {resource} holds job {by}")]
    Held {
        /// Which resource.
        resource: ResourceId,
        /// The job that it holds.
        by: JobId,
    },
    /// No event proposed the slash.
    #[error("proposal {0} is unknown")]
    UnknownProposal(u64),
    /// The slash was proposed before.
    #[error("proposal {0} exists")]
    ProposalExists(u64),
    /// A proposal is settled once.
    #[error("proposal {0} is settled")]
    Settled(u64),
    /// No event opened a dispute, or it was decided before.
    #[error("job {0} has no open dispute")]
    NoDispute(JobId),
    /// The contract knows three verdicts.
    #[error("{0} of the pot is no verdict")]
    NoVerdict(u16),
    /// More stake was used than there is.
    #[error("resource {resource} has {stake} staked, of which {free} are free")]
    Overstaked {
        /// Whose stake.
        resource: ResourceId,
        /// All of it.
        stake: Amount,
        /// What nothing holds.
        free: Amount,
    },
    /// More was withdrawn than waited.
    #[error("{account} has {credit} to withdraw")]
    Overdrawn {
        /// Whose money.
        account: Address,
        /// What waits.
        credit: Amount,
    },
    /// A newer contract than this program.
    #[error("this version does not know the event")]
    UnknownEvent,
}
