//! All feeds together: who may have one, who is woken, and which goes first when there is no more room.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use market::JobId;
use tokio::sync::Notify;
use wire::{Terms, http::ReadyBody};

use super::{Announced, ClientId, Parties, Read, Ring};
use crate::{config::Limits, link::LinkId};

/// There is no room for another feed, and none that nobody uses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// The feeds by job. Nothing here waits or looks at a clock.
pub(crate) struct Shelf {
    feeds: HashMap<JobId, Feed>,
    /// Bytes of all rings.
    bytes: usize,
    /// Feeds that no agent has announced yet.
    awaited: usize,
    /// Counts uses: the order in which feeds were last needed.
    uses: u64,
    limits: Limits,
}

struct Feed {
    terms: Arc<Terms>,
    ring: Ring,
    readers: HashMap<ClientId, Arc<Notify>>,
    link: Option<LinkId>,
    announced: bool,
    /// The latest word of the controller, and when it came in unix seconds.
    ready: Option<(ReadyBody, u64)>,
    /// Its last news has come.
    over: bool,
    /// How far its program says it is, in percent.
    progress: Option<u8>,
    used: u64,
}

impl Feed {
    fn is_idle(&self) -> bool {
        self.readers.is_empty() && (self.link.is_none() || self.over)
    }
}

