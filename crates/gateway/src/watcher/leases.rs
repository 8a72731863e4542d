//! Whose word counts when several gateways have one key and one database: an agent is linked to one of them at a time,
//! and the others hear nothing of it.
//!
//! There is a lease for each agent. Who is linked to it holds it; where nobody is, the first to find it silent takes it. It
//! lasts shorter than a silence, so that a gateway that stopped keeps nobody from speaking.

use std::{collections::BTreeSet, time::Duration};

use alloy_primitives::{Address, B256};

use crate::state::Shared;

/// A lease lasts so many heartbeats: less than the four of a silence, more than lie between two looks.
const BEATS: u32 = 2;
/// But at least this long: leases are in whole seconds.
const LEAST_S: u64 = 2;

pub(super) struct Leases {
    key: Address,
    /// This run of this gateway.
    holder: String,
    for_s: u64,
    /// Those of linked agents.
    held: BTreeSet<Address>,
}

impl Leases {
    pub(super) fn new(key: Address, heartbeat: Duration) -> Self {
        let holder = B256::from(rand::random::<[u8; 32]>()).to_string();
        Self { key, holder, for_s: (heartbeat * BEATS).as_secs().max(LEAST_S), held: BTreeSet::new() }
    }

    /// Holds the leases of the linked ones of these agents, and gives back those of who is linked no more.
    pub(super) async fn look(&mut self, shared: &Shared, counted: &BTreeSet<Address>) {
        let linked = shared.links.agents();
        for agent in counted.iter().filter(|agent| linked.contains(*agent)) {
            if self.take(shared, *agent).await {
                self.held.insert(*agent);
            }
        }
        let gone: Vec<Address> = self.held.iter().filter(|agent| !linked.contains(*agent)).copied().collect();
        for agent in gone {
            match shared.store.end_lease(&self.name(agent), &self.holder).await {
                Ok(()) => {
                    self.held.remove(&agent);
                }
                Err(error) => tracing::debug!(%agent, %error, "a lease could not be given back; it runs out"),
            }
        }
    }

    /// Whether it is for this gateway to speak of the agent now. Not while the store does not answer.
    pub(super) async fn take(&self, shared: &Shared, agent: Address) -> bool {
        shared.store.lease(&self.name(agent), &self.holder, self.for_s).await.unwrap_or_else(|error| {
            tracing::warn!(%agent, %error, "whose agent it is cannot be known; nothing is said of it");
            false
        })
    }

    fn name(&self, agent: Address) -> String {
        format!("watch:{}:{agent}", self.key)
    }
}
