//! A job's feed as its renter reads it: reconnecting, in order, nothing twice.

use std::time::Duration;

use alloy_primitives::{B256, aliases::U40};
use chain::Wallet;
use futures_util::{SinkExt, StreamExt};
use market::JobId;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{Message, protocol::WebSocketConfig};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use wire::{
    Domain, JobEvent, TermsJson,
    http::{FromClient, Subscribe, ToClient, WatchProof},
    link::MESSAGE_BYTES_MAX,
    signed::Watch,
};

use crate::{GatewayClient, RenterError};

/// News that wait for a slow reader; the socket is read no further until he catches up.
const WAITING_MAX: usize = 1024;
/// A gateway that says nothing for this long, not even a ping, is taken for gone.
const QUIET_MAX: Duration = Duration::from_secs(90);

/// What a feed tells.
#[derive(Clone, Debug, PartialEq)]
pub enum FeedItem {
    /// The gateway is heard from now on.
    Up,
    /// All that the gateway held is told; what follows is new.
    Current,
    /// It is not; the reason is for people. The feed goes on trying.
    Down(String),
    /// Older news are lost: what is shown begins anew.
    Resync,
    /// Something happened to the job.
    News(Box<JobEvent>),
}

/// A feed that runs until it is dropped.
#[derive(Debug)]
pub struct Feed {
    items: mpsc::Receiver<FeedItem>,
    _task: AbortOnDropHandle<()>,
}

/// Who reads which job.
#[derive(Clone)]
struct Reader {
    domain: Domain,
    job: JobId,
    terms: TermsJson,
    key: Wallet,
}

impl Feed {
    /// Follows `job` from after number `since`, reading with `key` (renter or controller).
    pub fn open(
        gateway: &GatewayClient,
        domain: Domain,
        (job, terms): (JobId, TermsJson),
        key: Wallet,
        since: u64,
        retry: Duration,
    ) -> Result<Self, RenterError> {
        let url = gateway.feed_url()?;
        let (news, items) = mpsc::channel(WAITING_MAX);
        let reader = Reader { domain, job, terms, key };
        let task = tokio::spawn(async move {
            let mut last = since;
            loop {
                let Err(reason) = read(url.as_str(), &reader, &mut last, &news).await else {
                    return;
                };
                if news.send(FeedItem::Down(reason)).await.is_err() {
                    return;
                }
                tokio::time::sleep(retry).await;
            }
        });
        Ok(Self { items, _task: AbortOnDropHandle::new(task) })
    }

    /// The next item. Cancel-safe.
    pub async fn next(&mut self) -> Option<FeedItem> {
        self.items.recv().await
    }

    /// Hands every item on until `stop`.
    pub async fn each(&mut self, stop: &CancellationToken, mut on: impl FnMut(FeedItem)) {
        while let Some(Some(item)) = stop.run_until_cancelled(self.next()).await {
            on(item);
        }
    }
}

/// Reads until the connection breaks (`Err` with the reason) or nobody listens any more (`Ok`).
async fn read(url: &str, reader: &Reader, last: &mut u64, news: &mpsc::Sender<FeedItem>) -> Result<(), String> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_BYTES_MAX * 2))
        .max_frame_size(Some(MESSAGE_BYTES_MAX * 2));
    let connecting = tokio_tungstenite::connect_async_with_config(url, Some(config), true);
    let (mut socket, _) =
        tokio::time::timeout(QUIET_MAX, connecting).await.map_err(|_| "no answer")?.map_err(|err| err.to_string())?;
    let hello = reader.subscribe(*last)?;
    let hello = serde_json::to_string(&FromClient::Subscribe(hello)).map_err(|err| err.to_string())?;
    socket.send(Message::text(hello)).await.map_err(|err| err.to_string())?;
    let mut resync = false;
    loop {
        let message = tokio::time::timeout(QUIET_MAX, socket.next()).await.map_err(|_| "the gateway fell silent")?;
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Close(frame))) => {
                return Err(frame.map_or("closed".into(), |frame| frame.reason.to_string()));
            }
            Some(Ok(_)) => continue,
            Some(Err(err)) => return Err(err.to_string()),
            None => return Err("the connection ended".into()),
        };
        let item = match serde_json::from_str(text.as_str()) {
            Ok(ToClient::News { event, .. }) if event.seq == *last + 1 || (resync && event.seq > *last) => {
                resync = false;
                *last = event.seq;
                FeedItem::News(Box::new(event))
            }
            Ok(ToClient::News { event, .. }) if event.seq <= *last => continue,
            Ok(ToClient::News { event, .. }) => {
                return Err(format!("number {} came after {last}", event.seq));
            }
            Ok(ToClient::Notice { kind, .. }) if kind == "SUBSCRIBED" => FeedItem::Up,
            Ok(ToClient::Notice { kind, .. }) if kind == "CURRENT" => FeedItem::Current,
            Ok(ToClient::Notice { kind, .. }) if kind == "RESYNC" => {
                resync = true;
                FeedItem::Resync
            }
            Ok(ToClient::Notice { detail, .. }) => return Err(detail),
            Ok(ToClient::Provider { topic, .. } | ToClient::Account { topic, .. }) => {
                return Err(format!("news of {topic} came, which nobody asked for"));
            }
            Err(err) => return Err(format!("a message cannot be read: {err}")),
        };
        if news.send(item).await.is_err() {
            return Ok(());
        }
    }
}

impl Reader {
    fn subscribe(&self, since: u64) -> Result<Subscribe, String> {
        // The wall clock, not the chain's: the gateway compares with its own.
        let at = crate::client::unix_now();
        let watch = Watch { jobId: B256::from(self.job.0), at: U40::saturating_from(at) };
        let signature = self.key.sign(&self.domain, &watch).map_err(|err| err.to_string())?;
        let proof = Some(WatchProof { terms: self.terms.clone(), at, signature });
        Ok(Subscribe { topic: format!("job:{}", self.job), since, proof })
    }
}
