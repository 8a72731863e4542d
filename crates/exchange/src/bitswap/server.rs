//! What peers want of us: bounded, answered once, and never more on its way than a peer has room for. No disk, no
//! clock, no network.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use content::Cid;
use libp2p::PeerId;

use super::message::{Presence, Want, WantKind};

/// How much is done for peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerLimits {
    /// Wishes of one peer that are kept.
    pub(crate) wants_max: usize,
    /// Bytes of blocks on their way to one peer.
    pub(crate) peer_bytes_max: u64,
    /// Bytes of blocks on their way to all peers.
    pub(crate) bytes_max: u64,
    /// A block that was sent is not sent again to the same peer within this.
    pub(crate) resend_after: Duration,
}

/// A block of at most so many bytes is sent instead of the word that it is here: it is hardly longer.
const SMALL_BLOCK: u64 = 1024;
/// Blocks are put together into one message up to this; a larger block goes alone. Half of what messages should have.
const MESSAGE_BYTES: u64 = 1 << 20;
/// Blocks in one message: small ones, so that reading them is one short task.
const MESSAGE_BLOCKS: usize = 256;

/// Blocks that are remembered as sent before the old ones are sorted out.
const SENT_MAX: usize = 4096;

/// Blocks to be read and sent as one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    /// The blocks, most urgent first.
    pub(crate) cids: Vec<Cid>,
    /// Their bytes.
    pub(crate) bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Whether it is here is being looked up.
    Looking,
    /// Waits to be sent.
    Queued { bytes: u64 },
}

#[derive(Debug)]
struct Wish {
    kind: WantKind,
    send_dont_have: bool,
    state: State,
}

/// One peer's account.
#[derive(Debug, Default)]
struct Ledger {
    wishes: HashMap<Cid, Wish>,
    /// In the order in which they came. One that was cancelled is found out when its turn comes.
    queue: VecDeque<Cid>,
    bytes: u64,
    /// What went out a short while ago.
    sent: HashMap<Cid, Instant>,
}

/// All accounts.
#[derive(Debug)]
pub(crate) struct Server {
    limits: ServerLimits,
    peers: BTreeMap<PeerId, Ledger>,
    bytes: u64,
}

/// What follows from a wantlist.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reception {
    /// To be looked up, then [`Server::found`].
    pub(crate) look_up: Vec<Cid>,
    /// To be answered at once.
    pub(crate) refused: Vec<Presence>,
}

impl Ledger {
    /// Wishes that are cancelled and come back must not make the queue grow.
    fn tidy(&mut self, wants_max: usize) {
        if self.queue.len() > 2 * wants_max {
            let mut seen = HashSet::new();
            self.queue.retain(|cid| self.wishes.contains_key(cid) && seen.insert(*cid));
        }
    }
}

impl Server {
    pub(crate) fn new(limits: ServerLimits) -> Self {
        Self { limits, peers: BTreeMap::new(), bytes: 0 }
    }

    /// A peer is here; whatever it wanted before is forgotten.
    pub(crate) fn connected(&mut self, peer: PeerId) {
        self.disconnected(&peer);
        self.peers.insert(peer, Ledger::default());
    }

    /// A peer is gone.
    pub(crate) fn disconnected(&mut self, peer: &PeerId) {
        let bytes = self.peers.remove(peer).map_or(0, |ledger| ledger.bytes);
        self.bytes -= bytes;
    }

    /// Takes in a wantlist.
    pub(crate) fn receive(&mut self, peer: &PeerId, wants: Vec<Want>, full: bool) -> Reception {
        let mut reception = Reception::default();
        let Some(ledger) = self.peers.get_mut(peer) else { return reception };
        if full {
            ledger.wishes.clear();
            ledger.queue.clear();
        }
        for want in wants {
            if want.cancel {
                ledger.wishes.remove(&want.cid);
                continue;
            }
            if let Some(wish) = ledger.wishes.get_mut(&want.cid) {
                // A question may become a wish for the block, never the other way round.
                if want.kind == WantKind::Block {
                    wish.kind = WantKind::Block;
                }
                wish.send_dont_have |= want.send_dont_have;
                continue;
            }
            if ledger.wishes.len() >= self.limits.wants_max {
                // Who hears this asks somebody else, or again later.
                reception.refused.extend(want.send_dont_have.then_some(Presence { cid: want.cid, is_here: false }));
                continue;
            }
            let wish = Wish { kind: want.kind, send_dont_have: want.send_dont_have, state: State::Looking };
            ledger.wishes.insert(want.cid, wish);
            reception.look_up.push(want.cid);
        }
        reception
    }

