//! Settings, as plain values: whoever composes the program fills them in.

use std::time::Duration;

use crate::receipts::Line;

/// Jobs that one step takes from the index: their rows are held in memory, and the step before it is soon over.
pub const BATCH: u64 = 64;
/// Commits that are on their way at once. Nodes keep sixteen transactions of one key ready to be mined.
pub const IN_FLIGHT_MAX: usize = 16;
/// Receipts that one look follows: all that are on their way, and some that wait for their turn.
pub const FOLLOWED_MAX: u64 = 64;
/// Between two looks. Finality takes seconds to minutes; a look costs a question to the database and one to the chain.
pub const POLL: Duration = Duration::from_secs(1);
/// Longest wait after failures in a row.
pub const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// The same bytes are handed in again after this long: longer than a block takes, shorter than anybody's patience.
pub const RESEND_AFTER: Duration = Duration::from_secs(30);
/// A commit that is not in a block after so long is signed again for more: blocks became dearer, and those behind it wait
/// for its nonce.
pub const DEARER_AFTER: Duration = Duration::from_secs(180);
/// A process that is not heard by the database for so long has lost its place to another.
pub const LEASE_S: u64 = 30;

const _: () = assert!(LEASE_S >= 4 * POLL.as_secs(), "a slow look must not lose the lease");
const _: () = assert!(DEARER_AFTER.as_secs() > RESEND_AFTER.as_secs(), "it may only have been forgotten");
const _: () = assert!(IN_FLIGHT_MAX as u64 <= FOLLOWED_MAX, "what is on its way must be followed");

/// How receipts are written.
#[derive(Clone, Debug)]
pub struct ReceiptsConfig {
    /// The block in which the market was deployed: nothing of it is older.
    pub deployed_at: u64,
    /// This process's name in the database's lease of the receipts.
    pub holder: String,
    /// See [`POLL`].
    pub poll: Duration,
    /// See [`BATCH`].
    pub batch: u64,
    /// See [`IN_FLIGHT_MAX`].
    pub in_flight_max: usize,
    /// See [`RESEND_AFTER`].
    pub resend_after: Duration,
    /// See [`DEARER_AFTER`].
    pub dearer_after: Duration,
    /// See [`LEASE_S`].
    pub lease_s: u64,
    /// For tests of crashes: on this line the loop ends as if the process had died there.
    pub dies_at: Option<Line>,
}

impl ReceiptsConfig {
    /// The usual limits, for a market that was deployed in this block and a process of this name.
    #[must_use]
    pub fn new(deployed_at: u64, holder: impl Into<String>) -> Self {
        Self {
            deployed_at,
            holder: holder.into(),
            poll: POLL,
            batch: BATCH,
            in_flight_max: IN_FLIGHT_MAX,
            resend_after: RESEND_AFTER,
            dearer_after: DEARER_AFTER,
            lease_s: LEASE_S,
            dies_at: None,
        }
    }
}
