//! A gateway of few words: the agent link as its protocol says, content, and a controller that agrees at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use alloy_primitives::{B256, aliases::U40};
use axum::Router;
use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::get;
use chain::Wallet;
use content::BlockStore;
use market::{JobId, ResourceId};
use url::Url;
use wire::http::{MetricsPoint, ReadyBody, UploadPass};
use wire::link::{FromAgent, FromGateway, JobMetrics, LeaseAsk, LeaseOffer, LeaseReply};
use wire::{Domain, JobEvent, JobNews, Terms, signed};

#[derive(Clone)]
pub(crate) struct TestGateway {
    pub(crate) store: Arc<BlockStore>,
    shared: Arc<Shared>,
    url: Url,
}

struct Shared {
    domain: Domain,
    /// What an agent must have dialled.
    origin: OnceLock<String>,
    controller: Wallet,
    /// Whether the controller agrees to what it is shown.
    agrees: AtomicBool,
    links: AtomicUsize,
    beats: AtomicUsize,
    resource: Mutex<Option<wire::link::Announced>>,
    metrics: Mutex<Vec<(MetricsPoint, Vec<JobMetrics>)>>,
    /// Whether links are taken.
    open: AtomicBool,
    feeds: Mutex<BTreeMap<JobId, Vec<JobEvent>>>,
    leases: Leases,
    /// What is said without being asked; nothing means that the line is cut.
    outbox: tokio::sync::broadcast::Sender<Option<FromGateway>>,
}

/// What the agent says of time sold by the tick.
#[derive(Default)]
struct Leases {
    offer: Mutex<Option<LeaseOffer>>,
    calls: AtomicU64,
    answers: Mutex<BTreeMap<u64, LeaseReply>>,
}

pub(crate) fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

