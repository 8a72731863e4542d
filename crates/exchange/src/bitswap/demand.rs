//! What was asked of whom, and for which fetch: so that one peer is asked once, and what comes finds its way. Pure.

use std::collections::{HashMap, HashSet, VecDeque};

use content::{Cid, Digest};
use libp2p::PeerId;

/// One fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SessionId(pub(crate) u64);

/// Digests that are remembered of each peer, asked and answered: late blocks are no lies.
const REMEMBERED: usize = 4096;

/// What to make of a block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is for these.
    Wanted(Vec<SessionId>),
    /// It was asked of this peer, and is not needed any more.
    Late,
    /// Nobody ever asked this peer for it: these bytes are a lie.
    Stray,
}

/// What one peer was asked for.
#[derive(Debug, Default)]
struct Asked {
    open: HashMap<Cid, HashSet<SessionId>>,
    digests: HashSet<Digest>,
    order: VecDeque<Digest>,
}

/// Everything that was asked.
#[derive(Debug, Default)]
pub(crate) struct Demand {
    peers: HashMap<PeerId, Asked>,
    wanted: HashMap<Digest, HashSet<SessionId>>,
}

/// The digest by which blocks are known, whatever their codec. `None` for other hashes.
pub(crate) fn digest_of(cid: &Cid) -> Option<Digest> {
    cid.hash().digest().try_into().ok()
}

impl Asked {
    fn remember(&mut self, digest: Digest) {
        if self.digests.insert(digest) {
            self.order.push_back(digest);
        }
        while self.order.len() > REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.digests.remove(&oldest);
            }
        }
    }
}

impl Demand {
    /// Asks a peer on behalf of a session; gives what it has not been asked already.
    pub(crate) fn ask(&mut self, session: SessionId, peer: PeerId, cids: &[Cid]) -> Vec<Cid> {
        let asked = self.peers.entry(peer).or_default();
        let mut new = Vec::new();
        for cid in cids {
            let Some(digest) = digest_of(cid) else { continue };
            self.wanted.entry(digest).or_default().insert(session);
            asked.remember(digest);
            let sessions = asked.open.entry(*cid).or_default();
            if sessions.is_empty() {
                new.push(*cid);
            }
            sessions.insert(session);
        }
        new
    }

    /// Ends a session's wishes of a peer; gives those that are nobody else's.
    pub(crate) fn cancel(&mut self, session: SessionId, peer: &PeerId, cids: &[Cid]) -> Vec<Cid> {
        let Some(asked) = self.peers.get_mut(peer) else { return Vec::new() };
        let mut ended = Vec::new();
        for cid in cids {
            if let Some(sessions) = asked.open.get_mut(cid)
                && sessions.remove(&session)
                && sessions.is_empty()
            {
                asked.open.remove(cid);
                ended.push(*cid);
            }
        }
        ended
    }

    /// Ends a session; gives what nobody else wants, by peer.
    pub(crate) fn close(&mut self, session: SessionId) -> Vec<(PeerId, Vec<Cid>)> {
        self.wanted.retain(|_, sessions| {
            sessions.remove(&session);
            !sessions.is_empty()
        });
        let peers: Vec<PeerId> = self.peers.keys().copied().collect();
        let ended = peers.into_iter().map(|peer| {
            let cids: Vec<Cid> = self.peers[&peer].open.keys().copied().collect();
            (peer, self.cancel(session, &peer, &cids))
        });
        ended.filter(|(_, cids)| !cids.is_empty()).collect()
    }

    /// A peer is gone; its open wishes with it.
    pub(crate) fn disconnected(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
    }

    /// Who asked this peer whether it has a block.
    pub(crate) fn presence(&mut self, peer: &PeerId, cid: &Cid, is_here: bool) -> Vec<SessionId> {
        let Some(asked) = self.peers.get_mut(peer) else { return Vec::new() };
        // What is not there is not awaited any more.
        let sessions = if is_here { asked.open.get(cid).cloned() } else { asked.open.remove(cid) };
        sessions.into_iter().flatten().collect()
    }

    /// A peer sent bytes of this digest.
    pub(crate) fn block(&mut self, peer: &PeerId, digest: &Digest) -> Verdict {
        let Some(asked) = self.peers.get_mut(peer).filter(|asked| asked.digests.contains(digest)) else {
            return Verdict::Stray;
        };
        asked.open.retain(|cid, _| digest_of(cid).as_ref() != Some(digest));
        match self.wanted.remove(digest) {
            Some(sessions) => Verdict::Wanted(sessions.into_iter().collect()),
            None => Verdict::Late,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use content::{Block, DAG_PB, RAW};

    const ONE: SessionId = SessionId(1);
    const TWO: SessionId = SessionId(2);

    fn block(name: &str) -> (Cid, Digest) {
        (*Block::new(RAW, name.to_owned()).unwrap().cid(), content::sha256(name.as_bytes()))
    }

    #[test]
    fn two_sessions_share_one_wish() {
        let (mut demand, peer, (cid, digest)) = (Demand::default(), PeerId::random(), block("a"));
        assert_eq!(demand.ask(ONE, peer, &[cid]), [cid]);
        assert_eq!(demand.ask(TWO, peer, &[cid]), []);
        assert_eq!(demand.cancel(ONE, &peer, &[cid]), [], "the other still wants it");
        assert_eq!(demand.close(ONE), []);
        assert_eq!(demand.block(&peer, &digest), Verdict::Wanted(vec![TWO]));
        assert_eq!(demand.block(&peer, &digest), Verdict::Late);
    }

    #[test]
    fn what_was_never_asked_of_a_peer_is_stray() {
        let (mut demand, honest, liar, (cid, digest)) =
            (Demand::default(), PeerId::random(), PeerId::random(), block("a"));
        demand.ask(ONE, honest, &[cid]);
        assert_eq!(demand.block(&liar, &digest), Verdict::Stray);
        assert_eq!(demand.block(&honest, &content::sha256(b"A")), Verdict::Stray);
        assert_eq!(demand.close(ONE), [(honest, vec![cid])]);
        assert_eq!(demand.block(&honest, &digest), Verdict::Late, "it may have been on its way");
    }

    #[test]
    fn a_block_answers_for_every_codec() {
        let (mut demand, peer, (cid, digest)) = (Demand::default(), PeerId::random(), block("a"));
        let node = Cid::new_v1(DAG_PB, *cid.hash());
        demand.ask(ONE, peer, &[cid, node]);
        assert_eq!(demand.block(&peer, &digest), Verdict::Wanted(vec![ONE]));
        assert_eq!(demand.ask(TWO, peer, &[cid, node]), [cid, node], "nothing is open any more");
    }

    #[test]
    fn absence_ends_a_wish_and_presence_does_not() {
        let (mut demand, peer, (cid, _)) = (Demand::default(), PeerId::random(), block("a"));
        demand.ask(ONE, peer, &[cid]);
        assert_eq!(demand.presence(&peer, &cid, true), [ONE]);
        assert_eq!(demand.presence(&peer, &cid, false), [ONE]);
        assert_eq!(demand.presence(&peer, &cid, false), []);
    }
}
