//! The agents that are linked now.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use alloy_primitives::{Address, B256};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use wire::{http::GpuJson, link::FromGateway};

use super::LinkId;

/// One agent's open connection.
pub(crate) struct Live {
    pub(crate) id: LinkId,
    pub(crate) agent: Address,
    /// As the hello announced them, each checked against the chain.
    pub(crate) resources: Vec<GpuJson>,
    /// When it was last heard, in unix seconds.
    pub(crate) heard: u64,
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
        let ids: HashSet<B256> = link.resources.iter().map(|resource| resource.id).collect();
        let rival = |old: &Live| old.agent == link.agent || old.resources.iter().any(|r| ids.contains(&r.id));
        let rivals: Vec<LinkId> = live.values().filter(|old| rival(old)).map(|old| old.id).collect();
        if live.len() - rivals.len() >= self.max {
            return Err(Crowded);
        }
        rivals.iter().filter_map(|id| live.remove(id)).for_each(|old| old.replaced.cancel());
        live.insert(link.id, link);
        Ok(())
    }

    pub(crate) fn heard(&self, id: LinkId, now: u64) {
        if let Some(link) = self.live().get_mut(&id) {
            link.heard = now;
        }
    }

    pub(crate) fn close(&self, id: LinkId) {
        self.live().remove(&id);
    }

    pub(crate) fn count(&self) -> usize {
        self.live().len()
    }

    /// Hands a message to an agent; false when it is gone or does not read.
    pub(crate) fn send(&self, id: LinkId, message: FromGateway) -> bool {
        self.live().get(&id).is_some_and(|link| link.outbox.try_send(message).is_ok())
    }

    /// What agents heard at `since` or later announced, by id.
    pub(crate) fn resources(&self, since: u64) -> Vec<GpuJson> {
        let live = self.live();
        let heard = live.values().filter(|link| link.heard >= since);
        let mut resources: Vec<GpuJson> = heard.flat_map(|link| link.resources.iter().cloned()).collect();
        resources.sort_unstable_by_key(|resource| resource.id);
        resources
    }

    fn live(&self) -> MutexGuard<'_, HashMap<LinkId, Live>> {
        // No change under this lock can panic half-way.
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use wire::HardwareJson;

    use super::*;

    fn live(id: LinkId, agent: u8, resources: &[u8], heard: u64) -> (Live, CancellationToken) {
        let agent = Address::repeat_byte(agent);
        let hardware = HardwareJson {
            model: "test".into(),
            gpus: 0,
            vram_mib: 0,
            cpus: 1,
            memory_mib: 1,
            disk_mib: 1,
            simulated: true,
        };
        let gpu = |id: &u8| GpuJson {
            id: B256::repeat_byte(*id),
            hardware: hardware.clone(),
            price_per_hour: "1".into(),
            available: true,
            busy: false,
            agent,
        };
        let replaced = CancellationToken::new();
        let resources = resources.iter().map(gpu).collect();
        let outbox = mpsc::channel(1).0;
        (Live { id, agent, resources, heard, outbox, replaced: replaced.clone() }, replaced)
    }

    fn listed(links: &Links, since: u64) -> Vec<u8> {
        links.resources(since).iter().map(|resource| resource.id[0]).collect()
    }

    #[test]
    fn a_newer_link_replaces_the_older_of_its_agent_and_of_its_resources() {
        let links = Links::new(2);
        let (first, first_replaced) = live(1, 1, &[20, 10], 0);
        let (second, second_replaced) = live(2, 2, &[30], 0);
        links.open(first).unwrap();
        links.open(second).unwrap();
        assert_eq!(listed(&links, 0), [10, 20, 30]);
        assert_eq!(links.open(live(3, 3, &[40], 0).0), Err(Crowded));
        links.open(live(4, 1, &[10], 0).0).unwrap();
        assert!(first_replaced.is_cancelled() && !second_replaced.is_cancelled());
        assert_eq!(listed(&links, 0), [10, 30]);
        links.open(live(5, 9, &[30], 0).0).unwrap();
        assert!(second_replaced.is_cancelled());
        links.close(2);
        assert_eq!(links.count(), 2, "the end of a replaced link takes nothing away");
    }

    #[test]
    fn who_is_silent_is_not_listed_until_heard_again() {
        let links = Links::new(2);
        links.open(live(1, 1, &[10], 100).0).unwrap();
        assert_eq!(listed(&links, 100), [10]);
        assert_eq!(listed(&links, 101), [] as [u8; 0]);
        links.heard(1, 300);
        assert_eq!(listed(&links, 101), [10]);
    }
}
