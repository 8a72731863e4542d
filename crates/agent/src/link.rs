//! The outbound link to a gateway: says who we are, beats, relays feeds, takes the controllers' signatures.
//!
//! The gateway is not trusted: what it relays is verified by the job that it is for, and a gateway that lies, stalls
//! or is gone costs nothing but news. The link comes back by itself, for ever.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::B256;
use futures_util::{SinkExt, StreamExt};
use market::JobId;
use tokio::net::TcpStream;
use tokio::sync::{broadcast, mpsc};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message, protocol::WebSocketConfig};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use url::Url;
use wire::link::{FromAgent, FromGateway, LEASE_CALLS_MAX, LeaseAsk, MESSAGE_BYTES_MAX, PATH, VERSION};
use wire::signed;

use crate::AgentError;
use crate::backoff::Backoff;
use crate::host::Host;
use crate::lease::{self, Shop};
use crate::limits::{LINK_BATCH, LINK_GREETING};
use crate::metrics::Measured;

/// A link that was up for this long is no failing one: the next try comes at once.
const GOOD_AFTER: Duration = Duration::from_secs(30);

impl From<SocketError> for LinkError {
    fn from(error: SocketError) -> Self {
        Self::Socket(Box::new(error))
    }
}

impl From<AgentError> for LinkError {
    fn from(error: AgentError) -> Self {
        Self::Agent(Box::new(error))
    }
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
enum LinkError {
    #[error("{0}")]
    Socket(Box<SocketError>),
    #[error("the gateway closed the link")]
    Closed,
    #[error("the gateway said nothing for {} s", .0.as_secs())]
    Silent(Duration),
    #[error("the gateway serves chain {0} and market {1}, not ours")]
    OtherMarket(u64, alloy_primitives::Address),
    #[error("the gateway refused this agent: {0}")]
    Refused(String),
    #[error("the gateway sent something else than {0}")]
    Unexpected(&'static str),
    #[error(transparent)]
    Agent(Box<AgentError>),
}

/// Keeps the link up until the agent shuts down.
pub(crate) async fn run(host: Arc<Host>, gateway: Url) {
    let mut backoff = Backoff::default();
    loop {
        let began = Instant::now();
        let ended = tokio::select! {
            ended = session(&host, &gateway) => ended,
            () = host.shutdown.cancelled() => return,
        };
        if began.elapsed() > GOOD_AFTER {
            backoff = Backoff::default();
        }
        if let Err(error) = ended {
            tracing::warn!(%error, "no link to the gateway; trying again");
        }
        tokio::select! {
            () = backoff.wait() => {}
            () = host.shutdown.cancelled() => return,
        }
    }
}

/// Whether `gateway` may be dialled: over TLS, or on this machine, or because the owner said so.
pub(crate) fn check(gateway: &Url, allow_plain: bool) -> Result<(), AgentError> {
    let is_near = match gateway.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match gateway.scheme() {
        "https" | "wss" => Ok(()),
        "http" | "ws" if is_near || allow_plain => Ok(()),
        _ => Err(AgentError::PlainGateway { gateway: gateway.origin().ascii_serialization() }),
    }
}

fn address(gateway: &Url) -> String {
    let base = gateway.as_str().trim_end_matches('/');
    // http becomes ws, https becomes wss.
    format!("{}{PATH}", base.replacen("http", "ws", 1))
}

async fn session(host: &Arc<Host>, gateway: &Url) -> Result<(), LinkError> {
    let limits =
        WebSocketConfig::default().max_message_size(Some(MESSAGE_BYTES_MAX)).max_frame_size(Some(MESSAGE_BYTES_MAX));
    let greeted = tokio::time::timeout(LINK_GREETING, async {
        let (mut socket, _) = connect_async_with_config(address(gateway), Some(limits), true).await?;
        greet(host, gateway, &mut socket).await?;
        Ok::<_, LinkError>(socket)
    });
    let socket = greeted.await.map_err(|_| LinkError::Silent(LINK_GREETING))??;
    tracing::info!(gateway = %gateway.host_str().unwrap_or_default(), "linked");
    let (answers, answered) = mpsc::channel(LEASE_CALLS_MAX);
    Session { host: host.clone(), socket, told: BTreeSet::new(), sent: BTreeMap::new(), answers, answered }
        .serve()
        .await
}

async fn greet(host: &Host, gateway: &Url, socket: &mut Socket) -> Result<(), LinkError> {
    let FromGateway::Challenge { nonce, chain_id, market } = read(socket).await? else {
        return Err(LinkError::Unexpected("a challenge"));
    };
    let domain = host.market.domain();
    if (chain_id, market) != (domain.chain_id, domain.market) {
        return Err(LinkError::OtherMarket(chain_id, market));
    }
    let resources = vec![host.announced()];
    let agent = host.account.address();
    let ids = resources.iter().map(|resource| resource.id).collect();
    // Bound to whom was dialled: another gateway cannot pass it on as its own.
    let hello = signed::Hello { nonce, gateway: gateway.origin().ascii_serialization(), agent, resources: ids };
    let signature = host.account.wallet().sign(&domain, &hello).map_err(AgentError::from)?;
    write(socket, &FromAgent::Hello { version: VERSION, agent, resources, signature }).await?;
    match read(socket).await? {
        FromGateway::Welcome {} => Ok(()),
        FromGateway::Refused { reason } => Err(LinkError::Refused(reason)),
        _ => Err(LinkError::Unexpected("a welcome")),
    }
}

struct Session {
    host: Arc<Host>,
    socket: Socket,
    /// Jobs that were announced and not yet answered.
    told: BTreeSet<JobId>,
    /// The last number sent, from when the gateway said what it holds.
    sent: BTreeMap<JobId, u64>,
    /// Answers to calls about leases, as they come.
    answers: mpsc::Sender<FromAgent>,
    answered: mpsc::Receiver<FromAgent>,
}

impl Session {
    async fn serve(&mut self) -> Result<(), LinkError> {
        let mut beats = self.host.beats.subscribe();
        beats.mark_changed();
        // What was measured before this session may have been told in the one before.
        let mut measured = self.host.measured.subscribe();
        let mut heard = Instant::now();
        // A gateway answers pings; one that does not answer two in a row is gone, whatever TCP believes.
        let patience = self.host.config.heartbeat.max(LINK_GREETING);
        let mut pings = tokio::time::interval(patience);
        let shop = self.host.leases.get().cloned();
        let mut news = shop.as_ref().map(|shop| shop.news());
        if let Some(shop) = &shop {
            write(&mut self.socket, &FromAgent::Leases { offer: shop.offer() }).await?;
            self.tell_leases(shop, shop.ids()).await?;
        }
        loop {
            let more = self.relay().await?;
            tokio::select! {
                message = self.socket.next() => {
                    heard = Instant::now();
                    self.take(&message.ok_or(LinkError::Closed)??)?;
                }
                Ok(()) = beats.changed() => {
                    let beat = beats.borrow_and_update().clone();
                    if let Some((beat, signature)) = beat {
                        write(&mut self.socket, &FromAgent::Beat { beat, signature }).await?;
                    }
                }
                Ok(()) = measured.changed() => {
                    let round = measured.borrow_and_update().clone();
                    if let Some(Measured { machine, jobs }) = round {
                        write(&mut self.socket, &FromAgent::Metrics { machine, jobs }).await?;
                    }
                }
                _ = pings.tick() => {
                    if heard.elapsed() > patience * 2 {
                        return Err(LinkError::Silent(patience * 2));
                    }
                    self.socket.send(Message::Ping(Default::default())).await?;
                }
                Some(answer) = self.answered.recv() => write(&mut self.socket, &answer).await?,
                Some(leases) = next_news(&mut news) => {
                    if let Some(shop) = &shop {
                        // Who is behind is told of all.
                        self.tell_leases(shop, leases.unwrap_or_else(|| shop.ids())).await?;
                    }
                }
                () = self.host.feeds.changed.notified() => {}
                () = std::future::ready(()), if more => {}
                () = self.host.shutdown.cancelled() => {
                    return Ok(self.socket.close(None).await?);
                }
            }
        }
    }

