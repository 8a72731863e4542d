//! A client of `/api/v1/ws` without its socket: its topics and its place in each.

mod lasts;
pub(crate) use lasts::{is_over, looks};

mod topic;
pub(crate) use topic::Topic;

use std::{collections::BTreeMap, sync::Arc};

use axum::extract::ws::Utf8Bytes;
use market::{JobId, Timestamp};
use store::AccountId;
use tokio::sync::Notify;
use wire::{
    Terms,
    http::{FromClient, Subscribe, ToClient},
};

use crate::{
    GatewayError,
    auth::{Session, job_of_party},
    config::FEED_BATCH,
    feed::{ClientId, Full, Read},
    state::Shared,
    wallet::Holder,
};

/// The longest part of a topic's name that is said back.
const NAME_CHARS_MAX: usize = 80;

/// One client. What it follows ends with it.
pub(crate) struct Client {
    shared: Shared,
    id: ClientId,
    /// Who signed in, as the upgrade request said.
    session: Option<Session>,
    wake: Arc<Notify>,
    places: BTreeMap<Topic, Place>,
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
    /// It was opened by the session, not by a proof, and ends with it.
    by_session: bool,
}

/// What is to be sent now.
pub(crate) enum Pumped {
    /// These, in order.
    News(Vec<Utf8Bytes>),
    /// The feed moved past what the client has: it does not read as fast as the job writes.
    TooSlow { topic: String },
}

