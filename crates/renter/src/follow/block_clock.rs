//! Block time between the blocks.

use std::time::Instant;

use market::{Seconds, Timestamp};

/// The newest known block time, kept going by a clock that nobody sets. It never goes back: while the stream reads what
/// is past, or while the chain does not answer, it is later than the blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BlockClock {
    at: Timestamp,
    seen: Instant,
    /// The newest block at the beginning, until a newer one is seen.
    head: Option<u64>,
}

impl BlockClock {
    /// Block `head` of time `at` is the newest; it may be old where blocks are made only when somebody wants one.
    pub(crate) fn new(head: u64, at: Timestamp) -> Self {
        Self { at, seen: Instant::now(), head: Some(head) }
    }

    /// The chain's time now, as well as it is known.
    pub(crate) fn now(&self) -> Timestamp {
        self.at.after(Seconds(self.seen.elapsed().as_secs()))
    }

    /// Block `number` of time `at` is there. Gives what everything dated so far is to be put forward by: the first new block tells
    /// how old the head was at the beginning. What later blocks are ahead is time that passed.
    pub(crate) fn reached(&mut self, number: u64, at: Timestamp) -> Seconds {
        if self.head.is_some_and(|head| number <= head) {
            return Seconds(0);
        }
        let ahead = at.since(self.now());
        if ahead > Seconds(0) {
            (self.at, self.seen) = (at, Instant::now());
        }
        if self.head.take().is_some() { ahead } else { Seconds(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_new_block_tells_how_old_the_head_was() {
        let mut clock = BlockClock::new(7, Timestamp(1_000));
        assert_eq!(clock.reached(6, Timestamp(900)), Seconds(0), "the past is only read");
        assert_eq!(clock.reached(7, Timestamp(1_000)), Seconds(0));
        let late = clock.reached(8, Timestamp(1_500));
        assert!((490..=500).contains(&late.0), "{late:?}");
        assert_eq!(clock.reached(9, Timestamp(2_000)), Seconds(0), "time passed");
        assert!(clock.now() >= Timestamp(2_000) && clock.now() < Timestamp(2_010));
        assert_eq!(clock.reached(9, Timestamp(1_600)), Seconds(0));
        assert!(clock.now() >= Timestamp(2_000), "it never goes back");
    }

    #[test]
    fn it_goes_on_between_blocks() {
        let mut clock = BlockClock::new(7, Timestamp(1_000));
        clock.seen -= std::time::Duration::from_secs(300);
        assert_eq!(clock.now(), Timestamp(1_300));
        assert_eq!(clock.reached(8, Timestamp(1_250)), Seconds(0), "a slow chain puts nothing forward");
        assert_eq!(clock.now(), Timestamp(1_300));
        assert_eq!(clock.reached(9, Timestamp(1_400)), Seconds(0));
        assert_eq!(clock.now(), Timestamp(1_400));
    }
}
