//! Jobs as their readers get them: rows of the index, and figures that follow from them.

use alloy_primitives::{Address, B256};
use market::{Amount, Clock, Outcome, Seconds, Status, Stream, Timestamp};
use store::{EventRow, JobRow};
use wire::{
    Document, HardwareJson,
    http::{ChainEventJson, JobJson, JobStatusJson, Money, OutcomeJson, StatusJson},
};

/// A job as everybody may read it; `hardware` is its resource's.
pub(crate) fn job(row: &JobRow, hardware: Option<&HardwareJson>, token: Address) -> JobJson {
    let money = |amount: Amount| Money::new(amount, token);
    JobJson {
        id: B256::from(row.id.0),
        renter: row.terms.renter,
        controller: row.terms.controller,
        provider: row.provider.to_string(),
        resource_id: row.terms.resourceId,
        model: hardware.map(|hardware| hardware.model.clone()).unwrap_or_default(),
        simulated: hardware.is_some_and(|hardware| hardware.simulated),
        status: status_of(row.status),
        outcome: OutcomeJson::of(row.outcome),
        reason: row.reason.clone(),
        progress_pct: None,
        price_per_hour: money(Amount(row.terms.pricePerHour.to())),
        locked: money(row.locked),
        paid: money(row.paid),
        fee: row.fee.map(money),
        refunded: money(row.refunded),
        duration_s: stream(row).duration.0,
        runway: None,
        seconds_run: row.seconds_run.map(|seconds| seconds.0),
        paused_s: row.paused.0,
        created_at: moment(row.created_at),
        accepted_at: row.accepted_at.map(moment),
        started_at: row.started_at.map(moment),
        ended_at: row.ended_at.map(moment),
        spec: name(row.terms.specDigest),
        result_record: row.result_digest.filter(|digest| *digest != B256::ZERO).map(name),
        changed_block: row.changed,
    }
}

/// Where a job and its money stand at `now`. `stands` is where a clock that was held does.
pub(crate) fn status(row: &JobRow, stands: Option<Timestamp>, now: Timestamp, token: Address) -> JobStatusJson {
    let money = |amount: Amount| Money::new(amount, token);
    let stream = stream(row);
    let is_over = row.status.is_over();
    let now = now.max(row.since);
    let seconds = row.seconds_run.unwrap_or_else(|| on_the_clock(row, &stream, stands, now));
    let accrued = accrued(row, &stream, seconds);
    JobStatusJson {
        id: B256::from(row.id.0),
        status: status_of(row.status),
        outcome: OutcomeJson::of(row.outcome),
        progress_pct: None,
        at: moment(now),
        seconds: seconds.0,
        accrued: money(accrued),
        paid: money(row.paid),
        left: money(if is_over { row.refunded } else { row.locked.saturating_sub(accrued) }),
        runway_s: if is_over { 0 } else { stream.duration.0.saturating_sub(seconds.0) },
    }
}

fn on_the_clock(row: &JobRow, stream: &Stream, stands: Option<Timestamp>, now: Timestamp) -> Seconds {
    let Some(started_at) = row.started_at else {
        return Seconds(0);
    };
    let ended_at = match row.status {
        Status::Running => Timestamp(0),
        _ => stands.unwrap_or(row.since),
    };
    Clock { started_at, ended_at, paused: row.paused }.seconds(now, stream.duration)
}

/// What the clock has earned; of a job that is over what it did earn, for a provider who went away earns less.
fn accrued(row: &JobRow, stream: &Stream, seconds: Seconds) -> Amount {
    match row.fee {
        Some(fee) => row.paid.saturating_add(fee),
        // The rest went back to the renter when the clock ended; who gets this one is still open.
        None if row.status.is_over() => row.locked.saturating_sub(row.refunded),
        None => stream.earned(seconds),
    }
}

/// One thing that happened.
pub(crate) fn event(row: EventRow) -> ChainEventJson {
    let at = moment(row.at);
    let EventRow { block, log_index, tx, kind, who, detail, .. } = row;
    ChainEventJson { at, block, log_index, tx, kind, who, detail }
}

/// The payment stream of a job, with what was bought since.
pub(crate) fn stream(row: &JobRow) -> Stream {
    row.terms.stream(row.extra, row.fee_bps)
}

/// The index holds no job that the chain does not know; a row that said so would be one that was just created.
pub(crate) fn status_of(status: Status) -> StatusJson {
    StatusJson::of(status).unwrap_or(StatusJson::Created)
}

/// Block time as JSON has it; a time after the year 9999 is shown as its end.
pub(crate) fn moment(at: Timestamp) -> jiff::Timestamp {
    i64::try_from(at.0).ok().and_then(|at| jiff::Timestamp::from_second(at).ok()).unwrap_or(jiff::Timestamp::MAX)
}

