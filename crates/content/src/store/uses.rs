//! When each pinned root was last used, and how popular it is.
//!
//! Popularity fades: every use counts one, and half as much after each [`POPULARITY_HALF_LIFE`]. So one number per root
//! is enough for a window without an edge, and the order of two roots changes only when one of them is used. Uses are
//! noted in memory and written together; a crash costs those since the last [`BlockStore::flush_uses`].

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cid::Cid;

use super::log::Log;
use super::{BlockStore, Pin, guard};
use crate::error::Result;

/// A use counts half after this time.
pub const POPULARITY_HALF_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// A root that is pinned only while it is used is let go when it was not used for so long.
pub const UNUSED_AFTER: Duration = Duration::from_secs(30 * 24 * 3600);

/// How a root was used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Used {
    /// The root.
    pub root: Cid,
    /// When it was used last, in whole seconds.
    pub last: SystemTime,
    /// Its uses, faded to that moment.
    pub uses: f64,
}

/// `uses` after some time in which nothing came.
fn faded(uses: f64, time: Duration) -> f64 {
    uses * (-time.as_secs_f64() / POPULARITY_HALF_LIFE.as_secs_f64()).exp2()
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn moment(seconds: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH)
}

impl Used {
    fn again(&mut self, now: SystemTime) {
        match now.duration_since(self.last) {
            Ok(time) => *self = Used { root: self.root, last: now, uses: faded(self.uses, time) + 1.0 },
            // The clock went back: the use counts, the later time stays.
            Err(_) => self.uses += 1.0,
        }
    }

    fn line(&self) -> String {
        format!("{} {:.6} {}", seconds(self.last), self.uses, self.root)
    }

    fn parse(body: &str) -> Option<Used> {
        let mut parts = body.splitn(3, ' ');
        let last = moment(parts.next()?.parse().ok()?);
        let uses = parts.next()?.parse().ok().filter(|uses: &f64| uses.is_finite() && *uses >= 0.0)?;
        Some(Used { root: Cid::try_from(parts.next()?).ok()?, last, uses })
    }
}

#[derive(Debug)]
pub(super) struct Uses {
    log: Log,
    roots: HashMap<Cid, Used>,
    unwritten: HashSet<Cid>,
}

impl Uses {
    /// Of roots that are still pinned; others are forgotten.
    pub(super) fn open(dir: &Path, is_pinned: impl Fn(&Cid) -> bool) -> Result<Uses> {
        let mut roots = HashMap::new();
        let (mut log, is_clean) = Log::open(dir, "uses", &mut |body| {
            let used = Used::parse(body);
            used.filter(|used| is_pinned(&used.root)).map(|used| roots.insert(used.root, used));
            used.is_some()
        })?;
        log.shorten(roots.len(), is_clean, roots.values().map(Used::line));
        Ok(Uses { log, roots, unwritten: HashSet::new() })
    }

    fn note(&mut self, root: &Cid, now: SystemTime) {
        let now = moment(seconds(now));
        let first = Used { root: *root, last: now, uses: 0.0 };
        self.roots.entry(*root).or_insert(first).again(now);
        self.unwritten.insert(*root);
    }

    pub(super) fn forget(&mut self, root: &Cid) {
        self.roots.remove(root);
        self.unwritten.remove(root);
    }

    fn flush(&mut self) -> Result<()> {
        if self.unwritten.is_empty() {
            return Ok(());
        }
        let unwritten = self.unwritten.iter().filter_map(|root| self.roots.get(root));
        let lines: Vec<String> = unwritten.map(Used::line).collect();
        self.log.append(lines.iter().map(String::as_str))?;
        self.log.shorten(self.roots.len(), true, self.roots.values().map(Used::line));
        self.unwritten.clear();
        Ok(())
    }

    fn last(&self, root: &Cid) -> SystemTime {
        self.roots.get(root).map_or(UNIX_EPOCH, |used| used.last)
    }
}

