//! How long a lease has run: seconds that this process saw pass, added to those that were written down. Nobody's clock
//! of the day counts, so setting one charges nobody; what a killed agent did not see is not charged either.

use std::time::{Duration, Instant};

/// The clock of one lease.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    before: Duration,
    running: Option<Instant>,
}

impl Clock {
    /// A clock that stands at `seconds`.
    pub(crate) fn at(seconds: u64) -> Self {
        Self { before: Duration::from_secs(seconds), running: None }
    }

    /// It runs from `now` on.
    pub(crate) fn run(&mut self, now: Instant) {
        self.running.get_or_insert(now);
    }

    /// It stands.
    pub(crate) fn halt(&mut self, now: Instant) {
        self.before = self.passed(now);
        self.running = None;
    }

    /// Whole seconds.
    pub(crate) fn seconds(&self, now: Instant) -> u64 {
        self.passed(now).as_secs()
    }

    fn passed(&self, now: Instant) -> Duration {
        self.before + self.running.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }
}

/// Whether stopping must begin so that nothing runs any more when `ticks` ticks are unpaid: a program has `grace` to
/// end by itself.
pub(crate) fn must_stop(unpaid: u64, tick: u64, ticks: u64, grace: Duration) -> bool {
    unpaid > 0 && unpaid + grace.as_secs() >= ticks * tick
}

/// The time that a program has to end by itself: the usual one, but at most half a tick.
pub(crate) fn grace(usual: Duration, tick: u64) -> Duration {
    usual.min(Duration::from_secs(tick.div_ceil(2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_what_it_saw() {
        let now = Instant::now();
        let at = |millis| now + Duration::from_millis(millis);
        let mut clock = Clock::at(7);
        assert_eq!(clock.seconds(at(5000)), 7, "it stands");
        clock.run(at(1000));
        clock.run(at(3000));
        assert_eq!(clock.seconds(at(2999)), 8);
        clock.halt(at(3500));
        assert_eq!(clock.seconds(at(99_000)), 9);
        clock.run(at(10_000));
        assert_eq!(clock.seconds(at(10_500)), 10, "halves add up");
    }

    #[test]
    fn whoever_is_stopped_has_had_at_most_two_ticks_for_nothing() {
        for (tick, begins) in [(1, 1), (2, 3), (10, 15), (30, 50)] {
            let grace = grace(Duration::from_secs(10), tick);
            let first = (0..100).find(|unpaid| must_stop(*unpaid, tick, 2, grace)).unwrap();
            assert_eq!(first, begins, "tick {tick}");
            assert!(first + grace.as_secs() <= 2 * tick && first >= tick);
        }
    }
}
