//! `GET /api/v1/agents/link`: an agent's one connection. The rules are in [`crate::link`]; this carries them out.

use alloy_primitives::{Address, B256};
use axum::{
    extract::{
        State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::HeaderMap,
    response::Response,
};
use chain::{ChainError, Tills};
use jiff::Timestamp;
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;
use url::Url;
use wire::{
    http::ProviderNews,
    link::{FromAgent, FromGateway},
    signed::FRESH_S,
};

use crate::{
    GatewayError, auth,
    config::LINK_OUTBOX_MAX,
    gauges,
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
    let origins = dialled(shared.public_url.as_ref(), &headers);
    let state = shared.clone();
    Ok(socket::upgrade(&state, upgrade, move |socket| async move {
        let (outbox, inbox) = mpsc::channel(LINK_OUTBOX_MAX);
        let rules = Rules {
            domain: shared.market.domain(),
            origins,
            jobs_max: shared.limits.jobs_per_link,
            metrics_apart_s: shared.limits.metrics_apart.as_secs(),
        };
        let session = Session::Challenged { nonce };
        let replaced = CancellationToken::new();
        let id = shared.number();
        let mut link =
            Link { shared, id, socket, session, rules, inbox, replaced, agent: Address::ZERO, providers: vec![] };
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

/// What an agent that dialled this gateway can have dialled: an address may be given as the WebSocket's.
fn dialled(public: Option<&Url>, headers: &HeaderMap) -> Vec<String> {
    auth::origins(public, headers)
        .into_iter()
        .flat_map(|origin| [origin.clone(), origin.replacen("http", "ws", 1)])
        .collect()
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
    /// Who it is, once greeted.
    agent: Address,
    /// Whose resources it serves, by the chain's numbers.
    providers: Vec<u32>,
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
        let (verdict, providers) = verdict.map_or_else(|reason| (Err(reason), vec![]), |providers| (Ok(()), providers));
        self.session.checked(verdict).map_err(Ended::Refused)?;
        (self.agent, self.providers) = (agent, providers);
        tracing::info!(link = self.id, %agent, resources = resources.len(), "an agent is linked");
        let replaced = self.replaced.clone();
        let resources = resources.iter().map(|resource| resource.id).collect();
        let live = Live { id: self.id, agent, resources, outbox, replaced };
        let taken = self.shared.links.open(live);
        taken.map_err(|_| {
            self.shared.watch.turned_away(agent);
            Ended::Refused("this gateway has as many agents as it takes; try another".into())
        })?;
        self.heard();
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
            Step::Heard { jobs, at } => {
                self.heard();
                self.shared.watch.beat(self.agent, &jobs, at);
            }
            Step::Measured { machine, jobs } => {
                self.heard();
                for provider in &self.providers {
                    self.shared.gauges.measured(*provider, machine);
                    let news = ProviderNews::GpuMetricsUpdate { metrics: machine };
                    self.shared.providers.tell(*provider, news, Timestamp::now());
                }
                jobs.into_iter().for_each(|(job, point)| self.shared.gauges.job_measured(job, point));
            }
            Step::Pass => self.heard(),
            Step::Announce { job, terms } => {
                let ready_since = now().saturating_sub(FRESH_S);
                let held = self.shared.feeds.announce(job, &terms, self.id, ready_since).map_err(|_| self.full())?;
                let job = B256::from(job.0);
                self.socket.send(&FromGateway::Have { job, seq: held.seq }).await?;
                if let Some(body) = held.ready {
                    self.socket.send(&FromGateway::Ready { job, body }).await?;
                }
            }
            Step::Push { job, terms, event } => {
                self.shared.watch.news(self.agent, job, &event.news);
                match self.shared.feeds.push(job, &terms, self.id, *event).map_err(|_| self.full())? {
                    Ok(()) => self.session.pushed(job),
                    Err(seq) if self.session.tell(job) => {
                        self.socket.send(&FromGateway::Have { job: B256::from(job.0), seq }).await?;
                    }
                    Err(_) => {}
                }
            }
            Step::Sells { offer } => {
                check_till(self.shared.clone(), self.providers.clone(), offer.receiver)
                    .await
                    .map_err(Ended::Refused)?;
                self.shared.leases.offers.told(self.id, self.agent, offer).map_err(Ended::Refused)?;
            }
            Step::Answered { call, answer } => self.shared.leases.calls.answered(self.agent, call, *answer),
            Step::LeaseNews { lease, state } => self.shared.leases.copies.told(self.agent, lease, *state),
            Step::Refuse { reason } => return Err(Ended::Refused(reason)),
            Step::Check { .. } => return Err(Ended::Refused("hello was said already".into())),
        }
        Ok(())
    }

    /// There is no room for a job. That is no silence of its agent's.
    fn full(&self) -> Ended {
        self.shared.watch.turned_away(self.agent);
        Ended::Refused("this gateway follows as many jobs as it can; link to another".into())
    }

    fn heard(&self) {
        let now = now();
        if self.shared.gauges.heard(self.agent, &self.providers, now) {
            // Whoever orders next finds it.
            self.shared.board.presence_changed();
            gauges::tell_presence(&self.shared, now);
        }
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
        self.shared.leases.offers.gone(self.id);
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

/// Who sells by the tick is paid at the till of the provider whose resources these are: the market keeps its share there,
/// and the payer knows whom he pays.
async fn check_till(shared: Shared, providers: Vec<u32>, receiver: Address) -> Result<(), String> {
    let Some(tills) = shared.tills else {
        return Err("this gateway knows no tills, so nothing is sold by the tick here".into());
    };
    let unreachable = |error: ChainError| format!("the tills cannot be read now: {error}");
    let tills = Tills::open(shared.market.chain().clone(), tills).await.map_err(unreachable)?;
    for provider in providers {
        let till = tills.till_of(provider).await.map_err(unreachable)?;
        if till != receiver {
            return Err(format!("provider {provider} is paid at {till}, not at {receiver}"));
        }
    }
    Ok(())
}