impl Client {
    pub(crate) fn new(shared: Shared, session: Option<Session>) -> Self {
        let id = shared.number();
        Self { shared, id, session, wake: Arc::default(), places: BTreeMap::new(), refusals: 0 }
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
    pub(crate) async fn said(&mut self, text: &str, now: u64) -> ToClient {
        match serde_json::from_str(text) {
            Ok(FromClient::Subscribe(wish)) => {
                let name = wish.topic.chars().take(NAME_CHARS_MAX).collect();
                self.subscribe(&wish, now).await.unwrap_or_else(|reason| self.refuse(name, reason))
            }
            Ok(FromClient::Unsubscribe { topic: wish }) => self.unsubscribe(wish),
            Err(error) => self.refuse(String::new(), format!("the message cannot be read: {error}")),
        }
    }

    /// The next news of every topic, some of each. When there is more the client is woken again.
    pub(crate) fn pump(&mut self) -> Pumped {
        let mut news = Vec::new();
        for (topic, place) in &mut self.places {
            match read(&self.shared, *topic, place.after) {
                Read::Events { texts, upto } => {
                    let is_more = texts.len() == FEED_BATCH;
                    if is_more {
                        self.wake.notify_one();
                    }
                    place.begun |= !texts.is_empty();
                    place.after = upto;
                    news.extend(texts);
                    if !is_more && !std::mem::replace(&mut place.current, true) {
                        news.push(notice(*topic, "CURRENT", "all that was held is told; what follows is new".into()));
                    }
                }
                Read::Behind { .. } if place.begun => {
                    return Pumped::TooSlow { topic: topic.to_string() };
                }
                Read::Behind { oldest } => {
                    let detail = format!("some news after {} are not held; read the state again", place.after);
                    news.push(notice(*topic, "RESYNC", detail));
                    place.begun = true;
                    place.after = oldest - 1;
                    self.wake.notify_one();
                }
            }
        }
        Pumped::News(news)
    }

    async fn subscribe(&mut self, wish: &Subscribe, now: u64) -> Result<ToClient, String> {
        let topic: Topic = wish.topic.parse()?;
        let limit = self.shared.limits.subscriptions;
        if self.places.len() >= limit && !self.places.contains_key(&topic) {
            return Err(format!("one connection follows at most {limit} topics; unsubscribe from one"));
        }
        match topic {
            Topic::Job(job) => {
                let terms = match &wish.proof {
                    Some(proof) => {
                        let proven = proof.verify(&wish.topic, &self.shared.market.domain(), now);
                        proven.map_err(|error| error.to_string())?.1
                    }
                    None => self.terms_of_party(job, now).await.map_err(|error| error.to_string())?,
                };
                let subscribed = self.shared.feeds.subscribe(job, terms, self.id, self.wake.clone());
                subscribed.map_err(
                    |Full| "too many jobs are waited for that no agent serves; try again when yours is accepted",
                )?;
            }
            Topic::Provider(provider) => {
                let row = self.shared.store.provider(provider).await.map_err(|error| error.to_string())?;
                row.ok_or("there is no provider with this number; GET /api/v1/providers/available lists them")?;
                let now = jiff::Timestamp::now();
                let subscribed = self.shared.providers.subscribe(provider, self.id, self.wake.clone(), now);
                subscribed.map_err(|Full| "too many providers are followed here; try again later")?;
            }
            Topic::Account(account) => {
                self.is_own(account, now).await.map_err(|error| error.to_string())?;
                let now = jiff::Timestamp::now();
                let subscribed = self.shared.accounts.subscribe(account, self.id, self.wake.clone(), now);
                subscribed.map_err(|Full| "too many accounts are followed here; try again later")?;
            }
        }
        let by_session = match topic {
            Topic::Job(_) => wish.proof.is_none(),
            Topic::Account(_) => true,
            Topic::Provider(_) => false,
        };
        self.places.insert(topic, Place { after: wish.since, begun: false, current: false, by_session });
        self.wake.notify_one();
        let detail = format!("news after {} follow", wish.since);
        Ok(ToClient::Notice { topic: topic.to_string(), kind: "SUBSCRIBED".into(), detail })
    }

    /// Ends the topics that the session opened, once it is over at `now` (unix seconds). Gives what the client is told.
    pub(crate) async fn look(&mut self, now: u64) -> Vec<Utf8Bytes> {
        let opened = self.places.iter().filter(|(_, place)| place.by_session).map(|(topic, _)| *topic);
        let opened: Vec<Topic> = opened.collect();
        match &self.session {
            Some(session) if !opened.is_empty() && is_over(&self.shared, session, now).await => {}
            _ => return Vec::new(),
        }
        let end = |topic: Topic| {
            self.places.remove(&topic);
            leave(&self.shared, topic, self.id);
            notice(topic, "ENDED", "the session that opened it is over; sign in again".into())
        };
        opened.into_iter().map(end).collect()
    }

    /// The terms of a job of which whoever signed in is a party.
    async fn terms_of_party(&self, job: JobId, now: u64) -> Result<Terms, GatewayError> {
        let reason = "a job's news are for its parties: sign in, or give a proof";
        let who = self.signed_in(now, reason).await?.address;
        Ok(job_of_party(&self.shared, job, who).await?.terms)
    }

    /// An account's news are for whose it is, with its password or with a wallet that was linked to it.
    async fn is_own(&self, account: AccountId, now: u64) -> Result<(), GatewayError> {
        let session = self.signed_in(now, "an account's news are its own: sign in").await?;
        if Holder::of(&self.shared, session).await?.account == account {
            return Ok(());
        }
        Err(GatewayError::Forbidden { who: session.address, reason: "an account's news are its own".into() })
    }

    /// Who signed in. The session is looked up again: it may be over.
    async fn signed_in(&self, now: u64, reason: &'static str) -> Result<&Session, GatewayError> {
        let session = self.session.as_ref().ok_or(GatewayError::NotSignedIn { reason })?;
        let found = self.shared.store.session(session.hash, Timestamp(now)).await?;
        found.map(|_| session).ok_or(GatewayError::NotSignedIn { reason })
    }

    fn unsubscribe(&mut self, name: String) -> ToClient {
        match self.places.keys().copied().find(|topic| topic.to_string() == name) {
            Some(topic) => {
                self.places.remove(&topic);
                leave(&self.shared, topic, self.id);
                let detail = "no more news follow".into();
                ToClient::Notice { topic: name, kind: "UNSUBSCRIBED".into(), detail }
            }
            None => {
                let name = name.chars().take(NAME_CHARS_MAX).collect();
                self.refuse(name, "this connection does not follow it".into())
            }
        }
    }

    fn refuse(&mut self, topic: String, detail: String) -> ToClient {
        self.refusals += 1;
        ToClient::Notice { topic, kind: "REFUSED".into(), detail }
    }
}

fn read(shared: &Shared, topic: Topic, after: u64) -> Read {
    match topic {
        Topic::Job(job) => shared.feeds.read(job, after, FEED_BATCH),
        Topic::Provider(provider) => shared.providers.read(provider, after, FEED_BATCH),
        Topic::Account(account) => shared.accounts.read(account, after, FEED_BATCH),
    }
}

fn leave(shared: &Shared, topic: Topic, client: ClientId) {
    match topic {
        Topic::Job(job) => shared.feeds.unsubscribe(job, client),
        Topic::Provider(provider) => shared.providers.unsubscribe(provider, client),
        Topic::Account(account) => shared.accounts.unsubscribe(account, client),
    }
}

fn notice(topic: Topic, kind: &str, detail: String) -> Utf8Bytes {
    let notice = ToClient::Notice { topic: topic.to_string(), kind: kind.into(), detail };
    serde_json::to_string(&notice).unwrap_or_default().into()
}

impl Drop for Client {
    fn drop(&mut self) {
        self.places.keys().for_each(|topic| leave(&self.shared, *topic, self.id));
    }
}