impl BlockStore {
    /// Takes note, in memory, that what is under a pinned root was used; of other roots nothing is remembered.
    pub fn used(&self, root: &Cid, now: SystemTime) {
        if self.is_pinned(root) {
            guard(&self.uses).note(root, now);
        }
    }

    /// Makes what was noted durable, with one sync. Done at each [`collect`](Self::collect) and when the store closes.
    pub fn flush_uses(&self) -> Result<()> {
        guard(&self.uses).flush()
    }

    /// When a root was used last, if it is pinned and ever was.
    pub fn last_use(&self, root: &Cid) -> Option<SystemTime> {
        guard(&self.uses).roots.get(root).map(|used| used.last)
    }

    /// The most popular roots by `now`, at most `most` of them.
    pub fn popular(&self, most: usize, now: SystemTime) -> Vec<Used> {
        let uses_now = |used: &Used| faded(used.uses, now.duration_since(used.last).unwrap_or_default());
        let mut all: Vec<(f64, Used)> = guard(&self.uses).roots.values().map(|used| (uses_now(used), *used)).collect();
        all.sort_by(|(a, first), (b, second)| b.total_cmp(a).then_with(|| first.root.cmp(&second.root)));
        all.into_iter().take(most).map(|(uses, used)| Used { uses, ..used }).collect()
    }

    /// [`pin`](Self::pin) until the root was not used for [`UNUSED_AFTER`], or until room is needed and nothing was used
    /// longer ago. Being pinned counts as a use. A root that `name` keeps for good stays so.
    pub fn pin_while_used(&self, name: &str, root: &Cid, now: SystemTime) -> Result<()> {
        self.pin_as(name, root, true)?;
        self.used(root, now);
        Ok(())
    }

    /// Takes off the pins of [`pin_while_used`](Self::pin_while_used) that have lapsed by `now`, and names them.
    pub fn lapse(&self, now: SystemTime) -> Result<Vec<Pin>> {
        let old = |last: SystemTime| now.duration_since(last).is_ok_and(|time| time >= UNUSED_AFTER);
        let mut lapsed = guard(&self.pins).lapsing();
        lapsed.retain(|pin| old(guard(&self.uses).last(&pin.root)));
        for pin in &lapsed {
            self.unpin(&pin.name, &pin.root)?;
        }
        Ok(lapsed)
    }

    /// Roots of which every pin may lapse, the longest unused first, with those pins.
    pub(super) fn least_used(&self) -> Vec<(Cid, Vec<Pin>)> {
        let mut by_root: HashMap<Cid, Vec<Pin>> = HashMap::new();
        let pins = guard(&self.pins);
        for pin in pins.lapsing() {
            by_root.entry(pin.root).or_default().push(pin);
        }
        by_root.retain(|root, lapsing| pins.names_of(root) == lapsing.len());
        drop(pins);
        let uses = guard(&self.uses);
        let mut roots: Vec<_> = by_root.into_iter().collect();
        roots.sort_by_key(|(root, _)| (uses.last(root), *root));
        roots
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{RAW, cid_of};

    #[test]
    fn uses_fade_by_half_and_lines_are_read_back() {
        let root = cid_of(RAW, &[7; 32]);
        let mut used = Used { root, last: moment(1000), uses: 0.0 };
        used.again(moment(1000));
        used.again(moment(1000));
        assert_eq!(used.uses, 2.0);
        used.again(moment(1000) + POPULARITY_HALF_LIFE);
        assert_eq!(used.uses, 2.0, "half of two, and one");
        used.again(moment(5));
        assert_eq!((used.uses, used.last), (3.0, moment(1000) + POPULARITY_HALF_LIFE), "the clock went back");
        assert_eq!(Used::parse(&used.line()), Some(used));
        for bad in ["", "1", "1 2", "x 1.0 y", "5 NaN bafkqaaa", "5 -1.0 bafkqaaa", "5 1.0 nothing"] {
            assert_eq!(Used::parse(bad), None, "{bad}");
        }
    }
}
