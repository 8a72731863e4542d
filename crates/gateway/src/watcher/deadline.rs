//! The deadlines of a job, as the contract's `Clock` has them.

use market::{
    Seconds, Status, Timestamp,
    rules::{ACCEPT_WITHIN, CLOSE_AFTER, PAUSE_MAX, RESUME_WITHIN, START_WITHIN},
};
use store::JobRow;

/// Never, as far as anybody can tell.
const NEVER: Timestamp = Timestamp(u64::MAX);

/// When the bought seconds are over, unless the clock stands before; for a clock that never started, never.
pub(super) fn clock_end(row: &JobRow) -> Timestamp {
    let bought = Seconds(u64::from(row.terms.maxDuration).saturating_add(row.extra.0));
    row.started_at.map_or(NEVER, |started| started.after(row.paused).after(bought))
}

/// The second after which anybody may close the job in its present state.
pub(super) fn close_after(row: &JobRow) -> Timestamp {
    let not_before = Timestamp(row.terms.notBefore.to());
    match row.status {
        // What was reserved for later may start then.
        Status::Created if not_before > row.since => not_before.after(START_WITHIN),
        Status::Created => row.since.after(ACCEPT_WITHIN),
        Status::Accepted => row.since.max(not_before).after(START_WITHIN),
        Status::Running => clock_end(row).after(CLOSE_AFTER),
        Status::Paused => row.since.after(Seconds(PAUSE_MAX.0.saturating_sub(row.paused.0))),
        Status::Silent => row.since.after(RESUME_WITHIN),
        _ => NEVER,
    }
}
