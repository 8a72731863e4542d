//! Bitswap in the loop: what peers want of us, and what we want of them.

use std::time::Instant;

use content::{Block, Cid};
use libp2p::PeerId;
use tokio::sync::OwnedSemaphorePermit;

use super::engine::{Engine, News};
use super::work::{self, Job};
use crate::bitswap::{Event, Message, Presence, SessionId, Verdict, Want, digest_of};

/// Answers in one message: with the longest CIDs they stay far below what a message may have.
const ANSWERS_MAX: usize = 4096;
/// Peers that are kept out at once. Identities cost nothing, so a longer list would only cost memory.
const BANNED_MAX: usize = 4096;
/// The tag of messages without blocks.
const NO_BLOCKS: u64 = 0;

impl Engine {
    pub(super) fn on_bitswap(&mut self, event: Event) {
        match event {
            Event::Connected(peer) => {
                self.server.connected(peer);
                self.shared.peers.send_modify(|peers| {
                    peers.insert(peer);
                });
                self.tell_all(|| News::Joined(peer));
            }
            Event::Disconnected(peer) => self.forget(peer),
            Event::Received { peer, message, room } => self.received(peer, message, room),
            Event::Sent { peer, tag } => {
                self.server.sent(&peer, tag);
                self.pump(peer);
            }
            Event::Unsent(peer) => {
                tracing::debug!(%peer, "a peer takes no messages");
                self.server.connected(peer);
                self.demand.disconnected(&peer);
                self.tell_all(|| News::Left(peer));
            }
            Event::Broken(peer) => self.ban(peer),
        }
    }

    pub(super) fn on_job(&mut self, job: Job) {
        match job {
            Job::Looked(peer, found) => {
                let answers = found.into_iter().filter_map(|(cid, bytes)| self.server.found(&peer, cid, bytes));
                let answers: Vec<Presence> = answers.collect();
                self.answer(peer, &answers);
                self.pump(peer);
            }
            Job::Read { peer, bytes, blocks, gone } => {
                let sent: u64 = blocks.iter().map(|block| block.data.len() as u64).sum();
                self.shared.counters.count(peer, |it| {
                    it.blocks_sent += blocks.len() as u64;
                    it.bytes_sent += sent;
                    it.refused += gone.len() as u64;
                });
                let presences = gone.into_iter().map(|cid| Presence { cid, is_here: false }).collect();
                let message = Message { blocks, presences, ..Message::default() };
                self.swarm.behaviour_mut().bitswap.send(peer, &message, bytes);
            }
            Job::Hashed(peer, blocks) => blocks.into_iter().for_each(|block| self.hashed(peer, block)),
        }
    }

    fn received(&mut self, peer: PeerId, message: Message, room: OwnedSemaphorePermit) {
        for presence in message.presences {
            for session in self.demand.presence(&peer, &presence.cid, presence.is_here) {
                self.tell(session, News::Presence(peer, presence.cid, presence.is_here));
            }
        }
        // The room is given back when what takes the most memory is done.
        let mut room = Some(room);
        if !message.blocks.is_empty() {
            let data = message.blocks.into_iter().map(|block| block.data).collect();
            work::hash(self.jobs.clone(), peer, data, room.take());
        }
        if message.full || !message.wants.is_empty() {
            let reception = self.server.receive(&peer, message.wants, message.full);
            self.answer(peer, &reception.refused);
            let place = (self.store.clone(), self.serves.clone());
            work::look_up(self.jobs.clone(), place, peer, reception.look_up, room.take());
        }
    }

    fn hashed(&mut self, peer: PeerId, block: Option<Block>) {
        let digest = block.as_ref().and_then(|block| digest_of(block.cid()));
        let verdict = digest.map_or(Verdict::Stray, |digest| self.demand.block(&peer, &digest));
        match (verdict, block) {
            (Verdict::Wanted(sessions), Some(block)) => {
                self.shared.counters.count(peer, |it| {
                    it.blocks_received += 1;
                    it.bytes_received += block.data().len() as u64;
                });
                for session in sessions {
                    self.tell(session, News::Block(peer, block.clone()));
                }
            }
            (Verdict::Late, _) => self.shared.counters.count(peer, |it| it.blocks_late += 1),
            _ => {
                tracing::warn!(%peer, "a peer sent bytes that nobody asked it for");
                self.ban(peer);
            }
        }
    }

    /// Reads and sends what a peer has room for.
    pub(super) fn pump(&mut self, peer: PeerId) {
        while let Some(batch) = self.server.next(&peer, Instant::now()) {
            work::read(self.jobs.clone(), self.store.clone(), peer, batch);
        }
    }

    pub(super) fn ask(&mut self, session: SessionId, peer: PeerId, cids: &[Cid]) {
        if !self.shared.peers.borrow().contains(&peer) {
            return self.tell(session, News::Left(peer));
        }
        let wants: Vec<Want> = self.demand.ask(session, peer, cids).into_iter().map(Want::block).collect();
        self.send(peer, &Message { wants, ..Message::default() });
    }

    pub(super) fn cancel(&mut self, peer: PeerId, cids: Vec<Cid>) {
        let wants = cids.into_iter().map(Want::cancel).collect();
        self.send(peer, &Message { wants, ..Message::default() });
    }

    fn answer(&mut self, peer: PeerId, answers: &[Presence]) {
        let refused = answers.iter().filter(|answer| !answer.is_here).count() as u64;
        if refused > 0 {
            self.shared.counters.count(peer, |it| it.refused += refused);
        }
        for presences in answers.chunks(ANSWERS_MAX) {
            self.send(peer, &Message { presences: presences.to_vec(), ..Message::default() });
        }
    }

    fn send(&mut self, peer: PeerId, message: &Message) {
        if *message != Message::default() {
            self.swarm.behaviour_mut().bitswap.send(peer, message, NO_BLOCKS);
        }
    }

    pub(super) fn tell(&self, session: SessionId, news: News) {
        if let Some(session) = self.sessions.get(&session) {
            // It may have ended at this moment.
            drop(session.send(news));
        }
    }

    /// A peer is gone.
    fn forget(&mut self, peer: PeerId) {
        self.server.disconnected(&peer);
        self.demand.disconnected(&peer);
        self.shared.peers.send_modify(|peers| {
            peers.remove(&peer);
        });
        self.tell_all(|| News::Left(peer));
    }

    /// A peer lied: it is not asked again, and not connected, for a time.
    fn ban(&mut self, peer: PeerId) {
        self.shared.counters.count(peer, |it| it.lies += 1);
        self.tell_all(|| News::Left(peer));
        if self.banned.len() < BANNED_MAX {
            self.banned.insert(peer, Instant::now() + self.config.service.ban);
            self.swarm.behaviour_mut().blocked.block_peer(peer);
        } else {
            self.swarm.behaviour_mut().bitswap.disconnect(peer);
        }
    }
}
