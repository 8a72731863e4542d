//! A gateway of the test's own: honest by itself, lying where it is told to.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering},
};

use alloy_primitives::{Address, B256};
use axum::{
    Json, Router,
    extract::{
        Path, Query, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::sync::broadcast;
use url::Url;
use wire::{
    Domain, JobEvent, JobNews, SignatureBytes,
    http::{
        FromClient, GpuJson, GpuQuery, Health, NonceBody, NonceJson, Page, ReadyBody, SessionJson, ToClient, VerifyBody,
    },
};

/// Words on their way to one reader; more than any test says at once.
const WORDS_MAX: usize = 256;
/// What stands for who signed in.
const TOKEN: &str = "who-has-this-is-signed-in";

#[derive(Clone)]
pub(crate) struct TestGateway {
    shared: Arc<Shared>,
    url: Url,
}

struct Shared {
    domain: Domain,
    gpus: Mutex<Vec<GpuJson>>,
    /// What was asked of the list, page by page.
    searches: Mutex<Vec<String>>,
    watcher: Mutex<Option<Address>>,
    /// What is given to who wants to sign in, and whether it is taken back.
    nonce: Mutex<Option<NonceJson>>,
    verified: Mutex<Vec<VerifyBody>>,
    /// What `ready` answers.
    answers: AtomicU16,
    readies: Mutex<Vec<(B256, ReadyBody)>>,
    /// Whether readers are let in.
    open: AtomicBool,
    /// From which number on each reader asked.
    asked: Mutex<Vec<u64>>,
    /// Readers who were told all that was held.
    served: AtomicUsize,
    feed: Mutex<Vec<JobEvent>>,
    says: broadcast::Sender<Word>,
}

#[derive(Clone)]
enum Word {
    Say(Box<ToClient>),
    Cut,
}

impl TestGateway {
    pub(crate) async fn start(domain: Domain) -> Self {
        let shared = Arc::new(Shared {
            domain,
            gpus: Mutex::default(),
            searches: Mutex::default(),
            watcher: Mutex::default(),
            nonce: Mutex::default(),
            verified: Mutex::default(),
            answers: AtomicU16::new(204),
            readies: Mutex::default(),
            open: AtomicBool::new(true),
            asked: Mutex::default(),
            served: AtomicUsize::new(0),
            feed: Mutex::default(),
            says: broadcast::Sender::new(WORDS_MAX),
        });
        let router = Router::new()
            .route("/api/v1/gpus", get(gpus))
            .route("/api/v1/health", get(health))
            .route("/api/v1/auth/siwe/nonce", post(nonce))
            .route("/api/v1/auth/siwe/verify", post(verify))
            .route("/api/v1/auth/logout", post(logout))
            .route("/api/v1/jobs/{id}/ready", post(ready))
            .route("/api/v1/ws", get(upgrade))
            .with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shared, url }
    }

    pub(crate) fn url(&self) -> Url {
        self.url.clone()
    }

    pub(crate) fn set_gpus(&self, gpus: Vec<GpuJson>) {
        *self.shared.gpus.lock().unwrap() = gpus;
    }

    /// What was asked of the list, page by page.
    pub(crate) fn searches(&self) -> Vec<String> {
        self.shared.searches.lock().unwrap().clone()
    }

    pub(crate) fn set_watcher(&self, watcher: Address) {
        *self.shared.watcher.lock().unwrap() = Some(watcher);
    }

    /// What is given to the next who wants to sign in.
    pub(crate) fn set_nonce(&self, nonce: NonceJson) {
        *self.shared.nonce.lock().unwrap() = Some(nonce);
    }

    /// Whatever was signed to sign in.
    pub(crate) fn verified(&self) -> Vec<VerifyBody> {
        self.shared.verified.lock().unwrap().clone()
    }

    pub(crate) fn answer_ready(&self, status: u16) {
        self.shared.answers.store(status, Ordering::SeqCst);
    }

    /// Every Ready that was posted, with the job it was posted for.
    pub(crate) fn readies(&self) -> Vec<(B256, ReadyBody)> {
        self.shared.readies.lock().unwrap().clone()
    }

    /// From which number on each reader asked, in order.
    pub(crate) fn asked(&self) -> Vec<u64> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// How many readers were told all that was held.
    pub(crate) fn served(&self) -> usize {
        self.shared.served.load(Ordering::SeqCst)
    }

    /// Gives the news the next number, keeps and relays it.
    pub(crate) fn tell(&self, news: JobNews) {
        let mut feed = self.shared.feed.lock().unwrap();
        let event = event(feed.len() as u64 + 1, news);
        feed.push(event.clone());
        self.say(event);
    }

    /// Says news under any number and keeps nothing.
    pub(crate) fn forge(&self, seq: u64, news: JobNews) {
        self.say(event(seq, news));
    }

    /// Keeps news without a word to those who read now.
    pub(crate) fn keep(&self, news: JobNews) {
        let mut feed = self.shared.feed.lock().unwrap();
        let event = event(feed.len() as u64 + 1, news);
        feed.push(event);
    }

    /// Forgets all news, for a next job.
    pub(crate) fn forget(&self) {
        self.shared.feed.lock().unwrap().clear();
    }

    /// Cuts every reader off and lets nobody in.
    pub(crate) fn close(&self) {
        self.shared.open.store(false, Ordering::SeqCst);
        self.shared.says.send(Word::Cut).ok();
    }

    /// Lets readers in again.
    pub(crate) fn open(&self) {
        self.shared.open.store(true, Ordering::SeqCst);
    }

    fn say(&self, event: JobEvent) {
        // Nobody may be there to hear it.
        self.shared.says.send(Word::Say(Box::new(ToClient::News { topic: "job".into(), event }))).ok();
    }
}

fn event(seq: u64, news: JobNews) -> JobEvent {
    JobEvent { seq, at: "2027-01-01T00:00:00Z".parse().unwrap(), news }
}

/// Pages of two, or fewer where fewer are wanted; the cursor is a place in the list.
async fn gpus(State(shared): State<Arc<Shared>>, uri: Uri, Query(query): Query<GpuQuery>) -> Json<Page<GpuJson>> {
    shared.searches.lock().unwrap().push(uri.query().unwrap_or_default().to_owned());
    let from: usize = query.cursor.map_or(0, |cursor| cursor.parse().unwrap());
    let all = shared.gpus.lock().unwrap().clone();
    let to = (from + query.limit.unwrap().min(2)).min(all.len());
    let next_cursor = (to < all.len()).then(|| to.to_string());
    Json(Page { items: all[from..to].to_vec(), next_cursor })
}

async fn nonce(State(shared): State<Arc<Shared>>, Json(_): Json<NonceBody>) -> Json<NonceJson> {
    Json(shared.nonce.lock().unwrap().clone().unwrap())
}

async fn verify(State(shared): State<Arc<Shared>>, Json(body): Json<VerifyBody>) -> Json<SessionJson> {
    let signature: SignatureBytes = body.signature.parse().unwrap();
    let address = signature.signer_of_message(&body.message).unwrap();
    shared.verified.lock().unwrap().push(body);
    Json(SessionJson { token: TOKEN.into(), address, expires_at: "2999-01-01T00:00:00Z".parse().unwrap() })
}

async fn logout(headers: HeaderMap) -> StatusCode {
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok());
    if shown == Some(&format!("Bearer {TOKEN}")) { StatusCode::NO_CONTENT } else { StatusCode::UNAUTHORIZED }
}

