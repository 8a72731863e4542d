//! `GET /api/v1/agents/link`: an agent's one connection. The rules are in [`crate::link`]; this carries them out.

use alloy_primitives::B256;
use axum::{
    extract::{
        State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, header},
    response::Response,
};
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;
use url::Url;
use wire::{
    link::{FromAgent, FromGateway},
    signed::FRESH_S,
};

use crate::{
    GatewayError,
    config::LINK_OUTBOX_MAX,
    http::socket::{self, Farewell, Gone, Heard, Socket},
    link::{LinkId, Live, Rules, Session, Step},
    state::{Shared, now},
};

pub(crate) async fn connect(
    State(shared): State<Shared>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, GatewayError> {
    let upgrade = upgrade.map_err(|_| GatewayError::Upgrade)?;
    let pending = shared.pending_links.clone().try_acquire_owned();
    let pending = pending.map_err(|_| GatewayError::Busy { what: "too many agents are saying hello" })?;
    let mut nonce = B256::ZERO;
    aws_lc_rs::rand::fill(nonce.as_mut_slice()).map_err(|_| GatewayError::Busy { what: "no randomness now" })?;
    let origins = origins(shared.public_url.as_ref(), &headers);
    let state = shared.clone();
    Ok(socket::upgrade(&state, upgrade, move |socket| async move {
        let (outbox, inbox) = mpsc::channel(LINK_OUTBOX_MAX);
        let rules = Rules { domain: shared.market.domain(), origins, jobs_max: shared.limits.jobs_per_link };
        let session = Session::Challenged { nonce };
        let replaced = CancellationToken::new();
        let id = shared.number();
        let mut link = Link { shared, id, socket, session, rules, inbox, replaced };
        let ended = match link.greet(nonce, outbox).await {
            Ok(()) => {
                drop(pending);
                link.serve().await
            }
            Err(ended) => ended,
        };
        link.end(ended).await;
    }))
}

/// What an agent that dialled this gateway can have dialled: its public address, or else the host of the request,
/// with or without TLS in front.
fn origins(public: Option<&Url>, headers: &HeaderMap) -> Vec<String> {
    let of = |url: Url| url.origin().ascii_serialization();
    let http = match public {
        Some(public) => vec![of(public.clone())],
        None => {
            let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
            let urls = host.map(|host| ["http", "https"].map(|scheme| Url::parse(&format!("{scheme}://{host}"))));
            urls.into_iter().flatten().flatten().map(of).collect()
        }
    };
    // An address may be given as the WebSocket's.
    http.into_iter().flat_map(|origin| [origin.replacen("http", "ws", 1), origin]).rev().collect()
}

/// How a link ends.
enum Ended {
    /// By itself.
    Gone,
    /// The agent is told why and that it may not go on.
    Refused(String),
    /// Only the close frame says why.
    Closed(Farewell),
}

impl From<Gone> for Ended {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

struct Link {
    shared: Shared,
    id: LinkId,
    socket: Socket,
    session: Session,
    rules: Rules,
    inbox: mpsc::Receiver<FromGateway>,
    replaced: CancellationToken,
}

impl Link {
    /// Challenge, hello, the chain's word, welcome.
    async fn greet(&mut self, nonce: B256, outbox: mpsc::Sender<FromGateway>) -> Result<(), Ended> {
        let domain = self.rules.domain;
        let challenge = FromGateway::Challenge { nonce, chain_id: domain.chain_id, market: domain.market };
        self.socket.send(&challenge).await?;
        let within = self.shared.limits.hello_within;
        let said = timeout(within, self.hear())
            .await
            .map_err(|_| Ended::Refused(format!("no hello came within {} s; connect again", within.as_secs())))??;
        let (agent, resources) = match self.session.next(said, &self.rules, now()) {
            Step::Check { agent, resources } => (agent, resources),
            Step::Refuse { reason } => return Err(Ended::Refused(reason)),
            _ => return Err(Ended::Refused("the first message is a Hello".into())),
        };
        let verdict = self.shared.listings.check(agent, &resources).await;
        self.session.checked(verdict).map_err(Ended::Refused)?;
        tracing::info!(link = self.id, %agent, resources = resources.len(), "an agent is linked");
        let replaced = self.replaced.clone();
        let live = Live { id: self.id, agent, resources, heard: now(), outbox, replaced };
        let taken = self.shared.links.open(live);
        taken.map_err(|_| Ended::Refused("this gateway has as many agents as it takes; try another".into()))?;
        self.socket.send(&FromGateway::Welcome {}).await?;
        Ok(())
    }

    /// Until one side ends it.
    async fn serve(&mut self) -> Ended {
        loop {
            let done = tokio::select! {
                heard = self.socket.hear() => match self.parse(heard) {
                    Ok(said) => self.carry_out(said).await,
                    Err(ended) => Err(ended),
                },
                Some(message) = self.inbox.recv() => self.socket.send(&message).await.map_err(Ended::from),
                () = self.replaced.cancelled() => {
                    Err(Ended::Refused("a newer link of this agent took over".into()))
                }
                () = self.shared.shutdown.cancelled() => Err(Ended::Closed(Farewell::away())),
            };
            if let Err(ended) = done {
                return ended;
            }
        }
    }

    async fn carry_out(&mut self, said: FromAgent) -> Result<(), Ended> {
        match self.session.next(said, &self.rules, now()) {
            Step::Heard => self.shared.links.heard(self.id, now()),
            Step::Announce { job, terms } => {
                let ready_since = now().saturating_sub(FRESH_S);
                let held = self.shared.feeds.announce(job, &terms, self.id, ready_since).map_err(|_| full())?;
                let job = B256::from(job.0);
                self.socket.send(&FromGateway::Have { job, seq: held.seq }).await?;
                if let Some(body) = held.ready {
                    self.socket.send(&FromGateway::Ready { job, body }).await?;
                }
            }
            Step::Push { job, terms, event } => {
                match self.shared.feeds.push(job, &terms, self.id, *event).map_err(|_| full())? {
                    Ok(()) => self.session.pushed(job),
                    Err(seq) if self.session.tell(job) => {
                        self.socket.send(&FromGateway::Have { job: B256::from(job.0), seq }).await?;
                    }
                    Err(_) => {}
                }
            }
            Step::Refuse { reason } => return Err(Ended::Refused(reason)),
            Step::Check { .. } => return Err(Ended::Refused("hello was said already".into())),
        }
        Ok(())
    }

    async fn hear(&mut self) -> Result<FromAgent, Ended> {
        let heard = tokio::select! {
            heard = self.socket.hear() => heard,
            () = self.shared.shutdown.cancelled() => return Err(Ended::Closed(Farewell::away())),
        };
        self.parse(heard)
    }

    fn parse(&self, heard: Heard) -> Result<FromAgent, Ended> {
        match heard {
            // The reason goes into the log, so it does not repeat what was said.
            Heard::Said(text) => serde_json::from_str(&text).map_err(|error| {
                let (what, column) = (error.classify(), error.column());
                Ended::Refused(format!("a message cannot be read ({what:?} error at column {column})"))
            }),
            Heard::Closed => Err(Ended::Gone),
            Heard::Ends(farewell) => Err(Ended::Closed(farewell)),
        }
    }

    async fn end(mut self, ended: Ended) {
        self.shared.links.close(self.id);
        self.shared.feeds.detach(self.id);
        match ended {
            Ended::Gone => tracing::info!(link = self.id, "an agent's link ended"),
            Ended::Refused(reason) => {
                tracing::info!(link = self.id, reason, "an agent's link was refused");
                let farewell = Farewell::refused(reason.clone());
                if self.socket.send(&FromGateway::Refused { reason }).await.is_ok() {
                    self.socket.close(farewell).await;
                }
            }
            Ended::Closed(farewell) => {
                tracing::info!(link = self.id, ?farewell, "an agent's link was closed");
                self.socket.close(farewell).await;
            }
        }
    }
}

fn full() -> Ended {
    Ended::Refused("this gateway follows as many jobs as it can; link to another".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origins_are_the_configured_one_or_follow_the_host_header() {
        let check = |public: Option<&str>, host: Option<&'static str>, expected: &[&str]| {
            let public = public.map(|url| Url::parse(url).unwrap());
            let headers = host.map(|host| (header::HOST, host.parse().unwrap())).into_iter().collect();
            assert_eq!(origins(public.as_ref(), &headers), expected);
        };
        check(
            None,
            Some("127.0.0.1:4510"),
            &["https://127.0.0.1:4510", "wss://127.0.0.1:4510", "http://127.0.0.1:4510", "ws://127.0.0.1:4510"],
        );
        check(
            None,
            Some("Gate.Example:443"),
            &["https://gate.example", "wss://gate.example", "http://gate.example:443", "ws://gate.example:443"],
        );
        check(None, Some("[::1]:80"), &["https://[::1]:80", "wss://[::1]:80", "http://[::1]", "ws://[::1]"]);
        check(
            Some("https://gate.example:443/x"),
            Some("evil.example"),
            &["https://gate.example", "wss://gate.example"],
        );
        check(None, Some("not a host"), &[]);
        check(None, None, &[]);
    }
}
