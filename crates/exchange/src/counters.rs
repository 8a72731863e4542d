//! What went to and came from each peer.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use libp2p::PeerId;

/// Peers that are remembered; beyond this those that are least worth remembering are forgotten.
const PEERS_MAX: usize = 4096;

/// What went to and came from one peer since the node started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PeerCounters {
    /// Blocks sent.
    pub blocks_sent: u64,
    /// Bytes of those.
    pub bytes_sent: u64,
    /// Blocks received that were wanted.
    pub blocks_received: u64,
    /// Bytes of those.
    pub bytes_received: u64,
    /// Blocks received that were not needed any more.
    pub blocks_late: u64,
    /// Wishes that were answered with "it is not here".
    pub refused: u64,
    /// Times that it broke the rules, or sent what its name does not say.
    pub lies: u64,
}

/// The counters of all peers.
#[derive(Debug, Default)]
pub(crate) struct Counters(Mutex<HashMap<PeerId, PeerCounters>>);

impl Counters {
    pub(crate) fn count(&self, peer: PeerId, change: impl FnOnce(&mut PeerCounters)) {
        let mut peers = self.lock();
        if peers.len() >= PEERS_MAX && !peers.contains_key(&peer) {
            let worth = |it: &PeerCounters| it.bytes_sent + it.bytes_received;
            let least = peers.iter().min_by_key(|(_, it)| worth(it)).map(|(peer, _)| *peer);
            least.map(|least| peers.remove(&least));
        }
        change(peers.entry(peer).or_default());
    }

    pub(crate) fn all(&self) -> Vec<(PeerId, PeerCounters)> {
        let mut all: Vec<_> = self.lock().iter().map(|(peer, counters)| (*peer, *counters)).collect();
        all.sort_unstable_by_key(|(peer, _)| *peer);
        all
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PeerId, PeerCounters>> {
        // Additions cannot panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
