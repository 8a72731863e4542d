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

#[cfg(test)]
mod tests {
    use market::{Amount, BasisPoints, Hardware, Mebibytes, PerHour, ResourceId};

    use super::*;

    const AGENT: Address = Address::repeat_byte(0xaa);

    fn row(id: u8, price: u128) -> (ResourceRow, ProviderRow) {
        let hardware = Hardware {
            model: "test".into(),
            gpus: 1,
            vram: Mebibytes(1),
            cpus: 1,
            memory: Mebibytes(1),
            disk: Mebibytes(1),
            simulated: false,
        };
        let resource = ResourceRow {
            id: ResourceId([id; 32]),
            provider: 7,
            key: B256::ZERO,
            hardware,
            details: "region=eu-west; driver=1".into(),
            price: PerHour(price),
            available: true,
            held_by: None,
            stake: Amount(0),
            tied: Amount(0),
            unbonding: Amount(0),
            unbonded_at: None,
            contested: Amount(0),
            cancel_fee: BasisPoints(0),
            listed_at: market::Timestamp(1),
            changed: 1,
        };
        let provider = ProviderRow {
            id: 7,
            owner: Address::ZERO,
            agent: AGENT,
            payout: Address::ZERO,
            registered_at: market::Timestamp(1),
            jobs_started: 0,
            jobs_succeeded: 0,
            changed: 1,
        };
        (resource, provider)
    }

    fn book() -> Book {
        Book::new(Address::ZERO, 60, 180)
    }

    fn nobody(_: Address) -> Option<u64> {
        None
    }

    #[test]
    fn only_what_is_not_as_before_counts_as_changed() {
        let ids = |ids: &[u8]| ids.iter().map(|id| B256::repeat_byte(*id)).collect::<Vec<_>>();
        let mut book = book();
        assert_eq!(book.apply(vec![row(1, 5), row(2, 5)], true), ids(&[1, 2]));
        assert_eq!(book.apply(vec![row(2, 5)], false), ids(&[]));
        assert_eq!(book.apply(vec![row(2, 6)], false), ids(&[2]));
        // After a reorganisation all are read anew: what never happened is gone, what stayed is no news.
        assert_eq!(book.apply(vec![row(2, 5)], true), ids(&[2]));
        assert_eq!(book.join(&nobody, 0).iter().map(|entry| entry.gpu.id).collect::<Vec<_>>(), ids(&[2]));
    }

    #[test]
    fn an_agent_is_online_then_stale_then_offline() {
        let mut book = book();
        book.apply(vec![row(1, 5)], true);
        book.uptimes.insert(7, 9_900);
        let mut check = |heard: Option<u64>, now: u64, status: Presence| {
            let entry = book.join(&|agent| heard.filter(|_| agent == AGENT), now).remove(0);
            assert_eq!((entry.gpu.status, entry.gpu.uptime_bps), (status, Some(9_900)), "{heard:?} {now}");
            assert_eq!(entry.gpu.seen_at, heard.map(time));
            assert_eq!(serde_json::from_str::<GpuJson>(&entry.json).unwrap(), entry.gpu);
        };
        check(None, 1_000, Presence::Offline);
        check(Some(1_000), 1_000, Presence::Online);
        check(Some(1_000), 1_059, Presence::Online);
        check(Some(1_000), 1_060, Presence::Stale);
        check(Some(1_000), 1_179, Presence::Stale);
        check(Some(1_000), 1_180, Presence::Offline);
        // A clock that was set back.
        check(Some(1_000), 900, Presence::Online);
    }

    #[test]
    fn an_entry_is_made_anew_only_when_something_changed() {
        let mut book = book();
        book.apply(vec![row(1, 5), row(2, 5)], true);
        let before = book.join(&nobody, 0);
        let same = |now: &[Arc<Entry>]| [Arc::ptr_eq(&before[0], &now[0]), Arc::ptr_eq(&before[1], &now[1])];
        assert_eq!(same(&book.join(&nobody, 500)), [true, true]);
        book.apply(vec![row(2, 6)], false);
        assert_eq!(same(&book.join(&nobody, 500)), [true, false]);
    }
}