    /// Announces new jobs and sends what is new of the others, one batch each; says whether there is more.
    async fn relay(&mut self) -> Result<bool, LinkError> {
        let mut more = false;
        let feeds = self.host.feeds.list();
        self.sent.retain(|job, _| feeds.iter().any(|(known, _)| known == job));
        for (job, feed) in feeds {
            let sent = self.sent.get(&job).copied();
            let is_behind = sent.is_some_and(|sent| sent < feed.journal.last());
            if !self.told.contains(&job) && (sent.is_none() || (feed.ask && !is_behind)) {
                self.told.insert(job);
                write(&mut self.socket, &FromAgent::Job { terms: feed.terms.clone() }).await?;
                continue;
            }
            let Some(sent) = sent.filter(|_| is_behind) else { continue };
            for event in feed.journal.outgoing(sent, LINK_BATCH).await? {
                self.sent.insert(job, event.seq);
                write(&mut self.socket, &FromAgent::Event { job: B256::from(job.0), event }).await?;
            }
            more |= self.sent.get(&job).is_some_and(|sent| *sent < feed.journal.last());
        }
        Ok(more)
    }

    fn take(&mut self, message: &Message) -> Result<(), LinkError> {
        match parse(message)? {
            None => Ok(()),
            Some(FromGateway::Have { job, seq }) => {
                let job = JobId(job.0);
                // Only an answer to an announcement moves the feed: nothing is sent twice in one session.
                if self.told.remove(&job)
                    && let Some(journal) = self.host.feeds.journal(job)
                {
                    let held = journal.align(seq)?.ok_or(LinkError::Unexpected("a believable number"))?;
                    if held < seq {
                        tracing::warn!(job = %job.short(), held, seq, "the gateway holds news that this machine lost");
                    }
                    self.sent.entry(job).or_insert(seq);
                    self.host.feeds.confirm(job, held);
                }
                Ok(())
            }
            Some(FromGateway::Ready { job, body }) => {
                self.host.ready(JobId(job.0), body);
                Ok(())
            }
            Some(FromGateway::LeaseCall { call, ask }) => self.ask(call, *ask),
            Some(FromGateway::Refused { reason }) => Err(LinkError::Refused(reason)),
            Some(_) => Err(LinkError::Unexpected("news of jobs")),
        }
    }
}

impl Session {
    /// Answers a call about a lease without holding anything else up.
    fn ask(&self, call: u64, ask: LeaseAsk) -> Result<(), LinkError> {
        let Some(shop) = self.host.leases.get().cloned() else {
            return Err(LinkError::Unexpected("calls about leases, which are not sold here"));
        };
        let Ok(place) = self.answers.clone().try_reserve_owned() else {
            // The gateway counts its calls too; one beyond is left without an answer.
            return Ok(());
        };
        let host = self.host.clone();
        tokio::spawn(async move {
            let answer = Box::new(lease::answer(&host, &shop, ask).await);
            place.send(FromAgent::LeaseAnswer { call, answer });
        });
        Ok(())
    }

