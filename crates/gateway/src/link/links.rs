//! The agents that are linked now.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use alloy_primitives::{Address, B256};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wire::link::FromGateway;

use super::LinkId;

/// One agent's open connection.
pub(crate) struct Live {
    pub(crate) id: LinkId,
    pub(crate) agent: Address,
    /// As the hello announced them, each checked against the chain.
    pub(crate) resources: HashSet<B256>,
    pub(crate) outbox: mpsc::Sender<FromGateway>,
    /// Cancelled when a newer link takes over.
    pub(crate) replaced: CancellationToken,
}

/// As many agents are linked as may be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Crowded;

/// One live link for each agent and one for each resource.
pub(crate) struct Links {
    max: usize,
    live: Mutex<HashMap<LinkId, Live>>,
}

impl Links {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, live: Mutex::new(HashMap::new()) }
    }

    /// Takes a link in. Older links of the same agent, or to one of the same resources, end.
    pub(crate) fn open(&self, link: Live) -> Result<(), Crowded> {
        let mut live = self.live();
        let rival = |old: &Live| old.agent == link.agent || !old.resources.is_disjoint(&link.resources);
        let rivals: Vec<LinkId> = live.values().filter(|old| rival(old)).map(|old| old.id).collect();
        if live.len() - rivals.len() >= self.max {
            return Err(Crowded);
        }
        rivals.iter().filter_map(|id| live.remove(id)).for_each(|old| old.replaced.cancel());
        live.insert(link.id, link);
        Ok(())
    }

    pub(crate) fn close(&self, id: LinkId) {
        self.live().remove(&id);
    }

    pub(crate) fn count(&self) -> usize {
        self.live().len()
    }

    /// The agents that are linked to this gateway.
    pub(crate) fn agents(&self) -> HashSet<Address> {
        self.live().values().map(|link| link.agent).collect()
    }

    /// The link of an agent, if it has one here.
    pub(crate) fn of_agent(&self, agent: Address) -> Option<LinkId> {
        self.live().values().find(|link| link.agent == agent).map(|link| link.id)
    }

    /// Who serves a resource here.
    pub(crate) fn agent_of(&self, resource: B256) -> Option<Address> {
        self.live().values().find(|link| link.resources.contains(&resource)).map(|link| link.agent)
    }

    /// Hands a message to an agent; false when it is gone or does not read.
    pub(crate) fn send(&self, id: LinkId, message: FromGateway) -> bool {
        self.live().get(&id).is_some_and(|link| link.outbox.try_send(message).is_ok())
    }

    fn live(&self) -> MutexGuard<'_, HashMap<LinkId, Live>> {
        // No change under this lock can panic half-way.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(id: LinkId, agent: u8, resources: &[u8]) -> (Live, CancellationToken) {
        let agent = Address::repeat_byte(agent);
        let replaced = CancellationToken::new();
        let resources = resources.iter().map(|id| B256::repeat_byte(*id)).collect();
        let outbox = mpsc::channel(1).0;
        (Live { id, agent, resources, outbox, replaced: replaced.clone() }, replaced)
    }

    #[test]
    fn a_newer_link_replaces_the_older_of_its_agent_and_of_its_resources() {
        let links = Links::new(2);
        let (first, first_replaced) = live(1, 1, &[20, 10]);
        let (second, second_replaced) = live(2, 2, &[30]);
        links.open(first).unwrap();
        links.open(second).unwrap();
        assert_eq!(links.count(), 2);
        assert_eq!(links.open(live(3, 3, &[40]).0), Err(Crowded));
        links.open(live(4, 1, &[10]).0).unwrap();
        assert!(first_replaced.is_cancelled() && !second_replaced.is_cancelled());
        links.open(live(5, 9, &[30]).0).unwrap();
        assert!(second_replaced.is_cancelled());
        links.close(2);
        assert_eq!(links.count(), 2, "the end of a replaced link takes nothing away");
    }
}
