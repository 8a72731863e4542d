//! When agents were heard, what that makes of their providers, and how many seconds of each hour.

use std::collections::{BTreeMap, HashMap};

use alloy_primitives::Address;
use wire::http::Presence;

use crate::config::{HOURS_UNWRITTEN_MAX, Limits};

const HOUR_S: u64 = 3600;

/// The agents that were heard. Looks at no clock: times are unix seconds.
pub(crate) struct Presences {
    agents: HashMap<Address, Heard>,
    /// Seconds in which a provider was heard, by provider and hour since the epoch, that the store does not have yet.
    hours: BTreeMap<(u32, u64), u32>,
    agents_max: usize,
    stale_s: u64,
    offline_s: u64,
}

struct Heard {
    providers: Vec<u32>,
    at: u64,
    /// What was told of it last.
    told: Presence,
}

impl Presences {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            agents: HashMap::new(),
            hours: BTreeMap::new(),
            agents_max: limits.agents_remembered,
            stale_s: limits.stale_after.as_secs(),
            offline_s: limits.offline_after.as_secs(),
        }
    }

    /// The agent spoke. True when something is to be told of it.
    pub(crate) fn heard(&mut self, agent: Address, providers: &[u32], now: u64) -> bool {
        if !self.agents.contains_key(&agent) {
            self.make_room();
            let heard = Heard { providers: providers.to_vec(), at: now, told: Presence::Offline };
            self.agents.insert(agent, heard);
            return true;
        }
        let Some(heard) = self.agents.get_mut(&agent) else {
            return false;
        };
        if heard.providers != providers {
            heard.providers = providers.to_vec();
        }
        // A word vouches for the time until its agent would be called stale, and no longer.
        let (from, to) = (heard.at, now.min(heard.at + self.stale_s));
        heard.at = heard.at.max(now);
        let told = heard.told;
        self.count(providers, from, to);
        told != Presence::Online
    }

    pub(crate) fn heard_at(&self, agent: Address) -> Option<u64> {
        self.agents.get(&agent).map(|heard| heard.at)
    }

    /// Providers whose status is another one than was told; from now on it is told.
    pub(crate) fn changed(&mut self, now: u64) -> Vec<(u32, Presence)> {
        let (stale_s, offline_s) = (self.stale_s, self.offline_s);
        let mut changed = Vec::new();
        for heard in self.agents.values_mut() {
            let is = presence(heard.at, now, stale_s, offline_s);
            if heard.told != is {
                heard.told = is;
                changed.extend(heard.providers.iter().map(|provider| (*provider, is)));
            }
        }
        changed
    }

    pub(crate) fn take_hours(&mut self) -> Vec<(u32, u64, u32)> {
        std::mem::take(&mut self.hours)
            .into_iter()
            .map(|((provider, hour), seconds)| (provider, hour, seconds))
            .collect()
    }

    pub(crate) fn put_hours_back(&mut self, hours: Vec<(u32, u64, u32)>) {
        for (provider, hour, seconds) in hours {
            self.add(provider, hour, seconds);
        }
    }

    fn count(&mut self, providers: &[u32], mut from: u64, to: u64) {
        while from < to {
            let hour = from / HOUR_S;
            let end = to.min((hour + 1) * HOUR_S);
            let seconds = u32::try_from(end - from).unwrap_or(u32::MAX);
            providers.iter().for_each(|provider| self.add(*provider, hour, seconds));
            from = end;
        }
    }

    fn add(&mut self, provider: u32, hour: u64, seconds: u32) {
        if self.hours.len() < HOURS_UNWRITTEN_MAX || self.hours.contains_key(&(provider, hour)) {
            let sum = self.hours.entry((provider, hour)).or_default();
            *sum = sum.saturating_add(seconds);
        }
    }

    /// The agent that was not heard for the longest time is forgotten.
    fn make_room(&mut self) {
        if self.agents.len() >= self.agents_max
            && let Some(agent) = self.agents.iter().min_by_key(|(_, heard)| heard.at).map(|(agent, _)| *agent)
        {
            self.agents.remove(&agent);
        }
    }
}

fn presence(heard: u64, now: u64, stale_s: u64, offline_s: u64) -> Presence {
    match now.saturating_sub(heard) {
        ago if ago >= offline_s => Presence::Offline,
        ago if ago >= stale_s => Presence::Stale,
        _ => Presence::Online,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: Address = Address::repeat_byte(1);

    fn presences() -> Presences {
        Presences::new(&Limits { agents_remembered: 2, ..Limits::default() })
    }

    #[test]
    fn a_status_is_told_once_when_it_changes() {
        let mut presences = presences();
        assert!(presences.heard(AGENT, &[7, 8], 1000));
        assert_eq!(presences.changed(1000), [(7, Presence::Online), (8, Presence::Online)]);
        assert!(!presences.heard(AGENT, &[7], 1010));
        let table = [(1069, None), (1070, Some(Presence::Stale)), (1189, None), (1190, Some(Presence::Offline))];
        for (now, told) in table {
            assert_eq!(presences.changed(now), told.map(|told| (7, told)).into_iter().collect::<Vec<_>>(), "{now}");
        }
        assert_eq!(presences.heard_at(AGENT), Some(1010));
        assert!(presences.heard(AGENT, &[7], 2000));
        assert_eq!(presences.changed(2000), [(7, Presence::Online)]);
        assert_eq!(presences.changed(2000), []);
    }

    #[test]
    fn seconds_are_those_between_words_and_at_most_a_minute_after_one() {
        let mut presences = presences();
        let hour = 500;
        let start = hour * HOUR_S + HOUR_S - 30;
        for at in [0, 10, 50, 400, 410] {
            presences.heard(AGENT, &[7], start + at);
        }
        // 0 to 30 in the first hour; 30 to 50, a minute after 50, and 400 to 410 in the next.
        assert_eq!(presences.take_hours(), [(7, hour, 30), (7, hour + 1, 90)]);
        assert_eq!(presences.take_hours(), []);
        presences.put_hours_back(vec![(7, 1, 5)]);
        presences.put_hours_back(vec![(7, 1, 6)]);
        assert_eq!(presences.take_hours(), [(7, 1, 11)]);
    }

    #[test]
    fn who_was_not_heard_for_the_longest_time_is_forgotten_first() {
        let mut presences = presences();
        for (agent, at) in [(1, 10), (2, 5), (3, 20)] {
            presences.heard(Address::repeat_byte(agent), &[agent.into()], at);
        }
        let known = [1, 2, 3].map(|agent| presences.heard_at(Address::repeat_byte(agent)).is_some());
        assert_eq!(known, [true, false, true]);
    }
}