/// The CID of the document with this digest.
fn name(digest: B256) -> String {
    // A digest of 32 bytes always has one.
    Document::cid_of(digest).map(|cid| cid.to_string()).unwrap_or_default()
}

/// The rented resource.
pub(crate) fn resource(row: &JobRow) -> B256 {
    row.terms.resourceId
}

/// A time out of an event's fields, whether it is written as a number or as digits.
pub(crate) fn seconds(value: &serde_json::Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Whether a job has run and left a record of how it ended.
pub(crate) fn has_record(row: &JobRow) -> bool {
    row.outcome != Outcome::None && row.result_digest.is_some_and(|digest| digest != B256::ZERO)
}

#[cfg(test)]
mod tests {
    use alloy_primitives::U256;
    use market::{BasisPoints, JobId};
    use wire::Terms;

    use super::*;

    const TOKEN: Address = Address::repeat_byte(9);

    fn row(status: Status) -> JobRow {
        let terms = Terms {
            renter: Address::repeat_byte(1),
            controller: Address::repeat_byte(2),
            resourceId: B256::repeat_byte(3),
            pricePerHour: U256::from(3600).to(),
            minCharge: U256::from(10).to(),
            maxDuration: 100,
            notBefore: U256::ZERO.to(),
            cancelFeeBps: 0,
            specDigest: B256::repeat_byte(4),
            flags: 0,
            salt: 1,
            extra: B256::ZERO,
        };
        JobRow {
            id: JobId([7; 32]),
            terms,
            provider: 3,
            fee_bps: BasisPoints(200),
            status,
            outcome: Outcome::None,
            since: Timestamp(1030),
            created: (5, 1),
            created_at: Timestamp(990),
            accepted_at: None,
            started_at: Some(Timestamp(1000)),
            ended_at: None,
            ready_record: None,
            locked: Amount(100),
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
            changed: 6,
        }
    }

    /// Seconds, accrued, left and runway at `now`.
    fn figures(row: &JobRow, stands: Option<u64>, now: u64) -> (u64, String, String, u64) {
        let seen = status(row, stands.map(Timestamp), Timestamp(now), TOKEN);
        (seen.seconds, seen.accrued.amount, seen.left.amount, seen.runway_s)
    }

    fn expected(seconds: u64, accrued: &str, left: &str, runway: u64) -> (u64, String, String, u64) {
        (seconds, accrued.into(), left.into(), runway)
    }

    #[test]
    fn the_money_follows_the_clock() {
        assert_eq!(figures(&row(Status::Running), None, 1040), expected(40, "40", "60", 60));
        assert_eq!(figures(&row(Status::Running), None, 9999), expected(100, "100", "0", 0));
        assert_eq!(figures(&row(Status::Paused), None, 9999), expected(30, "30", "70", 70));
        assert_eq!(figures(&row(Status::Silent), Some(1020), 9999), expected(20, "20", "80", 80));
        let created = JobRow { started_at: None, ..row(Status::Created) };
        assert_eq!(figures(&created, None, 1040), expected(0, "0", "100", 100));
        // A clock behind the chain's shows the time of its last change.
        let extended = JobRow { extra: Seconds(50), locked: Amount(150), ..row(Status::Running) };
        assert_eq!(figures(&extended, None, 5), expected(30, "30", "120", 120));
    }

    #[test]
    fn a_job_that_is_over_shows_what_moved() {
        let ended = JobRow {
            outcome: Outcome::Silent,
            seconds_run: Some(Seconds(4)),
            paid: Amount(4),
            fee: Some(Amount(0)),
            refunded: Amount(96),
            ..row(Status::Final)
        };
        assert_eq!(figures(&ended, None, 9999), expected(4, "4", "96", 0));
        let cancelled = JobRow { started_at: None, refunded: Amount(100), ..row(Status::Cancelled) };
        assert_eq!(figures(&cancelled, None, 9999), expected(0, "0", "100", 0));
    }

    #[test]
    fn names_are_cids_and_nothing_is_made_up() {
        let shown = job(&row(Status::Running), None, TOKEN);
        assert!(shown.spec.starts_with("bafkrei"), "{}", shown.spec);
        assert_eq!((shown.result_record, shown.fee, shown.seconds_run), (None, None, None));
        let none = JobRow { result_digest: Some(B256::ZERO), ..row(Status::Final) };
        assert_eq!(job(&none, None, TOKEN).result_record, None, "a stopped job has no record");
        assert_eq!(moment(Timestamp(u64::MAX)), jiff::Timestamp::MAX);
    }
}
