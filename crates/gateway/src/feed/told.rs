//! News that the gateway itself tells, of providers and of accounts: one bounded ring for each, read by any number of
//! clients.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use store::AccountId;
use tokio::sync::Notify;
use wire::http::{AccountEvent, AccountNews, ProviderEvent, ProviderNews, ToClient};

use super::{ClientId, Full, Read, Ring};
use crate::{
    client::Topic,
    config::{Limits, TOLD_BYTES_MAX},
};

/// The feeds by whom they are about. Each call holds the lock for a moment and never waits.
pub(crate) struct Told<K> {
    shelf: Mutex<Shelf<K>>,
    feeds_max: usize,
    events_max: usize,
}

struct Shelf<K> {
    feeds: HashMap<K, Feed>,
    /// The highest number ever given in any feed: a feed that was let go begins above it.
    highest: u64,
    /// Counts uses: the order in which feeds were last needed.
    uses: u64,
}

struct Feed {
    ring: Ring,
    readers: HashMap<ClientId, Arc<Notify>>,
    used: u64,
}

impl<K> Default for Shelf<K> {
    fn default() -> Self {
        Self { feeds: HashMap::new(), highest: 0, uses: 0 }
    }
}

impl Told<u32> {
    /// Tells everybody who follows the provider.
    pub(crate) fn tell(&self, provider: u32, news: ProviderNews, now: Timestamp) {
        let topic = Topic::Provider(provider).to_string();
        self.push(provider, now, |seq| ToClient::Provider { topic, event: ProviderEvent { seq, at: now, news } });
    }
}

impl Told<AccountId> {
    /// Tells whoever follows the account.
    pub(crate) fn tell(&self, account: AccountId, news: AccountNews, now: Timestamp) {
        let topic = Topic::Account(account).to_string();
        self.push(account, now, |seq| ToClient::Account { topic, event: AccountEvent { seq, at: now, news } });
    }
}

impl<K: Copy + Eq + Hash> Told<K> {
    pub(crate) fn new(limits: &Limits) -> Self {
        let (feeds_max, events_max) = (limits.provider_feeds, limits.provider_feed_events);
        Self { shelf: Mutex::default(), feeds_max, events_max }
    }

    /// Tells everybody who follows it what `message` makes of the next number. Where there is no room for one more feed
    /// nobody follows it.
    fn push(&self, whom: K, now: Timestamp, message: impl FnOnce(u64) -> ToClient) {
        let mut shelf = self.shelf();
        let Ok(feed) = self.feed(&mut shelf, whom, now) else {
            return;
        };
        let seq = feed.ring.last() + 1;
        // Every part of an event has a JSON form; an empty text would only mean that this stops being so.
        let text = serde_json::to_string(&message(seq)).unwrap_or_default();
        // It is the next number, so it is taken.
        if feed.ring.push(seq, text).is_ok() {
            feed.readers.values().for_each(|wake| wake.notify_one());
            shelf.highest = shelf.highest.max(seq);
        }
    }

    /// Wakes `wake` whenever there is news of it, until [`unsubscribe`](Self::unsubscribe).
    pub(crate) fn subscribe(&self, whom: K, client: ClientId, wake: Arc<Notify>, now: Timestamp) -> Result<(), Full> {
        self.feed(&mut self.shelf(), whom, now)?.readers.insert(client, wake);
        Ok(())
    }

    pub(crate) fn unsubscribe(&self, whom: K, client: ClientId) {
        if let Some(feed) = self.shelf().feeds.get_mut(&whom) {
            feed.readers.remove(&client);
        }
    }

    /// At most `max` events after number `after`; from 0 on, what is held. Who names a number that was never given here
    /// has it from another run of this gateway, and is behind.
    pub(crate) fn read(&self, whom: K, after: u64, max: usize) -> Read {
        match self.shelf().feeds.get(&whom) {
            Some(feed) if after == 0 => feed.ring.read(feed.ring.first() - 1, max),
            Some(feed) if after > feed.ring.last() => Read::Behind { oldest: feed.ring.first() },
            Some(feed) => feed.ring.read(after, max),
            None => Read::Events { texts: Vec::new(), upto: after },
        }
    }

