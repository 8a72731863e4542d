//! A client of `/api/v1/ws` without its socket: its topics and its place in each.

use std::{collections::BTreeMap, sync::Arc};

use axum::extract::ws::Utf8Bytes;
use market::JobId;
use tokio::sync::Notify;
use wire::http::{FromClient, Subscribe, ToClient};

use crate::{
    config::FEED_BATCH,
    feed::{ClientId, Full, Read, topic},
    state::Shared,
};

/// One client. What it follows ends with it.
pub(crate) struct Client {
    shared: Shared,
    id: ClientId,
    wake: Arc<Notify>,
    places: BTreeMap<JobId, Place>,
    refusals: usize,
}

/// Where a client is in a feed.
struct Place {
    /// The last number it has.
    after: u64,
    /// It got its first news, or was told that it missed some: from now on there are no gaps.
    begun: bool,
    /// It was told that it has all that was held.
    current: bool,
}

/// What is to be sent now.
pub(crate) enum Pumped {
    /// These, in order.
    News(Vec<Utf8Bytes>),
    /// The feed moved past what the client has: it does not read as fast as the job writes.
    TooSlow { topic: String },
}

impl Client {
    pub(crate) fn new(shared: Shared) -> Self {
        let id = shared.number();
        Self { shared, id, wake: Arc::default(), places: BTreeMap::new(), refusals: 0 }
    }

    /// Notified when [`pump`](Self::pump) may have something.
    pub(crate) fn wake(&self) -> Arc<Notify> {
        self.wake.clone()
    }

    /// It sent more nonsense than a mistake explains.
    pub(crate) fn is_tiresome(&self) -> bool {
        self.refusals >= self.shared.limits.refusals
    }

    /// The answer to a message that came at `now` (unix seconds).
    pub(crate) fn said(&mut self, text: &str, now: u64) -> ToClient {
        match serde_json::from_str(text) {
            Ok(FromClient::Subscribe(wish)) => self.subscribe(&wish, now),
            Ok(FromClient::Unsubscribe { topic: wish }) => self.unsubscribe(wish),
            Err(error) => self.refuse(String::new(), format!("the message cannot be read: {error}")),
        }
    }

    /// The next news of every topic, some of each. When there is more the client is woken again.
    pub(crate) fn pump(&mut self) -> Pumped {
        let mut news = Vec::new();
        for (job, place) in &mut self.places {
            match self.shared.feeds.read(*job, place.after, FEED_BATCH) {
                Read::Events { texts, upto } => {
                    let is_more = texts.len() == FEED_BATCH;
                    if is_more {
                        self.wake.notify_one();
                    }
                    place.begun |= !texts.is_empty();
                    place.after = upto;
                    news.extend(texts);
                    if !is_more && !std::mem::replace(&mut place.current, true) {
                        news.push(notice(*job, "CURRENT", "all that was held is told; what follows is new".into()));
                    }
                }
                Read::Behind { .. } if place.begun => {
                    return Pumped::TooSlow { topic: topic(*job) };
                }
                Read::Behind { oldest } => {
                    let detail = format!("news {} to {} are not held any more", place.after + 1, oldest - 1);
                    news.push(notice(*job, "RESYNC", detail));
                    place.begun = true;
                    place.after = oldest - 1;
                    self.wake.notify_one();
                }
            }
        }
        Pumped::News(news)
    }

    fn subscribe(&mut self, wish: &Subscribe, now: u64) -> ToClient {
        let name: String = wish.topic.chars().take(80).collect();
        let (job, terms) = match wish.verify(&self.shared.market.domain(), now) {
            Ok(found) => found,
            Err(error) => return self.refuse(name, error.to_string()),
        };
        let limit = self.shared.limits.subscriptions;
        if self.places.len() >= limit && !self.places.contains_key(&job) {
            return self.refuse(name, format!("one connection follows at most {limit} jobs; unsubscribe from one"));
        }
        if let Err(Full) = self.shared.feeds.subscribe(job, terms, self.id, self.wake.clone()) {
            let detail = "too many jobs are waited for that no agent serves; try again when yours is accepted";
            return self.refuse(name, detail.into());
        }
        self.places.insert(job, Place { after: wish.since, begun: false, current: false });
        self.wake.notify_one();
        let detail = format!("news after {} follow", wish.since);
        ToClient::Notice { topic: topic(job), kind: "SUBSCRIBED".into(), detail }
    }

    fn unsubscribe(&mut self, name: String) -> ToClient {
        match self.places.keys().copied().find(|job| topic(*job) == name) {
            Some(job) => {
                self.places.remove(&job);
                self.shared.feeds.unsubscribe(job, self.id);
                let detail = "no more news follow".into();
                ToClient::Notice { topic: name, kind: "UNSUBSCRIBED".into(), detail }
            }
            None => {
                let name = name.chars().take(80).collect();
                self.refuse(name, "this connection does not follow it".into())
            }
        }
    }

    fn refuse(&mut self, topic: String, detail: String) -> ToClient {
        self.refusals += 1;
        ToClient::Notice { topic, kind: "REFUSED".into(), detail }
    }
}

fn notice(job: JobId, kind: &str, detail: String) -> Utf8Bytes {
    let notice = ToClient::Notice { topic: topic(job), kind: kind.into(), detail };
    serde_json::to_string(&notice).unwrap_or_default().into()
}

impl Drop for Client {
    fn drop(&mut self) {
        self.places.keys().for_each(|job| self.shared.feeds.unsubscribe(*job, self.id));
    }
}
