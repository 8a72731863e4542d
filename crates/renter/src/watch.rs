//! What the renter does next about a job, decided from what was seen and nothing else.

use market::{
    Seconds, Status, Timestamp,
    rules::{ACCEPT_WITHIN, CLOSE_AFTER, MISSED_BEATS_MAX, PAUSE_MAX, RESUME_WITHIN, START_WITHIN},
};

/// A signature that started nothing is renewed after this long: well before the chain finds it too old.
const SIGN_AGAIN_AFTER: Seconds = Seconds(60);

/// A job's state as far as its renter knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Time of the newest block.
    pub now: Timestamp,
    /// Where the job stands on chain.
    pub status: Status,
    /// Since when.
    pub since: Timestamp,
    /// The clock may not start before.
    pub not_before: Timestamp,
    /// When the clock ends by itself, once it runs.
    pub clock_end: Option<Timestamp>,
    /// How long the clock stood before, in all.
    pub paused: Seconds,
    /// The agent's readiness record was seen and found right.
    pub ready: bool,
    /// When it was signed last.
    pub signed_at: Option<Timestamp>,
    /// The agent was last heard, or could be heard again, at.
    pub heard: Seen,
}

/// When the agent was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It cannot be heard now: the way to it is cut, which proves nothing.
    Deaf,
    /// It was heard, or the way to it opened, at this block time.
    At(Timestamp),
}

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Let the clock start.
    SignReady,
    /// Take the money back: nobody accepted or started in time.
    Cancel,
    /// Stop paying: the agent missed its beats.
    StopSilent,
    /// End what the chain allows anyone to end.
    Close,
    /// It is over.
    Finish,
}

/// The next step, or nothing to do but wait.
#[must_use]
pub fn next(view: &View, heartbeat: Seconds) -> Option<Step> {
    let past = |from: Timestamp, within: Seconds| view.now > from.after(within);
    match view.status {
        Status::Created if view.now > unaccepted_until(view) => Some(Step::Cancel),
        Status::Accepted if past(view.since.max(view.not_before), START_WITHIN) => Some(Step::Cancel),
        Status::Created | Status::Accepted if view.ready && view.now >= view.not_before => {
            view.signed_at.is_none_or(|at| past(at, SIGN_AGAIN_AFTER)).then_some(Step::SignReady)
        }
        Status::Silent if past(view.since, RESUME_WITHIN) => Some(Step::Close),
        Status::Paused if past(view.since, Seconds(PAUSE_MAX.0.saturating_sub(view.paused.0))) => Some(Step::Close),
        Status::Running if view.clock_end.is_some_and(|end| past(end, CLOSE_AFTER)) => Some(Step::Close),
        Status::Running => match view.heard {
            Seen::At(heard) if past(heard.max(view.since), Seconds(heartbeat.0 * MISSED_BEATS_MAX)) => {
                Some(Step::StopSilent)
            }
            _ => None,
        },
        status if status.is_over() => Some(Step::Finish),
        _ => None,
    }
}

/// Until then a job that nobody accepted may still be started: in time for accepting, or in time for the start of a
/// reservation. A job whose `not_before` was over when it was created is no reservation.
fn unaccepted_until(view: &View) -> Timestamp {
    if view.not_before > view.since { view.not_before.after(START_WITHIN) } else { view.since.after(ACCEPT_WITHIN) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Timestamp = Timestamp(1_000_000);
    const BEAT: Seconds = Seconds(60);

    fn view(status: Status, after: u64) -> View {
        View {
            now: T.after(Seconds(after)),
            status,
            since: T,
            not_before: Timestamp(0),
            clock_end: None,
            paused: Seconds(0),
            ready: false,
            signed_at: None,
            heard: Seen::Deaf,
        }
    }

    #[test]
    fn the_table_of_steps() {
        let table = [
            (view(Status::None, 9999), None),
            (view(Status::Created, 600), None),
            (view(Status::Created, 601), Some(Step::Cancel)),
            (View { not_before: T.after(Seconds(50)), ..view(Status::Created, 3650) }, None),
            (View { not_before: T.after(Seconds(50)), ..view(Status::Created, 3651) }, Some(Step::Cancel)),
            (View { not_before: T, ..view(Status::Created, 600) }, None),
            (View { not_before: T, ..view(Status::Created, 601) }, Some(Step::Cancel)),
            (View { ready: true, ..view(Status::Created, 5) }, Some(Step::SignReady)),
            (View { ready: true, signed_at: Some(T), ..view(Status::Created, 60) }, None),
            (View { ready: true, signed_at: Some(T), ..view(Status::Accepted, 61) }, Some(Step::SignReady)),
            (View { ready: true, not_before: T.after(Seconds(9)), ..view(Status::Accepted, 8) }, None),
            (view(Status::Accepted, 3601), Some(Step::Cancel)),
            (View { not_before: T.after(Seconds(50)), ..view(Status::Accepted, 3650) }, None),
            (View { not_before: T.after(Seconds(50)), ..view(Status::Accepted, 3651) }, Some(Step::Cancel)),
            (View { not_before: Timestamp(1), ..view(Status::Accepted, 3600) }, None),
            (view(Status::Running, 100_000), None),
            (View { heard: Seen::At(T), ..view(Status::Running, 240) }, None),
            (View { heard: Seen::At(T), ..view(Status::Running, 241) }, Some(Step::StopSilent)),
            (View { heard: Seen::At(Timestamp(0)), ..view(Status::Running, 240) }, None),
            (View { clock_end: Some(T), ..view(Status::Running, 7201) }, Some(Step::Close)),
            (view(Status::Silent, 600), None),
            (view(Status::Silent, 601), Some(Step::Close)),
            (view(Status::Paused, 86_400), None),
            (view(Status::Paused, 86_401), Some(Step::Close)),
            (View { paused: Seconds(400), ..view(Status::Paused, 86_000) }, None),
            (View { paused: Seconds(400), ..view(Status::Paused, 86_001) }, Some(Step::Close)),
            (view(Status::Final, 0), Some(Step::Finish)),
            (view(Status::Cancelled, 0), Some(Step::Finish)),
        ];
        for (view, step) in table {
            assert_eq!(next(&view, BEAT), step, "{view:?}");
        }
    }
}