/// Serves a router on a port of its own.
pub(crate) async fn serve(router: Router) -> Url {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

impl TestGateway {
    pub(crate) async fn start(store: Arc<BlockStore>, domain: Domain, controller: Wallet) -> Self {
        let shared = Arc::new(Shared {
            domain,
            origin: OnceLock::new(),
            controller,
            agrees: AtomicBool::new(true),
            links: AtomicUsize::new(0),
            beats: AtomicUsize::new(0),
            resource: Mutex::new(None),
            metrics: Mutex::default(),
            open: AtomicBool::new(true),
            feeds: Mutex::default(),
            leases: Leases::default(),
            outbox: tokio::sync::broadcast::Sender::new(8),
        });
        let authorise: content::upload::Authorise = Arc::new(move |headers, root| {
            let refused = |detail: String| content::upload::Refused { status: 401, detail };
            let pass = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
            UploadPass::verify(pass, &root.to_string(), &domain, now())
                .map(|who| who.to_string())
                .map_err(|error| refused(error.to_string()))
        });
        let link = Router::new().route(wire::link::PATH, get(upgrade)).with_state(shared.clone());
        let router = link
            .merge(content::gateway::router(store.clone(), Default::default()))
            .merge(content::upload::router(store.clone(), Default::default(), authorise));
        let url = serve(router).await;
        shared.origin.set(url.as_str().trim_end_matches('/').to_owned()).unwrap();
        Self { store, shared, url }
    }

    pub(crate) fn url(&self) -> Url {
        self.url.clone()
    }

    pub(crate) fn links(&self) -> usize {
        self.shared.links.load(Ordering::SeqCst)
    }

    pub(crate) fn beats(&self) -> usize {
        self.shared.beats.load(Ordering::SeqCst)
    }

    /// What was measured, as it was told.
    pub(crate) fn metrics(&self) -> Vec<(MetricsPoint, Vec<JobMetrics>)> {
        self.shared.metrics.lock().unwrap().clone()
    }

    /// Takes links, or takes none any more.
    pub(crate) fn set_open(&self, open: bool) {
        self.shared.open.store(open, Ordering::SeqCst);
    }

    /// Cuts all links.
    pub(crate) fn drop_links(&self) {
        self.shared.outbox.send(None).unwrap();
    }

    pub(crate) fn set_agrees(&self, agrees: bool) {
        self.shared.agrees.store(agrees, Ordering::SeqCst);
    }

    /// Agrees now to the readiness record that was told before.
    pub(crate) fn agree(&self, job: JobId) {
        self.agree_as(job, &self.shared.controller, |_| ());
    }

    /// Relays what `wallet` signs to the readiness record, changed.
    pub(crate) fn agree_as(&self, job: JobId, wallet: &Wallet, change: impl FnOnce(&mut signed::Ready)) {
        let body = self.ready(job, wallet, change);
        self.shared.outbox.send(Some(FromGateway::Ready { job: B256::from(job.0), body })).unwrap();
    }

    /// What `wallet` signs to the readiness record, changed.
    pub(crate) fn ready(&self, job: JobId, wallet: &Wallet, change: impl FnOnce(&mut signed::Ready)) -> ReadyBody {
        let digest = self.events(job).iter().find_map(|event| match &event.news {
            JobNews::JobReady { record, .. } => Some(wire::document(record).unwrap().digest),
            _ => None,
        });
        ready(&self.shared, wallet, job, digest.unwrap(), change)
    }

    /// How the agent sells by the tick.
    pub(crate) fn lease_offer(&self) -> Option<LeaseOffer> {
        self.shared.leases.offer.lock().unwrap().clone()
    }

    /// Asks something about a lease without waiting; the number finds the answer.
    pub(crate) fn ask(&self, ask: LeaseAsk) -> u64 {
        let call = self.shared.leases.calls.fetch_add(1, Ordering::SeqCst);
        self.shared.outbox.send(Some(FromGateway::LeaseCall { call, ask: Box::new(ask) })).unwrap();
        call
    }

    /// What the agent answered, if it has.
    pub(crate) fn answer(&self, call: u64) -> Option<LeaseReply> {
        self.shared.leases.answers.lock().unwrap().get(&call).cloned()
    }

    fn announced(&self) -> wire::link::Announced {
        self.shared.resource.lock().unwrap().clone().expect("an agent is linked")
    }

    /// What the agent says that it is.
    pub(crate) fn hardware(&self) -> market::Hardware {
        (&self.announced().hardware).into()
    }

    pub(crate) fn resource(&self) -> ResourceId {
        ResourceId(self.announced().id.0)
    }

    pub(crate) fn events(&self, job: JobId) -> Vec<JobEvent> {
        self.shared.feeds.lock().unwrap().get(&job).cloned().unwrap_or_default()
    }
}

async fn upgrade(State(shared): State<Arc<Shared>>, upgrade: WebSocketUpgrade) -> axum::response::Response {
    upgrade.on_upgrade(async move |socket| {
        // A link that breaks is the agent's business.
        let _ = talk(&shared, socket).await;
    })
}

async fn say(socket: &mut WebSocket, message: &FromGateway) -> Option<()> {
    socket.send(Message::text(serde_json::to_string(message).unwrap())).await.ok()
}

async fn hear(socket: &mut WebSocket) -> Option<FromAgent> {
    loop {
        if let Message::Text(text) = socket.recv().await?.ok()? {
            return Some(serde_json::from_str(&text).expect("the agent speaks this version"));
        }
    }
}

async fn talk(shared: &Shared, mut socket: WebSocket) -> Option<()> {
    if !shared.open.load(Ordering::SeqCst) {
        return None;
    }
    let nonce = B256::from(*Wallet::random().address().into_word());
    let Domain { chain_id, market } = shared.domain;
    say(&mut socket, &FromGateway::Challenge { nonce, chain_id, market }).await?;
    let FromAgent::Hello { version, agent, resources, signature } = hear(&mut socket).await? else {
        panic!("the first word is a hello");
    };
    assert_eq!((version, resources.len()), (1, 1));
    let gateway = shared.origin.get().unwrap().clone();
    let hello = signed::Hello { nonce, gateway, agent, resources: vec![resources[0].id] };
    shared.domain.verify(&hello, &signature, agent).unwrap();
    *shared.resource.lock().unwrap() = Some(resources[0].clone());
    say(&mut socket, &FromGateway::Welcome {}).await?;
    let mut outbox = shared.outbox.subscribe();
    shared.links.fetch_add(1, Ordering::SeqCst);
    loop {
        let message = tokio::select! {
            message = hear(&mut socket) => message?,
            Ok(message) = outbox.recv() => {
                say(&mut socket, &message?).await?;
                continue;
            }
        };
        match message {
            FromAgent::Hello { .. } => panic!("one hello is enough"),
            FromAgent::Beat { beat, signature } => {
                shared.domain.verify(&signed::Beat::from(&beat), &signature, agent).unwrap();
                shared.beats.fetch_add(1, Ordering::SeqCst);
            }
            FromAgent::Leases { offer } => *shared.leases.offer.lock().unwrap() = Some(offer),
            FromAgent::LeaseAnswer { call, answer } => {
                shared.leases.answers.lock().unwrap().insert(call, *answer);
            }
            FromAgent::LeaseNews { lease, state } => {
                let terms = Terms::try_from(&state.terms).unwrap();
                assert_eq!(terms.job_id(chain_id, market), JobId(lease.0), "news are of the lease they name");
            }
            FromAgent::Metrics { machine, jobs } => shared.metrics.lock().unwrap().push((machine, jobs)),
            FromAgent::Job { terms } => {
                let job = Terms::try_from(&terms).unwrap().job_id(chain_id, market);
                let seq = shared.feeds.lock().unwrap().entry(job).or_default().len() as u64;
                say(&mut socket, &FromGateway::Have { job: B256::from(job.0), seq }).await?;
            }
            FromAgent::Event { job, event } => {
                let ready = take(shared, agent, JobId(job.0), event);
                if let Some(body) = ready {
                    say(&mut socket, &FromGateway::Ready { job, body }).await?;
                }
            }
        }
    }
}

/// Keeps an event, which must be the next one, and agrees to a readiness record.
fn take(shared: &Shared, agent: alloy_primitives::Address, job: JobId, event: JobEvent) -> Option<ReadyBody> {
    let ready = if let JobNews::JobReady { record, signature } = &event.news {
        let digest = wire::document(record).unwrap().digest;
        let attest = signed::Attest { jobId: B256::from(job.0), digest };
        shared.domain.verify(&attest, signature, agent).unwrap();
        shared.agrees.load(Ordering::SeqCst).then(|| ready(shared, &shared.controller, job, digest, |_| ()))
    } else {
        None
    };
    let mut feeds = shared.feeds.lock().unwrap();
    let feed = feeds.entry(job).or_default();
    assert_eq!(event.seq, feed.len() as u64 + 1, "numbers have neither gaps nor repeats: {event:?}");
    feed.push(event);
    ready
}

fn ready(
    shared: &Shared,
    wallet: &Wallet,
    job: JobId,
    digest: B256,
    change: impl FnOnce(&mut signed::Ready),
) -> ReadyBody {
    let mut statement =
        signed::Ready { jobId: B256::from(job.0), readyRecord: digest, at: U40::saturating_from(now()) };
    change(&mut statement);
    let signature = wallet.sign(&shared.domain, &statement).unwrap();
    ReadyBody { ready_record: statement.readyRecord, at: statement.at.to(), signature }
}