    /// Whether a block is here and may be sent, with its size; gives the answer that is due at once.
    pub(crate) fn found(&mut self, peer: &PeerId, cid: Cid, bytes: Option<u64>) -> Option<Presence> {
        let ledger = self.peers.get_mut(peer)?;
        let wish = ledger.wishes.get_mut(&cid).filter(|wish| wish.state == State::Looking)?;
        match bytes {
            Some(bytes) if wish.kind == WantKind::Block || bytes <= SMALL_BLOCK => {
                wish.state = State::Queued { bytes };
                ledger.queue.push_back(cid);
                ledger.tidy(self.limits.wants_max);
                None
            }
            Some(_) => {
                ledger.wishes.remove(&cid);
                Some(Presence { cid, is_here: true })
            }
            None => {
                let wish = ledger.wishes.remove(&cid)?;
                wish.send_dont_have.then_some(Presence { cid, is_here: false })
            }
        }
    }

    /// The next blocks to be read and sent to a peer, if it has room for them.
    pub(crate) fn next(&mut self, peer: &PeerId, now: Instant) -> Option<Batch> {
        let ledger = self.peers.get_mut(peer)?;
        let is_recent = |at: &Instant| now.saturating_duration_since(*at) < self.limits.resend_after;
        if ledger.sent.len() > SENT_MAX {
            ledger.sent.retain(|_, at| is_recent(at));
        }
        let mut batch = Batch::default();
        let mut early = Vec::new();
        while let Some(cid) = ledger.queue.pop_front() {
            let Some(Wish { state: State::Queued { bytes }, .. }) = ledger.wishes.get(&cid) else { continue };
            let bytes = *bytes;
            if ledger.sent.get(&cid).is_some_and(is_recent) {
                early.push(cid);
                continue;
            }
            // A peer to which nothing is on its way gets its block, however large.
            let ahead = ledger.bytes + batch.bytes;
            let is_room =
                ahead + bytes <= self.limits.peer_bytes_max && self.bytes + batch.bytes < self.limits.bytes_max;
            let fits = batch.cids.is_empty() || batch.bytes + bytes <= MESSAGE_BYTES;
            if (ahead > 0 && !is_room) || !fits || batch.cids.len() == MESSAGE_BLOCKS {
                ledger.queue.push_front(cid);
                break;
            }
            ledger.wishes.remove(&cid);
            // A cancelled wish that came back stands in the queue twice.
            batch.bytes += bytes;
            batch.cids.push(cid);
            ledger.sent.insert(cid, now);
        }
        for cid in early.into_iter().rev() {
            ledger.queue.push_front(cid);
        }
        ledger.bytes += batch.bytes;
        self.bytes += batch.bytes;
        (!batch.cids.is_empty()).then_some(batch)
    }

    /// So many bytes of a batch went out, or never will.
    pub(crate) fn sent(&mut self, peer: &PeerId, bytes: u64) {
        if let Some(ledger) = self.peers.get_mut(peer) {
            let bytes = bytes.min(ledger.bytes);
            ledger.bytes -= bytes;
            self.bytes -= bytes;
        }
    }