impl Shelf {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { feeds: HashMap::new(), bytes: 0, awaited: 0, uses: 0, limits: limits.clone() }
    }

    pub(crate) fn subscribe(
        &mut self,
        job: JobId,
        terms: Terms,
        client: ClientId,
        wake: Arc<Notify>,
    ) -> Result<(), Full> {
        if !self.feeds.contains_key(&job) {
            if self.awaited >= self.limits.awaited_feeds {
                self.evict(|feed| !feed.announced)?;
            }
            self.insert(job, Arc::new(terms));
            self.awaited += 1;
        }
        if let Some(feed) = self.used(job) {
            feed.readers.insert(client, wake);
        }
        Ok(())
    }

    pub(crate) fn unsubscribe(&mut self, job: JobId, client: ClientId) {
        if let Some(feed) = self.feeds.get_mut(&job) {
            feed.readers.remove(&client);
        }
    }

    pub(crate) fn read(&self, job: JobId, after: u64, max: usize) -> Read {
        match self.feeds.get(&job) {
            Some(feed) => feed.ring.read(after, max),
            None => Read::Events { texts: Vec::new(), upto: after },
        }
    }

    pub(crate) fn announce(
        &mut self,
        job: JobId,
        terms: &Arc<Terms>,
        link: LinkId,
        ready_since: u64,
    ) -> Result<Announced, Full> {
        if !self.feeds.get(&job).is_some_and(|feed| feed.announced) {
            if self.feeds.len() - self.awaited >= self.limits.feeds {
                self.evict(|feed| feed.announced)?;
            }
            if self.feeds.contains_key(&job) {
                self.awaited -= 1;
            } else {
                self.insert(job, terms.clone());
            }
        }
        let Some(feed) = self.used(job) else {
            return Err(Full);
        };
        feed.announced = true;
        // Links are numbered as they come: one that was replaced and speaks its last words changes nothing.
        feed.link = feed.link.max(Some(link));
        feed.ready.take_if(|(_, came)| *came < ready_since);
        Ok(Announced { seq: feed.ring.last(), ready: feed.ready.as_ref().map(|(body, _)| body.clone()) })
    }

    pub(crate) fn push(
        &mut self,
        job: JobId,
        terms: &Arc<Terms>,
        link: LinkId,
        seq: u64,
        text: String,
        over: bool,
    ) -> Result<Result<(), u64>, Full> {
        if !self.feeds.contains_key(&job) {
            // It was let go as idle; the agent begins again.
            self.announce(job, terms, link, u64::MAX)?;
        }
        let Some(feed) = self.used(job) else {
            return Err(Full);
        };
        if feed.link > Some(link) {
            return Ok(Err(feed.ring.last()));
        }
        let before = feed.ring.bytes();
        if let Err(have) = feed.ring.push(seq, text) {
            return Ok(Err(have));
        }
        feed.over |= over;
        feed.readers.values().for_each(|wake| wake.notify_one());
        let after = feed.ring.bytes();
        self.bytes = self.bytes - before + after;
        self.shrink(job);
        Ok(Ok(()))
    }

    pub(crate) fn detach(&mut self, link: LinkId) {
        for feed in self.feeds.values_mut().filter(|feed| feed.link == Some(link)) {
            feed.link = None;
        }
    }

    /// The job's program is so far, in percent; it never goes back.
    pub(crate) fn set_progress(&mut self, job: JobId, percent: u8) {
        if let Some(feed) = self.feeds.get_mut(&job) {
            feed.progress = feed.progress.max(Some(percent));
        }
    }

    pub(crate) fn progress(&self, job: JobId) -> Option<u8> {
        self.feeds.get(&job).and_then(|feed| feed.progress)
    }

    pub(crate) fn parties(&self, job: JobId) -> Option<Parties> {
        self.feeds.get(&job).map(|feed| Parties { terms: feed.terms.clone(), announced: feed.announced })
    }

    pub(crate) fn keep_ready(&mut self, job: JobId, body: ReadyBody, now: u64) -> Option<LinkId> {
        let feed = self.used(job)?;
        feed.ready = Some((body, now));
        feed.link
    }

    fn insert(&mut self, job: JobId, terms: Arc<Terms>) {
        let feed = Feed {
            terms,
            ring: Ring::new(self.limits.feed_events, self.limits.feed_bytes),
            readers: HashMap::new(),
            link: None,
            announced: false,
            ready: None,
            over: false,
            progress: None,
            used: self.uses,
        };
        self.feeds.insert(job, feed);
    }

    fn used(&mut self, job: JobId) -> Option<&mut Feed> {
        self.uses += 1;
        let feed = self.feeds.get_mut(&job)?;
        feed.used = self.uses;
        Some(feed)
    }

    /// Makes room for one: the feed that nobody uses and nobody used for the longest time.
    fn evict(&mut self, may_go: impl Fn(&Feed) -> bool) -> Result<(), Full> {
        let idle = self.feeds.iter().filter(|(_, feed)| feed.is_idle() && may_go(feed));
        let Some((&oldest, _)) = idle.min_by_key(|(_, feed)| feed.used) else {
            return Err(Full);
        };
        self.remove(oldest);
        Ok(())
    }

    fn remove(&mut self, job: JobId) {
        if let Some(feed) = self.feeds.remove(&job) {
            self.bytes -= feed.ring.bytes();
            self.awaited -= usize::from(!feed.announced);
        }
    }

    /// Brings all rings back under their common limit: idle feeds go first, oldest first, then the oldest news
    /// of the job that just grew.
    fn shrink(&mut self, grown: JobId) {
        if self.bytes <= self.limits.feeds_bytes {
            return;
        }
        let mut idle: Vec<(u64, JobId)> = self
            .feeds
            .iter()
            .filter(|(job, feed)| **job != grown && feed.is_idle() && feed.ring.bytes() > 0)
            .map(|(job, feed)| (feed.used, *job))
            .collect();
        idle.sort_unstable();
        let mut idle = VecDeque::from(idle);
        while self.bytes > self.limits.feeds_bytes {
            if let Some((_, job)) = idle.pop_front() {
                self.remove(job);
                continue;
            }
            let Some(feed) = self.feeds.get_mut(&grown) else {
                return;
            };
            let before = feed.ring.bytes();
            if !feed.ring.drop_oldest() {
                return;
            }
            self.bytes = self.bytes - before + feed.ring.bytes();
        }
    }
}

#[cfg(test)]
mod tests;
