//! Whether a session still lasts: what it opened ends with it.

use market::Timestamp;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::{auth::Session, state::Shared};

/// When a socket looks at the session that opened it.
pub(crate) fn looks(shared: &Shared) -> Interval {
    let every = shared.limits.sessions_looked_every;
    let mut looks = interval_at(Instant::now() + every, every);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}

/// Whether the session is over at `now` (unix seconds): it ran out, or somebody signed out. While the store does not
/// answer only its own end is certain.
pub(crate) async fn is_over(shared: &Shared, session: &Session, now: u64) -> bool {
    match shared.store.session(session.hash, Timestamp(now)).await {
        Ok(found) => found.is_none(),
        Err(error) => {
            tracing::debug!(%error, "whether a session lasts cannot be known now");
            Timestamp(now) >= session.expires
        }
    }
}
