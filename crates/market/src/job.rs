//! A job's name and the states that the contract moves it through.

use std::fmt;

/// The hash of chain, market and terms: the job's name everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub [u8; 32]);

impl JobId {
    /// The first eight digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(10).collect()
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where a job stands on chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// The chain knows no such job.
    None,
    /// Money is locked; nobody accepted yet.
    Created,
    /// The provider holds the resource for it.
    Accepted,
    /// The clock runs.
    Running,
    /// The provider stopped the clock for a while.
    Paused,
    /// A watcher reported that the provider is not heard.
    Silent,
    /// The clock stands for good; a tail may still be due.
    Ended,
    /// A dispute is open.
    Disputed,
    /// Every unit of the lock has found its place.
    Final,
    /// It never ran and was refunded whole.
    Cancelled,
}

impl Status {
    /// The clock will not run again. Money may still move: a tail, and what a dispute decides.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Ended | Self::Disputed | Self::Final | Self::Cancelled)
    }

    /// Every unit of the lock has found its place; nothing moves any more.
    #[must_use]
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Final | Self::Cancelled)
    }

    /// The clock has started and not ended.
    #[must_use]
    pub fn has_clock(self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Silent)
    }
}

/// Why a job's clock ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It has not ended, or never started.
    None,
    /// The program ended with exit code 0.
    Succeeded,
    /// The program ended with another exit code.
    Failed,
    /// Renter or controller stopped it.
    StoppedByRenter,
    /// The provider could not go on.
    AbortedByProvider,
    /// The provider was not heard and did not come back.
    Silent,
    /// A dispute decided.
    Disputed,
}
