//! Block time between the blocks.

use std::time::Instant;

use market::{Seconds, Timestamp};

/// A moment by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The chain's time, as well as it was known.
    pub(crate) block: Timestamp,
    /// A clock that nobody sets.
    pub(crate) real: Instant,
}

/// The newest known block time, kept going by a clock that nobody sets. It never goes back: while the chain does not
/// answer, or makes no blocks because nobody wants one, it is later than the blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockClock {
    newest: Moment,
    /// The newest block at the beginning, until a newer one is seen. It may be old.
    first: Option<u64>,
}

impl BlockClock {
    /// Block `head` of time `at` is the newest at `now`.
    pub(crate) fn new(head: u64, at: Timestamp, now: Instant) -> Self {
        Self { newest: Moment { block: at, real: now }, first: Some(head) }
    }

    /// The moment `now`.
    pub(crate) fn at(&self, now: Instant) -> Moment {
        let since = now.saturating_duration_since(self.newest.real);
        Moment { block: self.newest.block.after(Seconds(since.as_secs())), real: now }
    }

    /// Block `number` of time `at` is there. True for the first new block: it tells how old the head was at the beginning,
    /// so whatever was dated by it was dated too early.
    pub(crate) fn reached(&mut self, number: u64, at: Timestamp, now: Instant) -> bool {
        if self.first.is_some_and(|head| number <= head) {
            return false;
        }
        if at > self.at(now).block {
            self.newest = Moment { block: at, real: now };
        }
        self.first.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_goes_on_between_blocks_and_never_back() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut clock = BlockClock::new(7, Timestamp(1000), start);
        assert!(!clock.reached(7, Timestamp(1000), start));
        assert_eq!(clock.at(after(60)).block, Timestamp(1060));
        assert!(clock.reached(8, Timestamp(5000), after(60)), "the head was old");
        assert_eq!(clock.at(after(61)).block, Timestamp(5001));
        assert!(!clock.reached(9, Timestamp(5002), after(70)));
        assert_eq!(clock.at(after(70)).block, Timestamp(5010), "a slow chain takes nothing back");
        assert!(!clock.reached(9, Timestamp(6000), after(71)));
        assert_eq!(clock.at(after(71)), Moment { block: Timestamp(6000), real: after(71) });
    }
}
