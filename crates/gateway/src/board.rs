//! Every listing of the index in memory, joined with who is heard: what lists are read from.
//!
//! The index is law for what a listing is; the links say who is heard. Neither is asked when somebody reads a list: the
//! board follows the index, and joins anew when it changed or when what it shows is older than a moment.

mod book;
mod follow;
mod search;
pub(crate) use book::{Heard, time};
pub(crate) use follow::{follow, load};
pub(crate) use search::Search;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use alloy_primitives::{Address, B256};
use axum::body::Bytes;
use market::PerHour;
use store::{ProviderRow, ResourceRow};
use tokio::sync::broadcast;
use wire::http::{GpuJson, Presence};

use crate::config::{Limits, PAGE_MAX};
use book::Book;

/// Listings that changed and that a follower has not looked at yet: more than one block changes. Who is further behind
/// reads the list again.
const CHANGES_HELD: usize = 1024;

/// A listing as it is shown now, with its JSON.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) gpu: GpuJson,
    pub(crate) price: PerHour,
    pub(crate) provider: u32,
    pub(crate) json: String,
}

/// All listings at one moment, ordered by id.
#[derive(Debug)]
pub(crate) struct Shown {
    entries: Vec<Arc<Entry>>,
    /// The first page without filters, as it is sent.
    pub(crate) first: Bytes,
    version: u64,
    at: Instant,
}

impl Shown {
    fn new(entries: Vec<Arc<Entry>>, version: u64) -> Self {
        let next = entries.get(PAGE_MAX).and_then(|_| entries.get(PAGE_MAX - 1)).map(|last| search::plain_cursor(last));
        let first = page(entries.iter().take(PAGE_MAX), next);
        Self { entries, first, version, at: Instant::now() }
    }

    pub(crate) fn get(&self, id: B256) -> Option<&Arc<Entry>> {
        let place = self.entries.binary_search_by_key(&id, |entry| entry.gpu.id).ok()?;
        self.entries.get(place)
    }

    pub(crate) fn all(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    pub(crate) fn of(&self, provider: u32) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.iter().filter(move |entry| entry.provider == provider)
    }
}

/// The JSON of a page of entries, each of which has its own already.
pub(crate) fn page<'a>(entries: impl Iterator<Item = &'a Arc<Entry>>, next: Option<String>) -> Bytes {
    let mut json = String::from(r#"{"items":["#);
    for (number, entry) in entries.enumerate() {
        if number > 0 {
            json.push(',');
        }
        json.push_str(&entry.json);
    }
    json.push(']');
    if let Some(next) = next {
        // A cursor has nothing that JSON would have to escape.
        json.push_str(r#","nextCursor":""#);
        json.push_str(&next);
        json.push('"');
    }
    json.push('}');
    json.into()
}

/// All listings; shared by everybody who reads.
pub(crate) struct Board {
    book: Mutex<Book>,
    shown: RwLock<Arc<Shown>>,
    /// Rises with every change of the book.
    version: AtomicU64,
    fresh: Duration,
    changes: broadcast::Sender<Arc<Entry>>,
}

impl Board {
    pub(crate) fn new(token: Address, limits: &Limits) -> Self {
        Self {
            book: Mutex::new(Book::new(token, limits.stale_after.as_secs(), limits.offline_after.as_secs())),
            shown: RwLock::new(Arc::new(Shown::new(Vec::new(), 0))),
            version: AtomicU64::new(1),
            fresh: limits.presence_fresh,
            changes: broadcast::channel(CHANGES_HELD).0,
        }
    }

    /// Every listing as it is at `now` (unix seconds), with presence at most a moment old.
    pub(crate) fn shown(&self, heard: &impl Heard, now: u64) -> Arc<Shown> {
        let current = self.last();
        if self.is_fresh(&current) {
            return current;
        }
        let mut book = self.book();
        // Somebody else may have done it while this one waited.
        let current = self.last();
        if self.is_fresh(&current) {
            return current;
        }
        let version = self.version.load(Ordering::Acquire);
        let shown = Arc::new(Shown::new(book.join(heard, now), version));
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = shown.clone();
        shown
    }

    /// Whether the agent of `provider` is heard, and its uptime.
    pub(crate) fn facts(&self, row: &ProviderRow, heard: &impl Heard, now: u64) -> Facts {
        self.book().facts(row.id, row.agent, heard, now)
    }

    /// Somebody is heard who was not: what is shown is joined anew, however young it is.
    pub(crate) fn presence_changed(&self) {
        self.version.fetch_add(1, Ordering::AcqRel);
    }

    /// Listings whenever the chain changed them.
    pub(crate) fn changes(&self) -> broadcast::Receiver<Arc<Entry>> {
        self.changes.subscribe()
    }

    /// The providers of all listings, with their agents.
    pub(crate) fn providers(&self) -> HashMap<u32, Address> {
        self.book().providers()
    }

    /// The index changed these; all others are gone when `anew`. Gives the ids of those that are not as before.
    fn apply(&self, rows: Vec<(ResourceRow, ProviderRow)>, anew: bool) -> Vec<B256> {
        let changed = self.book().apply(rows, anew);
        self.version.fetch_add(1, Ordering::AcqRel);
        changed
    }

    fn set_uptimes(&self, uptimes: HashMap<u32, u16>) {
        self.book().uptimes = uptimes;
    }

    fn is_fresh(&self, shown: &Shown) -> bool {
        shown.version == self.version.load(Ordering::Acquire) && shown.at.elapsed() < self.fresh
    }

    fn last(&self) -> Arc<Shown> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // No change under this lock can panic half-way.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known of a provider beside the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) status: Presence,
    /// Unix seconds.
    pub(crate) seen_at: Option<u64>,
    pub(crate) uptime_bps: Option<u16>,
}
