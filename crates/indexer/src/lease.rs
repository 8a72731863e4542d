//! One process at a time writes an index: the one that holds the lease, as long as it says so.

use std::time::{Duration, Instant};

use store::{INDEX_LEASE, Store, StoreError};

/// The database counts in whole seconds, so a lease may be over one second early; shorter ones would leave no time.
const LENGTH_MIN: Duration = Duration::from_secs(3);
/// What the whole seconds may take.
const ROUNDING: Duration = Duration::from_secs(1);

/// The lease, and until when it is certainly ours.
#[derive(Debug)]
pub(crate) struct Lease {
    store: Store,
    holder: String,
    length: Duration,
    /// When the last granted request was sent: it counts from there at the earliest.
    granted: Option<Instant>,
}

impl Lease {
    pub(crate) fn new(store: Store, holder: String, length: Duration) -> Self {
        let length = length.max(LENGTH_MIN);
        Self { store, holder, length, granted: None }
    }

    /// Asks for it, or for more of it.
    pub(crate) async fn ask(&mut self) -> Result<bool, StoreError> {
        let asked = Instant::now();
        let granted = self.store.index_lease(&self.holder, self.length.as_secs()).await?;
        self.granted = granted.then_some(asked);
        Ok(granted)
    }

    /// A third of it is over: two more tries are left.
    pub(crate) fn is_due(&self) -> bool {
        self.due_in().is_zero()
    }

    /// The time until it should be asked for again.
    pub(crate) fn due_in(&self) -> Duration {
        self.granted.map_or(Duration::ZERO, |at| (self.length / 3).saturating_sub(at.elapsed()))
    }

    /// It is ours for long enough to write something. The last fifth is left to a transaction under way.
    pub(crate) fn is_held(&self) -> bool {
        self.granted.is_some_and(|at| at.elapsed() < (self.length - ROUNDING) / 5 * 4)
    }

    /// Lets the next process have it at once. That it cannot be said does no harm: it runs out by itself.
    pub(crate) async fn release(&mut self) {
        if self.granted.take().is_some()
            && let Err(error) = self.store.end_lease(INDEX_LEASE, &self.holder).await
        {
            tracing::debug!(%error, "giving the index's lease back");
        }
    }
}
