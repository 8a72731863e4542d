//! A gateway of the test's own: honest by itself, lying where it is told to.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering},
};

use alloy_primitives::B256;
use axum::{
    Json, Router,
    extract::{
        Path, State,
        ws::{Message, WebSocket, WebSocketUpgrade},
    },
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::sync::broadcast;
use url::Url;
use wire::{
    Domain, JobEvent, JobNews,
    http::{FromClient, GpuJson, Health, Page, ReadyBody, ToClient},
};

/// Words on their way to one reader; more than any test says at once.
const WORDS_MAX: usize = 256;

#[derive(Clone)]
pub(crate) struct TestGateway {
    shared: Arc<Shared>,
    url: Url,
}

struct Shared {
    domain: Domain,
    gpus: Mutex<Vec<GpuJson>>,
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

async fn gpus(State(shared): State<Arc<Shared>>) -> Json<Page<GpuJson>> {
    Json(Page { items: shared.gpus.lock().unwrap().clone(), next_cursor: None })
}

async fn health(State(shared): State<Arc<Shared>>) -> Json<Health> {
    let Domain { chain_id, market } = shared.domain;
    Json(Health { status: "ok".into(), chain_id, market, agents: 1, blocks: 0 })
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
    wish.verify(&shared.domain, now).unwrap();
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