    async fn tell_leases(&mut self, shop: &Shop, leases: Vec<JobId>) -> Result<(), LinkError> {
        for id in leases {
            if let Some((state, _)) = shop.told(id).await {
                let news = FromAgent::LeaseNews { lease: B256::from(id.0), state: Box::new(state) };
                write(&mut self.socket, &news).await?;
            }
        }
        Ok(())
    }
}

/// The next lease that went on; the inner is nothing when some were missed.
async fn next_news(news: &mut Option<broadcast::Receiver<JobId>>) -> Option<Option<Vec<JobId>>> {
    use broadcast::error::RecvError;
    match news {
        None => std::future::pending().await,
        Some(news) => match news.recv().await {
            Ok(id) => Some(Some(vec![id])),
            Err(RecvError::Lagged(_)) => Some(None),
            Err(RecvError::Closed) => std::future::pending().await,
        },
    }
}

async fn write(socket: &mut Socket, message: &FromAgent) -> Result<(), LinkError> {
    let text = serde_json::to_string(message).map_err(|_| LinkError::Unexpected("what can be written"))?;
    Ok(socket.send(Message::text(text)).await?)
}

async fn read(socket: &mut Socket) -> Result<FromGateway, LinkError> {
    loop {
        let message = socket.next().await.ok_or(LinkError::Closed)??;
        if let Some(parsed) = parse(&message)? {
            return Ok(parsed);
        }
    }
}

fn parse(message: &Message) -> Result<Option<FromGateway>, LinkError> {
    match message {
        Message::Text(text) => {
            serde_json::from_str(text).map(Some).map_err(|_| LinkError::Unexpected("a message of this version"))
        }
        Message::Close(_) => Err(LinkError::Closed),
        Message::Binary(_) => Err(LinkError::Unexpected("text")),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_that_others_can_read_is_refused() {
        let may = |url: &str, allow| check(&Url::parse(url).unwrap(), allow);
        for near in
            ["http://127.0.0.1:8080", "http://localhost:1", "ws://[::1]:8080", "https://g.example", "wss://g.example"]
        {
            may(near, false).unwrap();
        }
        for far in
            ["http://g.example", "ws://10.0.0.1:8080", "http://127.0.0.1.g.example", "http://localhost.g.example"]
        {
            let refused = may(far, false).unwrap_err().to_string();
            assert!(refused.contains("use https"), "{refused}");
            may(far, true).unwrap();
        }
        assert!(may("ftp://g.example", true).is_err());
    }

    #[test]
    fn the_scheme_follows_the_gateway() {
        let at = |url: &str| address(&Url::parse(url).unwrap());
        assert_eq!(at("http://127.0.0.1:8080"), "ws://127.0.0.1:8080/api/v1/agents/link");
        assert_eq!(at("https://http.example/"), "wss://http.example/api/v1/agents/link");
    }
}
