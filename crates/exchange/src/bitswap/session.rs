//! One fetch: which block is asked of which peer, and what happens when it does not come. No clock, no network.
//!
//! Each wish has a deadline. A peer that lets it pass loses the wish to another and gets only one at a time until it
//! delivers again; a peer that lets several pass is left. A block that every peer lacks ends the fetch at once.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use content::{Cid, Digest};
use libp2p::PeerId;

use super::demand::digest_of;

/// Wishes that a peer gets before it has delivered anything.
const WINDOW_FIRST: usize = 8;
/// Wishes that wait behind others and are looked at when a peer lacks the first ones.
const LOOK_AHEAD: usize = 256;

/// How patient a fetch is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Patience {
    /// A wish that is older, while its peer sent nothing for as long, goes to another peer.
    pub(crate) block: Duration,
    /// When no block has come from anybody for so long, the fetch ends.
    pub(crate) give_up: Duration,
    /// Deadlines in a row that a peer may miss.
    pub(crate) misses_max: u32,
    /// Wishes that one peer has at most. Peers keep about 1,024; each may be a block of a mebibyte on its way.
    pub(crate) window_max: usize,
}

/// Why a fetch ends without what it wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Every peer said that it lacks this.
    Lacking(Cid),
    /// Nobody is left to be asked for this.
    Nobody(Cid),
    /// Nothing came for the whole time.
    Silence(Cid),
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Ask a peer for these.
    Ask(PeerId, Vec<Cid>),
    /// Tell a peer that these are not wanted of it any more.
    Cancel(PeerId, Vec<Cid>),
    /// Give up.
    Fail(Failure),
    /// Wait for an event, or until then.
    Wait(Instant),
}

#[derive(Debug)]
struct Wish {
    cid: Cid,
    /// Who was asked and has not answered.
    asked: Vec<PeerId>,
    /// Who lacks it.
    lacking: Vec<PeerId>,
    /// Who let its deadline pass.
    late: Vec<PeerId>,
}

#[derive(Debug)]
struct Peer {
    window: usize,
    asked: HashMap<Digest, Instant>,
    heard: Instant,
    misses: u32,
}

/// A fetch in progress.
#[derive(Debug)]
pub(crate) struct Session {
    patience: Patience,
    wishes: HashMap<Digest, Wish>,
    /// Wishes that are to be asked, in the order of the file.
    queue: VecDeque<Digest>,
    peers: BTreeMap<PeerId, Peer>,
    /// Whether more peers may still come.
    seeking: bool,
    last_block: Instant,
    steps: VecDeque<Step>,
}

impl Session {
    pub(crate) fn new(patience: Patience, now: Instant) -> Self {
        Self {
            patience,
            wishes: HashMap::new(),
            queue: VecDeque::new(),
            peers: BTreeMap::new(),
            seeking: true,
            last_block: now,
            steps: VecDeque::new(),
        }
    }

    /// Wants these as well.
    pub(crate) fn want(&mut self, cids: impl IntoIterator<Item = Cid>) {
        for cid in cids {
            let Some(digest) = digest_of(&cid) else { continue };
            self.wishes.entry(digest).or_insert_with(|| {
                self.queue.push_back(digest);
                Wish { cid, asked: Vec::new(), lacking: Vec::new(), late: Vec::new() }
            });
        }
    }

    /// Whether everything wanted has come.
    pub(crate) fn is_satisfied(&self) -> bool {
        self.wishes.is_empty()
    }

    /// Whether more peers may still come.
    pub(crate) fn seek(&mut self, seeking: bool) {
        self.seeking = seeking;
    }

    /// A peer can be asked.
    pub(crate) fn joined(&mut self, peer: PeerId, now: Instant) {
        let fresh = || Peer { window: WINDOW_FIRST, asked: HashMap::new(), heard: now, misses: 0 };
        self.peers.entry(peer).or_insert_with(fresh);
    }

    /// A peer is gone, lied, or is of no use.
    pub(crate) fn left(&mut self, peer: &PeerId) {
        let Some(gone) = self.peers.remove(peer) else { return };
        self.release(peer, gone.asked.into_keys().collect());
    }

    /// A peer says whether it has a block.
    pub(crate) fn presence(&mut self, peer: &PeerId, cid: &Cid, is_here: bool, now: Instant) {
        let Some(digest) = digest_of(cid) else { return };
        let Some(known) = self.peers.get_mut(peer) else { return };
        known.heard = now;
        if is_here {
            return;
        }
        known.asked.remove(&digest);
        if let Some(wish) = self.wishes.get_mut(&digest)
            && !wish.lacking.contains(peer)
        {
            wish.lacking.push(*peer);
        }
        self.release(peer, vec![digest]);
    }

    /// A block came; gives its CID if it was still wanted.
    pub(crate) fn arrived(&mut self, peer: &PeerId, digest: &Digest, now: Instant) -> Option<Cid> {
        if let Some(known) = self.peers.get_mut(peer) {
            known.heard = now;
            known.misses = 0;
            let was_full = known.asked.len() >= known.window;
            let quick = self.patience.block / 4;
            let was_quick =
                known.asked.remove(digest).is_some_and(|asked| now.saturating_duration_since(asked) < quick);
            if was_full && was_quick {
                known.window = (known.window + 1).min(self.patience.window_max);
            }
        }
        let wish = self.wishes.remove(digest)?;
        self.last_block = now;
        for other in wish.asked.iter().filter(|other| *other != peer) {
            if let Some(known) = self.peers.get_mut(other) {
                known.asked.remove(digest);
                self.steps.push_back(Step::Cancel(*other, vec![wish.cid]));
            }
        }
        Some(wish.cid)
    }

