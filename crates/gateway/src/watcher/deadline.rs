//! The deadlines of a job, as the contract's `Clock` has them.

use market::{
    Seconds, Status, Timestamp,
    rules::{ACCEPT_WITHIN, ANSWER_WITHIN, CLOSE_AFTER, DISPUTE_WINDOW, PAUSE_MAX, RESUME_WITHIN, START_WITHIN},
};
use store::JobRow;

/// Never, as far as anybody can tell.
const NEVER: Timestamp = Timestamp(u64::MAX);

/// When the bought seconds are over, unless the clock stands before; for a clock that never started, never.
pub(super) fn clock_end(row: &JobRow) -> Timestamp {
    let bought = Seconds(u64::from(row.terms.maxDuration).saturating_add(row.extra.0));
    row.started_at.map_or(NEVER, |started| started.after(row.paused).after(bought))
}

/// The second after which anybody may move the job on from its present state: close it, finalize it, or settle a dispute
/// that nobody decided.
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
        Status::Ended => row.since.after(DISPUTE_WINDOW),
        Status::Disputed => row.since.after(ANSWER_WITHIN),
        Status::None | Status::Final | Status::Cancelled => NEVER,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use alloy_primitives::{B256, aliases::U40};
    use market::{Amount, BasisPoints, JobId, Outcome};
    use wire::Terms;

    use super::*;

    /// A job of an hour that is in this state since 1000.
    pub(in crate::watcher) fn row(status: Status, not_before: u64) -> JobRow {
        let terms = Terms {
            renter: Default::default(),
            controller: Default::default(),
            resourceId: B256::ZERO,
            pricePerHour: Default::default(),
            minCharge: Default::default(),
            maxDuration: 3600,
            notBefore: U40::from(not_before),
            cancelFeeBps: 0,
            specDigest: B256::ZERO,
            flags: 0,
            salt: 0,
            extra: B256::ZERO,
        };
        JobRow {
            id: JobId([7; 32]),
            terms,
            provider: 1,
            fee_bps: BasisPoints(0),
            status,
            outcome: Outcome::None,
            since: Timestamp(1000),
            created: (1, 0),
            created_at: Timestamp(900),
            accepted_at: None,
            started_at: None,
            ended_at: None,
            ready_record: None,
            locked: Amount(0),
            extra: Seconds(0),
            paused: Seconds(0),
            cover: Seconds(0),
            paid_seconds: Seconds(0),
            paid: Amount(0),
            seconds_run: None,
            refunded: Amount(0),
            fee: None,
            result_digest: None,
            ended_by: None,
            reason: None,
            changed: 1,
        }
    }

    #[test]
    fn each_state_has_its_deadline() {
        let started = |status| JobRow { started_at: Some(Timestamp(1000)), ..row(status, 0) };
        let table = [
            (row(Status::Created, 0), 1600),
            (row(Status::Created, 1000), 1600),
            (row(Status::Created, 5000), 8600),
            (row(Status::Accepted, 0), 4600),
            (row(Status::Accepted, 5000), 8600),
            (started(Status::Running), 1000 + 3600 + 7200),
            (JobRow { extra: Seconds(60), paused: Seconds(5), ..started(Status::Running) }, 1000 + 3665 + 7200),
            (started(Status::Silent), 1600),
            (started(Status::Paused), 1000 + 86_400),
            (JobRow { paused: Seconds(86_000), ..started(Status::Paused) }, 1400),
            (JobRow { paused: Seconds(90_000), ..started(Status::Paused) }, 1000),
            (started(Status::Ended), 1000 + 3600),
            (started(Status::Disputed), 1000 + 7 * 86_400),
            (started(Status::Final), u64::MAX),
            (started(Status::Cancelled), u64::MAX),
        ];
        for (row, deadline) in table {
            assert_eq!(close_after(&row), Timestamp(deadline), "{row:?}");
        }
        assert_eq!(
            (clock_end(&row(Status::Created, 0)), clock_end(&started(Status::Running))),
            (NEVER, Timestamp(4600))
        );
    }
}
