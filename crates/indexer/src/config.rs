//! Settings: plain values, filled in by whoever composes the program.

use std::time::Duration;

use chain::StreamConfig;

/// What is indexed, and as whom.
#[derive(Clone, Debug)]
pub struct IndexerConfig {
    /// The market's own block: nothing of it is older.
    pub from: u64,
    /// How the chain is read.
    pub stream: StreamConfig,
    /// This process's name among those that share the database. It must be no other's: whoever has the name has the
    /// lease. A name that stays the same over a restart makes the restart go on at once.
    pub holder: String,
    /// Who writes says so at least this often; after so long without a word another process takes over.
    pub lease: Duration,
}

impl IndexerConfig {
    /// As the process `holder`, with a lease of ten seconds: an index that stands still for longer is noticed.
    #[must_use]
    pub fn new(from: u64, holder: String) -> Self {
        Self { from, stream: StreamConfig::default(), holder, lease: Duration::from_secs(10) }
    }
}
