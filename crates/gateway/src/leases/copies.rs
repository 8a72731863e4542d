//! What agents said last of their leases: a cache, which may be lost at any moment.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use alloy_primitives::{Address, B256};
use wire::link::LeaseState;

use crate::config::LEASES_OF_AGENT_MAX;

/// A lease as its agent told of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    pub(crate) agent: Address,
    pub(crate) state: LeaseState,
}

/// The newest of each, at most `MAX`, and [`LEASES_OF_AGENT_MAX`] of an agent, whose own go before anybody else's. What is
/// over goes first, then what was told of longest ago.
#[derive(Default)]
pub(crate) struct Copies<const MAX: usize>(Mutex<Held>);

#[derive(Default)]
struct Held {
    copies: HashMap<B256, Told>,
    order: VecDeque<B256>,
}

impl Held {
    /// Forgets one of those that may go, and not `kept`.
    fn drop_one(&mut self, kept: B256, may_go: impl Fn(&Told) -> bool) {
        let find = |over: bool| {
            self.order.iter().position(|lease| {
                let copy = self.copies.get(lease).filter(|copy| may_go(copy));
                *lease != kept && copy.is_some_and(|copy| !over || copy.state.phase.is_over())
            })
        };
        let Some(place) = find(true).or_else(|| find(false)) else { return };
        if let Some(lease) = self.order.remove(place) {
            self.copies.remove(&lease);
        }
    }
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
        let own = held.copies.values().filter(|copy| copy.agent == agent).count();
        if own > LEASES_OF_AGENT_MAX {
            held.drop_one(lease, |copy| copy.agent == agent);
        } else if held.order.len() > MAX {
            held.drop_one(lease, |_| true);
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
