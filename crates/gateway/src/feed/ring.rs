//! The news of one job: the newest events, without a gap, inside two limits.

use std::collections::VecDeque;

use axum::extract::ws::Utf8Bytes;

/// Events `first ..= last`, each as the text that clients get.
#[derive(Debug)]
pub(crate) struct Ring {
    events: VecDeque<Utf8Bytes>,
    first: u64,
    bytes: usize,
    events_max: usize,
    bytes_max: usize,
}

/// What a reader gets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// The next events, in order; the last of them has number `upto`. Empty when there is nothing new.
    Events {
        /// The texts.
        texts: Vec<Utf8Bytes>,
        /// The reader's new place.
        upto: u64,
    },
    /// The next event is not held any more.
    Behind {
        /// The oldest number held.
        oldest: u64,
    },
}

impl Ring {
    pub(crate) fn new(events_max: usize, bytes_max: usize) -> Self {
        Self::after(0, events_max, bytes_max)
    }

    /// A ring whose first event has the number after `last`.
    pub(crate) fn after(last: u64, events_max: usize, bytes_max: usize) -> Self {
        let first = last.saturating_add(1);
        Self { events: VecDeque::new(), first, bytes: 0, events_max: events_max.max(1), bytes_max }
    }

    /// The oldest number held, or the next one when nothing is.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// The number of the newest event, 0 when there never was one.
    pub(crate) fn last(&self) -> u64 {
        self.first + self.events.len() as u64 - 1
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds event number `seq`; anything but the next number is refused with the last one held.
    pub(crate) fn push(&mut self, seq: u64, text: impl Into<Utf8Bytes>) -> Result<(), u64> {
        if seq != self.last() + 1 {
            return Err(self.last());
        }
        let text = text.into();
        self.bytes += text.as_str().len();
        self.events.push_back(text);
        while self.events.len() > self.events_max || self.bytes > self.bytes_max {
            if !self.drop_oldest() {
                break;
            }
        }
        Ok(())
    }

    /// Lets go of the oldest event, never of the newest. Says whether there was one to let go.
    pub(crate) fn drop_oldest(&mut self) -> bool {
        if self.events.len() < 2 {
            return false;
        }
        if let Some(text) = self.events.pop_front() {
            self.bytes -= text.as_str().len();
            self.first += 1;
        }
        true
    }

    /// At most `max` events after number `after`. A reader may be ahead: then it waits.
    pub(crate) fn read(&self, after: u64, max: usize) -> Read {
        let next = after.saturating_add(1);
        if next < self.first {
            return Read::Behind { oldest: self.first };
        }
        let skip = usize::try_from(next - self.first).unwrap_or(usize::MAX);
        let texts: Vec<Utf8Bytes> = self.events.iter().skip(skip).take(max).cloned().collect();
        let upto = after.saturating_add(texts.len() as u64);
        Read::Events { texts, upto }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(events_max: usize, bytes_max: usize, count: u64) -> Ring {
        let mut ring = Ring::new(events_max, bytes_max);
        (1..=count).for_each(|seq| ring.push(seq, format!("e{seq}")).unwrap());
        ring
    }

    fn check(ring: &Ring, after: u64, max: usize, expected: &str) {
        let found = match ring.read(after, max) {
            Read::Behind { oldest } => format!("behind {oldest}"),
            Read::Events { texts, upto } => {
                let texts: Vec<&str> = texts.iter().map(Utf8Bytes::as_str).collect();
                format!("[{}] {upto}", texts.join(" "))
            }
        };
        assert_eq!(found, expected, "after {after}, at most {max}");
    }

    #[test]
    fn readers_get_what_comes_after_their_place() {
        let ring = ring(100, 1 << 20, 5);
        check(&ring, 0, 100, "[e1 e2 e3 e4 e5] 5");
        check(&ring, 0, 2, "[e1 e2] 2");
        check(&ring, 2, 2, "[e3 e4] 4");
        check(&ring, 5, 2, "[] 5");
        check(&ring, 9, 2, "[] 9");
        check(&ring, u64::MAX, 2, &format!("[] {}", u64::MAX));
        check(&Ring::new(4, 10), 0, 9, "[] 0");
    }

    #[test]
    fn who_is_further_behind_than_is_held_is_told_so() {
        let ring = ring(3, 1 << 20, 5);
        check(&ring, 0, 9, "behind 3");
        check(&ring, 1, 9, "behind 3");
        check(&ring, 2, 9, "[e3 e4 e5] 5");
    }

    #[test]
    fn bytes_are_bounded_but_the_newest_event_stays() {
        let mut ring = ring(100, 5, 4);
        assert_eq!(ring.bytes(), 4);
        check(&ring, 2, 9, "[e3 e4] 4");
        ring.push(5, "longer than all that may be held").unwrap();
        check(&ring, 4, 9, "[longer than all that may be held] 5");
        assert!(!ring.drop_oldest());
        ring.push(6, "e6").unwrap();
        check(&ring, 5, 9, "[e6] 6");
    }

    #[test]
    fn only_the_next_number_is_taken() {
        let mut ring = ring(3, 1 << 20, 5);
        assert_eq!(ring.push(5, "again"), Err(5));
        assert_eq!(ring.push(7, "gap"), Err(5));
        assert_eq!(ring.push(0, "zero"), Err(5));
        assert_eq!(Ring::new(3, 9).push(2, "gap"), Err(0));
        assert_eq!(ring.push(6, "next"), Ok(()));
    }
}
