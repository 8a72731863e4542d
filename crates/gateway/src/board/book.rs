//! The listings themselves, and how one is joined with who is heard.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use alloy_primitives::{Address, B256};
use jiff::Timestamp;
use market::Amount;
use store::{ProviderRow, ResourceRow};
use wire::{
    details,
    http::{GpuJson, Money, Presence},
};

use super::{Entry, Facts};

/// The market that a listing is from.
const SOURCE: &str = "bourse";

/// Who is heard.
pub(crate) trait Heard {
    /// When the agent was last heard, in unix seconds.
    fn last(&self, agent: Address) -> Option<u64>;
}

impl<F: Fn(Address) -> Option<u64>> Heard for F {
    fn last(&self, agent: Address) -> Option<u64> {
        self(agent)
    }
}

pub(super) struct Book {
    token: Address,
    stale_after: u64,
    offline_after: u64,
    listings: BTreeMap<B256, Listing>,
    /// In hundredths of a percent.
    pub(super) uptimes: HashMap<u32, u16>,
}

struct Listing {
    row: ResourceRow,
    owner: Address,
    agent: Address,
    /// As it was last shown.
    shown: Option<(Facts, Arc<Entry>)>,
}

impl Book {
    pub(super) fn new(token: Address, stale_after: u64, offline_after: u64) -> Self {
        Self { token, stale_after, offline_after, listings: BTreeMap::new(), uptimes: HashMap::new() }
    }

    pub(super) fn apply(&mut self, rows: Vec<(ResourceRow, ProviderRow)>, anew: bool) -> Vec<B256> {
        let mut before = if anew { std::mem::take(&mut self.listings) } else { BTreeMap::new() };
        let mut changed = Vec::new();
        for (row, provider) in rows {
            let id = B256::from(row.id.0);
            let old = if anew { before.remove(&id) } else { self.listings.remove(&id) };
            let same = old.filter(|old| old.row == row && (old.owner, old.agent) == (provider.owner, provider.agent));
            let listing = same.unwrap_or_else(|| {
                changed.push(id);
                Listing { row, owner: provider.owner, agent: provider.agent, shown: None }
            });
            self.listings.insert(id, listing);
        }
        changed
    }

    pub(super) fn providers(&self) -> HashMap<u32, Address> {
        self.listings.values().map(|listing| (listing.row.provider, listing.agent)).collect()
    }

    pub(super) fn facts(&self, provider: u32, agent: Address, heard: &impl Heard, now: u64) -> Facts {
        let seen_at = heard.last(agent);
        let status = match seen_at.map(|seen| now.saturating_sub(seen)) {
            Some(silent) if silent < self.stale_after => Presence::Online,
            Some(silent) if silent < self.offline_after => Presence::Stale,
            _ => Presence::Offline,
        };
        Facts { status, seen_at, uptime_bps: self.uptimes.get(&provider).copied() }
    }

    /// All entries, by id. Only those whose facts changed are made anew.
    pub(super) fn join(&mut self, heard: &impl Heard, now: u64) -> Vec<Arc<Entry>> {
        let facts: HashMap<u32, Facts> = self
            .providers()
            .into_iter()
            .map(|(provider, agent)| (provider, self.facts(provider, agent, heard, now)))
            .collect();
        let token = self.token;
        let silent = Facts { status: Presence::Offline, seen_at: None, uptime_bps: None };
        let join = |listing: &mut Listing| {
            let facts = facts.get(&listing.row.provider).copied().unwrap_or(silent);
            match &listing.shown {
                Some((before, entry)) if *before == facts => entry.clone(),
                _ => {
                    let entry = Arc::new(entry(listing, facts, token));
                    listing.shown = Some((facts, entry.clone()));
                    entry
                }
            }
        };
        self.listings.values_mut().map(join).collect()
    }
}

fn entry(listing: &Listing, facts: Facts, token: Address) -> Entry {
    let row = &listing.row;
    let gpu = GpuJson {
        id: row.id.0.into(),
        source: SOURCE.into(),
        provider: row.provider.to_string(),
        owner: listing.owner,
        agent: listing.agent,
        hardware: (&row.hardware).into(),
        location: details::region(&row.details).map(str::to_owned),
        price_per_hour: Money::new(Amount(row.price.0), token),
        available: row.available,
        busy: row.held_by.is_some(),
        status: facts.status,
        seen_at: facts.seen_at.map(time),
        uptime_bps: facts.uptime_bps,
        listed_at: time(row.listed_at.0),
    };
    // Every part has a JSON form; an empty text would only mean that this stops being so.
    let json = serde_json::to_string(&gpu).unwrap_or_default();
    Entry { price: row.price, provider: row.provider, gpu, json }
}

/// A time as bodies write it. Block times beyond the year 9999 are shown as that.
pub(crate) fn time(seconds: u64) -> Timestamp {
    i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(Timestamp::MAX)
}