    /// The feed. A new one begins at the time in milliseconds: above all that an earlier run can have told, for
    /// none tells a thousand news a second.
    fn feed<'a>(&self, shelf: &'a mut Shelf<K>, whom: K, now: Timestamp) -> Result<&'a mut Feed, Full> {
        shelf.uses += 1;
        if !shelf.feeds.contains_key(&whom) {
            if shelf.feeds.len() >= self.feeds_max {
                let idle = shelf.feeds.iter().filter(|(_, feed)| feed.readers.is_empty());
                let oldest = idle.min_by_key(|(_, feed)| feed.used).map(|(whom, _)| *whom).ok_or(Full)?;
                shelf.feeds.remove(&oldest);
            }
            let last = u64::try_from(now.as_millisecond()).unwrap_or(0).max(shelf.highest);
            let ring = Ring::after(last, self.events_max, TOLD_BYTES_MAX);
            shelf.feeds.insert(whom, Feed { ring, readers: HashMap::new(), used: 0 });
        }
        let uses = shelf.uses;
        let feed = shelf.feeds.get_mut(&whom).ok_or(Full)?;
        feed.used = uses;
        Ok(feed)
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf<K>> {
        // No change under this lock can panic half-way.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use wire::http::Presence;

    use super::*;

    const START: u64 = 1_800_000_000_000;

    fn feeds(feeds_max: usize) -> Told<u32> {
        Told { shelf: Mutex::default(), feeds_max, events_max: 3 }
    }

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_millisecond((START + ms).try_into().unwrap()).unwrap()
    }

    fn tell(feeds: &Told<u32>, provider: u32, count: usize) {
        let news = ProviderNews::ProviderStatusChanged { status: Presence::Online };
        (0..count).for_each(|_| feeds.tell(provider, news.clone(), at(0)));
    }

    fn check(feeds: &Told<u32>, provider: u32, after: u64, expected: &str) {
        let found = match feeds.read(provider, after, 9) {
            Read::Behind { oldest } => format!("behind {}", oldest - START),
            Read::Events { texts, upto } => format!("{} to {}", texts.len(), upto.saturating_sub(START)),
        };
        assert_eq!(found, expected, "provider {provider} after {after}");
    }

    #[test]
    fn numbers_begin_at_the_time_and_an_earlier_or_foreign_one_is_behind() {
        let feeds = feeds(9);
        check(&feeds, 7, 0, "0 to 0");
        tell(&feeds, 7, 2);
        check(&feeds, 7, 0, "2 to 2");
        check(&feeds, 7, START, "2 to 2");
        check(&feeds, 7, START + 1, "1 to 2");
        check(&feeds, 7, START + 2, "0 to 2");
        check(&feeds, 7, 5, "behind 1");
        check(&feeds, 7, START + 3, "behind 1");
        tell(&feeds, 7, 2);
        check(&feeds, 7, START, "behind 2");
        check(&feeds, 7, 0, "3 to 4");
    }

    #[test]
    fn a_feed_that_was_let_go_begins_above_all_numbers_given() {
        let feeds = feeds(2);
        tell(&feeds, 1, 3);
        feeds.subscribe(2, 1, Arc::default(), at(0)).unwrap();
        tell(&feeds, 3, 1);
        check(&feeds, 1, START + 3, "0 to 3");
        tell(&feeds, 1, 1);
        check(&feeds, 1, START + 3, "behind 5");
        feeds.subscribe(1, 1, Arc::default(), at(0)).unwrap();
        assert_eq!(feeds.subscribe(4, 1, Arc::default(), at(0)), Err(Full), "both are read");
        feeds.unsubscribe(2, 1);
        assert_eq!(feeds.subscribe(4, 1, Arc::default(), at(0)), Ok(()));
    }
}
