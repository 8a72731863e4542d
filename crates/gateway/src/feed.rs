//! News of jobs: held in bounded rings, written by an agent's link, read by any number of clients.
//!
//! Readers have no queue of their own. Each remembers the last number it sent and reads the ring from there, so
//! a slow one costs no memory; when the ring has moved past it, it is told and sent away.

mod ring;
pub(crate) use ring::{Read, Ring};

mod shelf;
pub(crate) use shelf::{Full, Shelf};

mod told;
pub(crate) use told::Told;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use market::JobId;
use tokio::sync::Notify;
use wire::{
    Terms,
    feed::{JobEvent, JobNews, Phase},
    http::{ReadyBody, ToClient},
};

use crate::{config::Limits, link::LinkId};

/// All feeds, shared by every connection. Each call holds the lock for a moment and never waits.
pub(crate) struct Feeds(Mutex<Shelf>);

/// One connection on `/api/v1/ws`.
pub(crate) type ClientId = u64;

/// What the gateway knows of a job when an agent announces it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Announced {
    /// The last number held.
    pub(crate) seq: u64,
    /// The controller's word, when it came while no agent listened.
    pub(crate) ready: Option<ReadyBody>,
}

/// Who is behind a job.
#[derive(Clone)]
pub(crate) struct Parties {
    pub(crate) terms: Arc<Terms>,
    /// An agent announced it at least once.
    pub(crate) announced: bool,
}

impl Feeds {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self(Mutex::new(Shelf::new(limits)))
    }

    /// Wakes `wake` whenever the job has news, until [`unsubscribe`](Self::unsubscribe).
    pub(crate) fn subscribe(&self, job: JobId, terms: Terms, client: ClientId, wake: Arc<Notify>) -> Result<(), Full> {
        self.shelf().subscribe(job, terms, client, wake)
    }

    pub(crate) fn unsubscribe(&self, job: JobId, client: ClientId) {
        self.shelf().unsubscribe(job, client);
    }

    /// At most `max` events after number `after`.
    pub(crate) fn read(&self, job: JobId, after: u64, max: usize) -> Read {
        self.shelf().read(job, after, max)
    }

    /// An agent serves this job on `link`. A `Ready` not older than `ready_since` is handed over.
    pub(crate) fn announce(
        &self,
        job: JobId,
        terms: &Arc<Terms>,
        link: LinkId,
        ready_since: u64,
    ) -> Result<Announced, Full> {
        self.shelf().announce(job, terms, link, ready_since)
    }

    /// Holds `event` when it is the next one. Otherwise says which number is the last held.
    pub(crate) fn push(
        &self,
        job: JobId,
        terms: &Arc<Terms>,
        link: LinkId,
        event: JobEvent,
    ) -> Result<Result<(), u64>, Full> {
        let seq = event.seq;
        let last = is_last(&event.news);
        let progress = match event.news {
            JobNews::JobProgress { percent, .. } => Some(percent.min(100)),
            _ => None,
        };
        let message = ToClient::News { topic: topic(job), event };
        // Every part of an event has a JSON form; an empty text would only mean that this stops being so.
        let text = serde_json::to_string(&message).unwrap_or_default();
        let mut shelf = self.shelf();
        let pushed = shelf.push(job, terms, link, seq, text, last)?;
        if let (Ok(()), Some(percent)) = (pushed, progress) {
            shelf.set_progress(job, percent);
        }
        Ok(pushed)
    }

    /// How far the job's program says it is, in percent, as far as its news are held.
    pub(crate) fn progress(&self, job: JobId) -> Option<u8> {
        self.shelf().progress(job)
    }

    /// The link is gone; its jobs keep their news.
    pub(crate) fn detach(&self, link: LinkId) {
        self.shelf().detach(link);
    }

    pub(crate) fn parties(&self, job: JobId) -> Option<Parties> {
        self.shelf().parties(job)
    }

    /// Keeps the controller's word for the next announcement and gives the link that serves the job now.
    pub(crate) fn keep_ready(&self, job: JobId, body: ReadyBody, now: u64) -> Option<LinkId> {
        self.shelf().keep_ready(job, body, now)
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        // No change under this lock can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name under which clients follow a job.
pub(crate) fn topic(job: JobId) -> String {
    format!("job:{job}")
}

/// Nothing that anybody waits for comes after this.
fn is_last(news: &JobNews) -> bool {
    matches!(news, JobNews::JobDeclined { .. } | JobNews::JobStatusChanged { phase: Phase::Done })
}
