//! What the watcher does next about a job, decided from what was seen and nothing else.

use std::time::Duration;

use alloy_primitives::B256;
use market::{
    Seconds, Timestamp,
    rules::{MISSED_BEATS_MAX, RESUME_WITHIN},
};

use super::Moment;

/// A signature that started nothing is renewed after this long: well before the chain finds it too old.
const SIGN_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// A report that failed is tried again after this long, and one that the chain seems to have lost too.
const REPORT_AGAIN_AFTER: Duration = Duration::from_secs(10);
/// A close that failed is tried again after this long: the chain's newest block may be older than our clock says.
const CLOSE_AGAIN_AFTER: Duration = Duration::from_secs(30);
/// The chain refuses a time older than [`RESUME_WITHIN`]; so much earlier the report must name one, to be mined in time.
const MINED_WITHIN: Seconds = Seconds(60);

const _: () = assert!(MINED_WITHIN.0 < RESUME_WITHIN.0);

/// Where the watcher is with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The clock does not run yet.
    Waiting {
        /// Digest of the readiness record that was found right.
        record: Option<B256>,
        /// When it was signed last.
        signed: Option<Moment>,
    },
    /// The clock runs: its agent is to be heard.
    Counting {
        /// The last beat, or the beginning of counting.
        heard: Moment,
        /// When its silence was reported last.
        reported: Option<Moment>,
    },
    /// The clock stands, and nobody beats for it.
    Standing,
}

/// One thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Let the clock start with this record.
    Sign { record: B256 },
    /// Say that the agent was last heard then.
    Report { last_seen: Timestamp },
    /// Close the job: its provider is past its deadline.
    Close,
}

/// What the steps depend on beside the job's own phase.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) heartbeat: Duration,
    /// Agents can be heard: the chain is read and the gateway's own address answers.
    pub(crate) hearing: bool,
    /// The job's clock may not start before.
    pub(crate) not_before: Timestamp,
    /// The second at which the bought time is over: no silence after that cuts anything short.
    pub(crate) clock_end: Timestamp,
    /// After this second anybody may close the job.
    pub(crate) close_after: Timestamp,
    /// When that was tried last.
    pub(crate) closed: Option<Moment>,
}

/// The next step, or nothing to do but wait. Silence counts only where it lasted by both clocks: a chain whose time jumps
/// says nothing about an agent, and neither does a gateway that ran while the chain stood.
pub(crate) fn next(phase: &Phase, now: Moment, rules: &Rules) -> Option<Step> {
    let past = |from: Moment, within: Duration| now.real.saturating_duration_since(from.real) > within;
    if now.block > rules.close_after {
        return rules.closed.is_none_or(|at| past(at, CLOSE_AGAIN_AFTER)).then_some(Step::Close);
    }
    match *phase {
        Phase::Waiting { record: Some(record), signed } if now.block >= rules.not_before => {
            signed.is_none_or(|at| past(at, SIGN_AGAIN_AFTER)).then_some(Step::Sign { record })
        }
        Phase::Counting { heard, reported } if rules.hearing => {
            let limit = rules.heartbeat * u32::try_from(MISSED_BEATS_MAX).unwrap_or(u32::MAX);
            let silent = Duration::from_secs(now.block.since(heard.block).0) > limit && past(heard, limit);
            let due = silent && reported.is_none_or(|at| past(at, REPORT_AGAIN_AFTER));
            let oldest = Timestamp(now.block.0.saturating_sub(RESUME_WITHIN.0 - MINED_WITHIN.0));
            let last_seen = heard.block.max(oldest);
            (due && last_seen < rules.clock_end).then_some(Step::Report { last_seen })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const RECORD: B256 = B256::repeat_byte(1);

    #[test]
    fn the_table_of_steps() {
        let start = Instant::now();
        let at = |block, real| Moment { block: Timestamp(block), real: start + Duration::from_secs(real) };
        let waiting = |record, signed| Phase::Waiting { record, signed };
        let counting = |reported| Phase::Counting { heard: at(1000, 1000), reported };
        let sign = Some(Step::Sign { record: RECORD });
        let report = |at| Some(Step::Report { last_seen: Timestamp(at) });
        let rules = Rules {
            heartbeat: Duration::from_secs(60),
            hearing: true,
            not_before: Timestamp(500),
            clock_end: Timestamp(20_000),
            close_after: Timestamp(30_000),
            closed: None,
        };
        let table = [
            (waiting(None, None), at(1000, 1000), None),
            (waiting(Some(RECORD), None), at(499, 1000), None),
            (waiting(Some(RECORD), None), at(500, 1000), sign),
            (waiting(Some(RECORD), Some(at(500, 1000))), at(2000, 1060), None),
            (waiting(Some(RECORD), Some(at(500, 1000))), at(500, 1061), sign),
            (Phase::Standing, at(9000, 9000), None),
            (counting(None), at(1240, 1240), None),
            (counting(None), at(1241, 1241), report(1000)),
            // Chain time jumped; the agent may beat at any moment.
            (counting(None), at(9000, 1010), None),
            (counting(None), at(9000, 1240), None),
            (counting(None), at(9000, 1241), report(8460)),
            // The chain stood.
            (counting(None), at(1240, 9000), None),
            (counting(Some(at(1241, 1241))), at(1251, 1251), None),
            (counting(Some(at(1241, 1241))), at(1252, 1252), report(1000)),
            (counting(None), at(1539, 1539), report(1000)),
            (counting(None), at(1641, 1641), report(1101)),
        ];
        for (phase, now, step) in table {
            assert_eq!(next(&phase, now, &rules), step, "{phase:?} at {now:?}");
        }
        for phase in [waiting(Some(RECORD), None), counting(None), Phase::Standing] {
            assert_ne!(next(&phase, at(30_000, 1000), &rules), Some(Step::Close), "{phase:?}");
            assert_eq!(next(&phase, at(30_001, 1000), &rules), Some(Step::Close), "{phase:?}");
            let tried = Rules { closed: Some(at(30_001, 1000)), hearing: false, ..rules };
            assert_eq!(next(&phase, at(30_050, 1030), &tried), None);
            assert_eq!(next(&phase, at(30_050, 1031), &tried), Some(Step::Close));
        }
        // The seconds that were bought are over: there is nothing to cut short.
        let ended =
            |clock_end| next(&counting(None), at(1241, 1241), &Rules { clock_end: Timestamp(clock_end), ..rules });
        assert_eq!((ended(1001), ended(1000)), (report(1000), None));
        let deaf = Rules { hearing: false, ..rules };
        assert_eq!(next(&counting(None), at(1241, 1241), &deaf), None);
        assert_eq!(next(&waiting(Some(RECORD), None), at(1000, 1000), &deaf), sign);
    }
}
