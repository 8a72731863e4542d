//! What agents said last of their leases: a cache, which may be lost at any moment.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use alloy_primitives::{Address, B256};
use wire::link::LeaseState;

/// A lease as its agent told of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) agent: Address,
    pub(crate) state: LeaseState,
}

/// The newest of each, at most `MAX`; the one that was told of longest ago goes first.
#[derive(Default)]
pub(crate) struct Copies<const MAX: usize>(Mutex<Held>);

#[derive(Default)]
struct Held {
    copies: HashMap<B256, Told>,
    order: VecDeque<B256>,
}

impl<const MAX: usize> Copies<MAX> {
    /// An agent tells. Another's lease is not its to tell of.
    pub(crate) fn told(&self, agent: Address, lease: B256, state: LeaseState) {
        let mut held = self.held();
        if held.copies.get(&lease).is_some_and(|copy| copy.agent != agent) {
            return;
        }
        if held.copies.insert(lease, Told { agent, state }).is_none() {
            held.order.push_back(lease);
        }
        if held.order.len() > MAX
            && let Some(oldest) = held.order.pop_front()
        {
            held.copies.remove(&oldest);
        }
    }

    pub(crate) fn of(&self, lease: B256) -> Option<Told> {
        self.held().copies.get(&lease).cloned()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // No change under this lock can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
