//! The order in which one key's transactions go out.
//!
//! A nonce is given away under a lock that is held until the node has answered, so there are no gaps among what was
//! sent. When nothing is on its way the chain is asked for the next nonce, which heals every earlier mishap: another
//! program with the same key, a dropped transaction, a chain that was reset.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use alloy::primitives::Bytes;

/// One key's lane on one chain.
#[derive(Default)]
pub(crate) struct Lane {
    /// The next nonce; valid while something is on its way.
    pub(super) next: tokio::sync::Mutex<u64>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    /// Everything signed whose fate is not known, newest fee of each nonce.
    sent: BTreeMap<u64, Bytes>,
    /// Sends that somebody still waits for.
    waiting: usize,
}

impl Lane {
    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing is on its way. What was given up is forgotten: the chain knows best.
    pub(super) fn is_idle(&self) -> bool {
        let mut open = self.open();
        let idle = open.waiting == 0;
        if idle {
            open.sent.clear();
        }
        idle
    }

    /// Notes what was signed for `nonce`; somebody waits for it until the ticket is dropped.
    pub(super) fn enter(self: &Arc<Self>, nonce: u64, raw: Bytes) -> Ticket {
        let mut open = self.open();
        open.sent.insert(nonce, raw);
        open.waiting += 1;
        Ticket { lane: self.clone(), nonce }
    }

    /// What stands lowest in the lane, at or below `nonce`: if it was lost, all above it wait in vain.
    pub(super) fn lowest(&self, nonce: u64) -> Option<(u64, Bytes)> {
        self.open().sent.range(..=nonce).next().map(|(nonce, raw)| (*nonce, raw.clone()))
    }

    /// The nonce is used up.
    pub(super) fn forget(&self, nonce: u64) {
        self.open().sent.remove(&nonce);
    }
}

/// Somebody waits for this nonce.
pub(super) struct Ticket {
    lane: Arc<Lane>,
    pub(super) nonce: u64,
}

impl Ticket {
    /// The same nonce is offered with other bytes now.
    pub(super) fn replace(&self, raw: Bytes) {
        self.lane.open().sent.insert(self.nonce, raw);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut open = self.lane.open();
        open.waiting = open.waiting.saturating_sub(1);
    }
}