    /// Everybody for whom something is queued.
    pub(crate) fn waiting(&self) -> Vec<PeerId> {
        self.peers.iter().filter(|(_, ledger)| !ledger.queue.is_empty()).map(|(peer, _)| *peer).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use content::{Block, RAW};

    const LIMITS: ServerLimits = ServerLimits {
        wants_max: 4,
        peer_bytes_max: 3 << 20,
        bytes_max: 8 << 20,
        resend_after: Duration::from_secs(5),
    };
    const MIB: u64 = 1 << 20;

    fn cid(name: &str) -> Cid {
        *Block::new(RAW, name.to_owned()).unwrap().cid()
    }

    fn cids(names: &str) -> Vec<Cid> {
        names.split_whitespace().map(cid).collect()
    }

    fn wants(names: &str) -> Vec<Want> {
        cids(names).into_iter().map(Want::block).collect()
    }

    /// A server with one peer that wants these blocks, each of this size.
    fn wanting(names: &str, bytes: u64) -> (Server, PeerId, Instant) {
        let (mut server, peer) = (Server::new(LIMITS), PeerId::random());
        server.connected(peer);
        server.receive(&peer, wants(names), false);
        cids(names).iter().for_each(|cid| assert_eq!(server.found(&peer, *cid, Some(bytes)), None));
        (server, peer, Instant::now())
    }

    fn absent(name: &str) -> Presence {
        Presence { cid: cid(name), is_here: false }
    }

    #[test]
    fn blocks_of_a_mebibyte_go_alone_and_only_while_there_is_room() {
        let (mut server, peer, now) = wanting("a b c d", MIB);
        for name in ["a", "b", "c"] {
            assert_eq!(server.next(&peer, now), Some(Batch { cids: cids(name), bytes: MIB }));
        }
        assert_eq!(server.next(&peer, now), None, "three mebibytes are on their way");
        server.sent(&peer, MIB);
        assert_eq!(server.next(&peer, now).unwrap().cids, cids("d"));
        assert_eq!(server.next(&peer, now), None);
    }

    #[test]
    fn small_blocks_share_a_message_and_a_block_beyond_the_room_still_goes() {
        let (mut server, peer, now) = wanting("a b c", 400 << 10);
        assert_eq!(server.next(&peer, now).unwrap().cids, cids("a b"));
        assert_eq!(server.next(&peer, now).unwrap().cids, cids("c"));
        let (mut server, peer, now) = wanting("huge", 4 * MIB);
        assert_eq!(server.next(&peer, now).unwrap().cids, cids("huge"));
    }

    #[test]
    fn questions_are_answered_with_words_and_small_blocks() {
        let (mut server, peer, now) = wanting("", 0);
        let ask = ["big", "small", "absent"].map(|name| Want::have(cid(name))).to_vec();
        assert_eq!(server.receive(&peer, ask, false).look_up, cids("big small absent"));
        assert_eq!(server.found(&peer, cid("big"), Some(1025)), Some(Presence { cid: cid("big"), is_here: true }));
        assert_eq!(server.found(&peer, cid("small"), Some(1024)), None);
        assert_eq!(server.found(&peer, cid("absent"), None), Some(absent("absent")));
        assert_eq!(server.next(&peer, now).unwrap().cids, cids("small"));
        let quiet = Want { send_dont_have: false, ..Want::have(cid("absent")) };
        server.receive(&peer, vec![quiet], false);
        assert_eq!(server.found(&peer, cid("absent"), None), None, "nobody asked to hear of absence");
    }

    #[test]
    fn a_wantlist_over_the_limit_is_refused_from_there_on() {
        let (mut server, peer, _) = wanting("a b c", MIB);
        let reception = server.receive(&peer, wants("c d e f"), false);
        assert_eq!((reception.look_up, reception.refused), (cids("d"), vec![absent("e"), absent("f")]));
        let reception = server.receive(&peer, wants("e"), true);
        assert_eq!(reception.look_up, cids("e"), "a full list replaces the old one");
    }

    #[test]
    fn cancelled_wishes_are_not_sent() {
        let (mut server, peer, now) = wanting("a b", MIB);
        server.receive(&peer, vec![Want::cancel(cid("a"))], false);
        assert_eq!(server.next(&peer, now).unwrap().cids, cids("b"));
        assert_eq!(server.next(&peer, now), None);
    }

    #[test]
    fn wishes_that_come_and_go_do_not_fill_the_queue() {
        let (mut server, peer, now) = wanting("a", MIB);
        for _ in 0..100 {
            server.receive(&peer, vec![Want::cancel(cid("a"))], false);
            server.receive(&peer, wants("a"), false);
            server.found(&peer, cid("a"), Some(MIB));
        }
        assert!(server.peers[&peer].queue.len() <= 2 * LIMITS.wants_max);
        assert_eq!(server.next(&peer, now).unwrap().cids, cids("a"));
        assert_eq!(server.next(&peer, now), None);
    }

    #[test]
    fn a_block_is_not_sent_twice_within_the_window() {
        let (mut server, peer, now) = wanting("a", MIB);
        assert!(server.next(&peer, now).is_some());
        for _ in 0..2 {
            server.receive(&peer, wants("a"), false);
            server.found(&peer, cid("a"), Some(MIB));
        }
        assert_eq!(server.next(&peer, now + Duration::from_secs(4)), None);
        assert_eq!(server.waiting(), [peer], "it is not forgotten");
        assert_eq!(server.next(&peer, now + Duration::from_secs(5)).unwrap().cids, cids("a"));
    }

    #[test]
    fn the_room_of_all_is_shared_and_given_back() {
        let (mut server, first, now) = wanting("a b c", MIB);
        let mut others = vec![first];
        for _ in 0..3 {
            let peer = PeerId::random();
            server.connected(peer);
            server.receive(&peer, wants("a b c"), false);
            cids("a b c").iter().for_each(|cid| assert_eq!(server.found(&peer, *cid, Some(MIB)), None));
            others.push(peer);
        }
        let mut on_the_way = 0;
        for peer in &others {
            while server.next(peer, now).is_some() {
                on_the_way += 1;
            }
        }
        assert_eq!(on_the_way, 9, "eight, and the one that everybody gets");
        server.disconnected(&first);
        assert!(server.next(&others[3], now).is_some());
    }
}
