//! Which blocks came so recently that whoever put them may be about to pin what they are part of.
//!
//! Blocks only ever come behind the end of the active segment: one remembered end tells all that came since. Those
//! that were put again were there before, and are remembered one by one.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{Place, guard};
use crate::block::Digest;

/// Puts within so much time are remembered together.
const EPOCH: Duration = Duration::from_secs(1);
/// Most epochs: while a hold lasts longer, its last one grows instead.
const EPOCHS_MAX: usize = 64;
/// Most blocks put again that are remembered one by one, 40 MiB of memory; above it nothing is called garbage.
const AGAIN_MAX: usize = 1 << 20;

#[derive(Debug)]
struct Epoch {
    begun: Instant,
    last: Instant,
    /// The end of the active segment when it began.
    end: (u32, u64),
    again: HashSet<Digest>,
}

#[derive(Debug)]
pub(super) struct Young {
    /// What is younger than this is left alone.
    age: Duration,
    epochs: VecDeque<Epoch>,
    again: usize,
    has_lost_count: bool,
    /// When each hold was taken and given back; the second counts as a put of everything between.
    holds: BTreeMap<u64, (Instant, Option<Instant>)>,
    holds_given: u64,
}

impl Young {
    pub(super) fn new(age: Duration) -> Young {
        let (epochs, holds) = (VecDeque::new(), BTreeMap::new());
        Young { age, epochs, again: 0, has_lost_count: false, holds, holds_given: 0 }
    }

    /// Takes note of a batch that is about to be written behind `end`, and of those in it that were there before.
    pub(super) fn put(&mut self, now: Instant, end: (u32, u64), again: impl Iterator<Item = Digest>) {
        self.grow_up(now);
        let begins = self.epochs.back().is_none_or(|epoch| now.saturating_duration_since(epoch.begun) >= EPOCH);
        if self.epochs.is_empty() || begins && self.epochs.len() < EPOCHS_MAX {
            self.epochs.push_back(Epoch { begun: now, last: now, end, again: HashSet::new() });
        }
        let Some(epoch) = self.epochs.back_mut() else { return };
        epoch.last = now;
        epoch.end = epoch.end.min(end);
        for digest in again {
            if self.again >= AGAIN_MAX {
                self.has_lost_count = true;
                return;
            }
            self.again += usize::from(epoch.again.insert(digest));
        }
    }

    /// Forgets what is older than `age` and than every hold.
    pub(super) fn grow_up(&mut self, now: Instant) {
        let Some(since) = now.checked_sub(self.age) else { return };
        self.holds.retain(|_, (_, given_back)| given_back.is_none_or(|end| end >= since));
        let since = self.holds.values().map(|(taken, _)| *taken).fold(since, Instant::min);
        while let Some(epoch) = self.epochs.pop_front_if(|epoch| epoch.last < since) {
            self.again -= epoch.again.len();
        }
        self.has_lost_count &= !self.epochs.is_empty();
    }

    /// Whether a block that lies at `place` must be left alone.
    pub(super) fn has(&self, digest: &Digest, place: &Place) -> bool {
        let Some(first) = self.epochs.front() else { return false };
        let is_new = (place.segment, place.offset) >= first.end;
        is_new || self.has_lost_count || self.epochs.iter().any(|epoch| epoch.again.contains(digest))
    }
}

/// While it lives and a little longer, nothing is freed that was put since it was taken: whoever builds a DAG out of many batches holds it
/// until the root is pinned.
#[derive(Debug)]
#[must_use = "it holds only while it lives"]
pub struct Hold {
    number: u64,
    young: Arc<Mutex<Young>>,
}

impl Hold {
    pub(super) fn new(young: &Arc<Mutex<Young>>) -> Hold {
        let mut held = guard(young);
        held.holds_given += 1;
        let number = held.holds_given;
        held.holds.insert(number, (Instant::now(), None));
        drop(held);
        Hold { number, young: young.clone() }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut young = guard(&self.young);
        let now = Instant::now();
        if let Some((_, given_back)) = young.holds.get_mut(&self.number) {
            *given_back = Some(now);
        }
        young.grow_up(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [Digest; 0] = [];

    fn at(segment: u32, offset: u64) -> Place {
        Place { segment, offset, length: 1 }
    }

    #[test]
    fn what_came_lately_is_left_alone_until_it_is_old_and_nobody_holds_it() {
        let young = Arc::new(Mutex::new(Young::new(Duration::from_secs(60))));
        let begun = Instant::now();
        let later = |seconds| begun + Duration::from_secs(seconds);
        let grow_up = |seconds| guard(&young).grow_up(later(seconds));
        let has = |digest: u8, place| guard(&young).has(&[digest; 32], &place);
        assert!(!has(1, at(3, 50)), "nothing was put yet");
        guard(&young).put(begun, (3, 50), [[7; 32]].into_iter());
        guard(&young).put(later(30), (4, 8), [[8; 32]].into_iter());
        assert!(has(1, at(3, 50)) && has(1, at(4, 8)) && !has(1, at(3, 49)));
        assert!(has(7, at(1, 8)) && has(8, at(1, 8)), "put again");
        grow_up(61);
        assert!(!has(1, at(3, 50)) && has(1, at(4, 8)));
        assert!(!has(7, at(1, 8)) && has(8, at(1, 8)));
        let hold = Hold::new(&young);
        grow_up(91);
        assert!(has(8, at(1, 8)), "put after the hold was taken");
        drop(hold);
        grow_up(59);
        assert!(has(8, at(1, 8)), "its root is about to be pinned");
        grow_up(91);
        assert!(!has(8, at(1, 8)) && !has(1, at(9, 9)));
    }

    #[test]
    fn too_many_to_remember_protects_everything_for_a_while() {
        let mut young = Young::new(Duration::from_secs(1000));
        let begun = Instant::now();
        let digests = (0..=AGAIN_MAX as u64).map(|number| {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&number.to_le_bytes());
            digest
        });
        young.put(begun, (9, 8), digests);
        assert!(young.has(&[255; 32], &at(1, 8)));
        assert!(!young.epochs.is_empty());
        for second in 1..200 {
            young.put(begun + Duration::from_secs(second), (9, 9), NONE.into_iter());
        }
        assert_eq!(young.epochs.len(), EPOCHS_MAX);
        young.grow_up(begun + Duration::from_secs(10_000));
        assert!(!young.has(&[255; 32], &at(1, 8)) && young.again == 0);
    }
}