    /// The next thing to do.
    pub(crate) fn next(&mut self, now: Instant) -> Step {
        self.expire(now);
        if let Some(step) = self.steps.pop_front() {
            return step;
        }
        if let Some(failure) = self.failure(now) {
            return Step::Fail(failure);
        }
        let peers: Vec<PeerId> = self.peers.keys().copied().collect();
        for peer in peers {
            let cids = self.assign(&peer, now);
            if !cids.is_empty() {
                return Step::Ask(peer, cids);
            }
        }
        Step::Wait(self.deadline())
    }

    /// Wishes of a peer go back to the front of the queue.
    fn release(&mut self, peer: &PeerId, digests: Vec<Digest>) {
        for digest in digests {
            if let Some(wish) = self.wishes.get_mut(&digest) {
                let was_asked = wish.asked.contains(peer);
                wish.asked.retain(|other| other != peer);
                if was_asked && wish.asked.is_empty() {
                    self.queue.push_front(digest);
                }
            }
        }
    }

    /// Takes wishes whose deadline has passed from their peers.
    fn expire(&mut self, now: Instant) {
        let patience = self.patience.clone();
        let mut expired = Vec::new();
        for (peer, known) in &mut self.peers {
            let is_due = |asked: &Instant| due_at(*asked, known.heard, &patience) <= now;
            if !known.asked.values().any(is_due) {
                continue;
            }
            // Who says nothing at all loses everything; who only keeps one block back loses that one.
            let is_silent = now.saturating_duration_since(known.heard) >= patience.block;
            let is_late = |asked: &Instant| is_silent || is_due(asked);
            let late: Vec<Digest> =
                known.asked.iter().filter(|(_, asked)| is_late(asked)).map(|(digest, _)| *digest).collect();
            known.asked.retain(|digest, _| !late.contains(digest));
            known.misses += 1;
            known.window = 1;
            expired.push((*peer, late, known.misses > patience.misses_max));
        }
        for (peer, late, is_useless) in expired {
            let mut cids = Vec::new();
            for digest in &late {
                if let Some(wish) = self.wishes.get_mut(digest) {
                    wish.late.push(peer);
                    cids.push(wish.cid);
                }
            }
            self.steps.push_back(Step::Cancel(peer, cids));
            self.release(&peer, late);
            if is_useless {
                self.left(&peer);
            }
        }
    }

    /// Why there is no use in waiting.
    fn failure(&self, now: Instant) -> Option<Failure> {
        let first = self.queue.iter().find_map(|digest| self.wishes.get(digest));
        let any = first.or_else(|| self.wishes.values().next())?;
        if now.saturating_duration_since(self.last_block) >= self.patience.give_up {
            return Some(Failure::Silence(any.cid));
        }
        if self.seeking {
            return None;
        }
        if self.peers.is_empty() {
            let was_answered = !any.lacking.is_empty() && any.late.is_empty();
            return Some(if was_answered { Failure::Lacking(any.cid) } else { Failure::Nobody(any.cid) });
        }
        let queued = self.queue.iter().take(LOOK_AHEAD).filter_map(|digest| self.wishes.get(digest));
        let mut lacking = queued.filter(|wish| self.peers.keys().all(|peer| wish.lacking.contains(peer)));
        lacking.next().map(|wish| Failure::Lacking(wish.cid))
    }

    /// Wishes for a peer that has room for some.
    fn assign(&mut self, peer: &PeerId, now: Instant) -> Vec<Cid> {
        let others: Vec<PeerId> = self.peers.keys().filter(|other| *other != peer).copied().collect();
        let Some(known) = self.peers.get_mut(peer) else { return Vec::new() };
        let mut room = known.window.saturating_sub(known.asked.len());
        let mut cids = Vec::new();
        let mut passed = Vec::new();
        while room > 0
            && passed.len() < LOOK_AHEAD
            && let Some(digest) = self.queue.pop_front()
        {
            let Some(wish) = self.wishes.get_mut(&digest) else { continue };
            // Who was late is asked again only when nobody else is left.
            let is_fresh = |other: &PeerId| !wish.lacking.contains(other) && !wish.late.contains(other);
            if wish.lacking.contains(peer) || (wish.late.contains(peer) && others.iter().any(is_fresh)) {
                passed.push(digest);
                continue;
            }
            wish.asked.push(*peer);
            known.asked.insert(digest, now);
            cids.push(wish.cid);
            room -= 1;
        }
        for digest in passed.into_iter().rev() {
            self.queue.push_front(digest);
        }
        cids
    }

    fn deadline(&self) -> Instant {
        let wishes = self.peers.values().flat_map(|known| known.asked.values().map(|asked| (asked, known.heard)));
        let first = wishes.map(|(asked, heard)| due_at(*asked, heard, &self.patience)).min();
        let end = self.last_block + self.patience.give_up;
        first.map_or(end, |first| first.min(end))
    }
}

/// When a wish is late: one deadline after its peer was last heard of, and at the latest four after it was asked.
fn due_at(asked: Instant, heard: Instant, patience: &Patience) -> Instant {
    (asked.max(heard) + patience.block).min(asked + 4 * patience.block)
}

#[cfg(test)]
mod tests;
