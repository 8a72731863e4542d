//! The feeds that are relayed: which jobs, and how far the other side is with each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use market::JobId;
use tokio::sync::{Notify, watch};
use wire::TermsJson;

use crate::journal::Journal;

/// All feeds of this agent.
#[derive(Debug, Default)]
pub(crate) struct Feeds {
    feeds: Mutex<BTreeMap<JobId, Feed>>,
    /// Wakes the link when a feed came, has news or wants to be asked about.
    pub(crate) changed: Arc<Notify>,
}

/// One job's feed.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    pub(crate) terms: TermsJson,
    pub(crate) journal: Journal,
    /// The last number that the gateway confirmed.
    held: watch::Sender<u64>,
    /// Somebody waits for the confirmation.
    pub(crate) ask: bool,
}

impl Feeds {
    fn feeds(&self) -> MutexGuard<'_, BTreeMap<JobId, Feed>> {
        // Every change under the lock is complete before anything in it can panic.
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Relays a job's journal from now on.
    pub(crate) fn add(&self, job: JobId, terms: TermsJson, journal: Journal) {
        self.feeds().insert(job, Feed { terms, journal, held: watch::Sender::new(0), ask: false });
        self.changed.notify_one();
    }

    /// Relays it no longer.
    pub(crate) fn remove(&self, job: JobId) {
        self.feeds().remove(&job);
    }

    /// All of them.
    pub(crate) fn list(&self) -> Vec<(JobId, Feed)> {
        self.feeds().iter().map(|(job, feed)| (*job, feed.clone())).collect()
    }

    /// The journal of a feed.
    pub(crate) fn journal(&self, job: JobId) -> Option<Journal> {
        self.feeds().get(&job).map(|feed| feed.journal.clone())
    }

    /// What the gateway says that it holds.
    pub(crate) fn confirm(&self, job: JobId, seq: u64) {
        if let Some(feed) = self.feeds().get_mut(&job) {
            feed.ask = false;
            feed.held.send_replace(seq);
        }
    }

    /// Waits until the gateway holds everything up to `seq`; forever where the job has no feed.
    pub(crate) async fn confirmed(&self, job: JobId, seq: u64) {
        let Some(mut held) = self.feeds().get_mut(&job).map(|feed| {
            feed.ask = true;
            feed.held.subscribe()
        }) else {
            return std::future::pending().await;
        };
        self.changed.notify_one();
        // The sender lives as long as the feed; one that was removed is never confirmed.
        if held.wait_for(|held| *held >= seq).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