async fn health(State(shared): State<Arc<Shared>>) -> Json<Health> {
    let Domain { chain_id, market } = shared.domain;
    Json(Health {
        status: "ok".into(),
        chain_id,
        market,
        token: Address::ZERO,
        watcher: *shared.watcher.lock().unwrap(),
        recorder: None,
        indexed_block: None,
        agents: 1,
        blocks: 0,
    })
}

async fn ready(State(shared): State<Arc<Shared>>, Path(job): Path<B256>, Json(body): Json<ReadyBody>) -> StatusCode {
    shared.readies.lock().unwrap().push((job, body));
    StatusCode::from_u16(shared.answers.load(Ordering::SeqCst)).unwrap()
}

async fn upgrade(State(shared): State<Arc<Shared>>, upgrade: WebSocketUpgrade) -> Response {
    if !shared.open.load(Ordering::SeqCst) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    upgrade.on_upgrade(async move |socket| {
        // A reader may leave at any time.
        let _ = talk(&shared, socket).await;
    })
}

async fn say(socket: &mut WebSocket, word: &ToClient) -> Option<()> {
    socket.send(Message::text(serde_json::to_string(word).unwrap())).await.ok()
}

async fn talk(shared: &Shared, mut socket: WebSocket) -> Option<()> {
    let Message::Text(text) = socket.recv().await?.ok()? else { panic!("the first word is a wish") };
    let FromClient::Subscribe(wish) = serde_json::from_str(&text).unwrap() else { panic!("{text}") };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    wish.proof.as_ref().unwrap().verify(&wish.topic, &shared.domain, now).unwrap();
    let (held, mut says) = {
        let feed = shared.feed.lock().unwrap();
        shared.asked.lock().unwrap().push(wish.since);
        (feed.clone(), shared.says.subscribe())
    };
    let topic = wish.topic;
    let notice = |kind: &str| ToClient::Notice { topic: topic.clone(), kind: kind.into(), detail: String::new() };
    say(&mut socket, &notice("SUBSCRIBED")).await?;
    for event in held.into_iter().filter(|event| event.seq > wish.since) {
        say(&mut socket, &ToClient::News { topic: topic.clone(), event }).await?;
    }
    say(&mut socket, &notice("CURRENT")).await?;
    shared.served.fetch_add(1, Ordering::SeqCst);
    loop {
        tokio::select! {
            word = says.recv() => match word.unwrap() {
                Word::Say(word) => say(&mut socket, &word).await?,
                Word::Cut => return None,
            },
            heard = socket.recv() => drop(heard?.ok()?),
        }
    }
}
