//! The two WebSockets as their other ends use them.

use std::time::{SystemTime, UNIX_EPOCH};

use alloy_primitives::{Address, B256, aliases::U40};
use chain::Wallet;
use futures_util::{SinkExt, StreamExt};
use market::JobId;
use serde::{Serialize, de::DeserializeOwned};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{ClientRequestBuilder, Message},
};
use wire::{
    SignatureBytes,
    feed::{BeatJson, JobEvent, JobNews, LogStream, Phase},
    http::{FromClient, ProviderEvent, Subscribe, ToClient, WatchProof},
    link::{Announced, FromAgent, FromGateway, PATH, VERSION},
    signed,
};

use crate::stage::{Job, PATIENCE, Provider, Stage};

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A WebSocket.
pub(crate) struct Line(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Line {
    pub(crate) async fn open(stage: &Stage, path: &str) -> Self {
        let (socket, _) = connect_async(format!("ws://{}{path}", stage.host)).await.unwrap();
        Self(socket)
    }

    /// With these headers; the status where it is refused.
    pub(crate) async fn with(stage: &Stage, path: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let mut request = ClientRequestBuilder::new(format!("ws://{}{path}", stage.host).parse().unwrap());
        for (name, value) in headers {
            request = request.with_header(*name, *value);
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tokio_tungstenite::tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{error}"),
        }
    }

    /// The next text as it came.
    pub(crate) async fn text(&mut self) -> String {
        let next = async {
            loop {
                if let Message::Text(text) = self.0.next().await.unwrap().unwrap() {
                    return text.to_string();
                }
            }
        };
        timeout(PATIENCE, next).await.unwrap()
    }

    pub(crate) async fn say(&mut self, document: &impl Serialize) {
        self.say_text(serde_json::to_string(document).unwrap()).await;
    }

    pub(crate) async fn say_text(&mut self, text: String) {
        timeout(PATIENCE, self.0.send(Message::text(text))).await.unwrap().unwrap();
    }

    /// The next document, or the reason of the close frame.
    pub(crate) async fn hear<T: DeserializeOwned>(&mut self) -> Result<T, String> {
        // Over all messages: pings must not keep a test waiting for ever.
        timeout(PATIENCE, self.next()).await.unwrap()
    }

    async fn next<T: DeserializeOwned>(&mut self) -> Result<T, String> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(frame))) => return Err(frame.unwrap().reason.to_string()),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.to_string()),
                None => return Err("closed".into()),
            }
        }
    }
}

/// The agent's end of its link.
pub(crate) struct Agent {
    pub(crate) line: Line,
    pub(crate) nonce: B256,
}

impl Agent {
    /// Connected, challenged.
    pub(crate) async fn connect(stage: &Stage) -> Self {
        let mut line = Line::open(stage, PATH).await;
        let challenge = line.hear().await.unwrap();
        let FromGateway::Challenge { nonce, chain_id, market } = challenge else { panic!("{challenge:?}") };
        assert_eq!((chain_id, market), (stage.domain().chain_id, stage.domain().market));
        Self { line, nonce }
    }

    /// Connected and welcome.
    pub(crate) async fn welcome(stage: &Stage, provider: &Provider) -> Self {
        let mut agent = Self::connect(stage).await;
        let hello = hello(stage, &provider.agent, provider.agent.address(), &provider.gpus, agent.nonce, VERSION);
        agent.line.say(&hello).await;
        assert_eq!(agent.hear().await, FromGateway::Welcome {});
        agent
    }

    pub(crate) async fn hear(&mut self) -> FromGateway {
        self.line.hear().await.unwrap()
    }

    /// Checks that it is refused with a reason that contains `words`, and that the connection ends.
    pub(crate) async fn is_refused(&mut self, words: &str) {
        let said = self.hear().await;
        let FromGateway::Refused { reason } = &said else { panic!("{said:?}") };
        assert!(reason.contains(words), "{reason:?} should contain {words:?}");
        self.line.hear::<FromGateway>().await.unwrap_err();
    }

    /// Announces a job and gives what the gateway holds of it.
    pub(crate) async fn announce(&mut self, job: &Job) -> u64 {
        self.line.say(&FromAgent::Job { terms: job.terms.clone() }).await;
        self.have(job).await
    }

    pub(crate) async fn have(&mut self, job: &Job) -> u64 {
        let said = self.hear().await;
        let FromGateway::Have { job: id, seq } = said else { panic!("{said:?}") };
        assert_eq!(id, job.hash());
        seq
    }

    pub(crate) async fn tell(&mut self, job: &Job, event: JobEvent) {
        self.line.say(&FromAgent::Event { job: job.hash(), event }).await;
    }

    /// Log lines with these numbers.
    pub(crate) async fn log(&mut self, job: &Job, numbers: impl IntoIterator<Item = u64>) {
        for seq in numbers {
            self.tell(job, line(seq, &format!("line {seq}"))).await;
        }
    }

    /// Waits until the gateway has heard everything said so far.
    pub(crate) async fn is_heard(&mut self, job: &Job) -> u64 {
        self.announce(job).await
    }
}

pub(crate) fn hello(
    stage: &Stage,
    signer: &Wallet,
    agent: Address,
    gpus: &[Announced],
    nonce: B256,
    version: u32,
) -> FromAgent {
    let resources = gpus.iter().map(|gpu| gpu.id).collect();
    let gateway = stage.url("");
    let signature = signer.sign(&stage.domain(), &signed::Hello { nonce, gateway, agent, resources }).unwrap();
    FromAgent::Hello { version, agent, resources: gpus.to_vec(), signature }
}

pub(crate) fn beat(stage: &Stage, signer: &Wallet, at: u64) -> FromAgent {
    beat_of(stage, signer, at, &[])
}

/// A beat that names these jobs.
pub(crate) fn beat_of(stage: &Stage, signer: &Wallet, at: u64, jobs: &[JobId]) -> FromAgent {
    let (beat, signature) = signed_beat(stage, signer, at, jobs);
    FromAgent::Beat { beat, signature }
}

pub(crate) fn signed_beat(stage: &Stage, signer: &Wallet, at: u64, jobs: &[JobId]) -> (BeatJson, SignatureBytes) {
    let beat = BeatJson {
        agent: signer.address(),
        at,
        jobs: jobs.iter().map(|job| B256::from(job.0)).collect(),
        utilisation_pct: 1,
        memory_mib: 2,
        temperature_c: 3,
        power_w: 4,
        uptime_s: 5,
    };
    let signature = signer.sign(&stage.domain(), &signed::Beat::from(&beat)).unwrap();
    (beat, signature)
}

pub(crate) fn line(seq: u64, line: &str) -> JobEvent {
    event(seq, JobNews::JobLog { stream: LogStream::Stdout, line: line.into() })
}

pub(crate) fn phase(seq: u64, phase: Phase) -> JobEvent {
    event(seq, JobNews::JobStatusChanged { phase })
}

pub(crate) fn event(seq: u64, news: JobNews) -> JobEvent {
    JobEvent { seq, at: "2027-01-01T00:00:00Z".parse().unwrap(), news }
}

/// A client of `/api/v1/ws`.
pub(crate) struct Reader(pub(crate) Line);

impl Reader {
    pub(crate) async fn connect(stage: &Stage) -> Self {
        Self(Line::open(stage, "/api/v1/ws").await)
    }

    /// Subscribed as the controller, with everything held heard: `news` gives it.
    pub(crate) async fn follow(stage: &Stage, job: &Job, since: u64) -> Self {
        let mut reader = Self::connect(stage).await;
        reader.subscribe(stage, job, &job.controller, since, now()).await;
        assert_eq!(reader.notice(job).await.0, "SUBSCRIBED");
        reader
    }

    pub(crate) async fn subscribe(&mut self, stage: &Stage, job: &Job, signer: &Wallet, since: u64, at: u64) {
        let watch = signed::Watch { jobId: job.hash(), at: U40::from(at) };
        let signature = signer.sign(&stage.domain(), &watch).unwrap();
        let topic = format!("job:{}", job.id);
        let proof = Some(WatchProof { terms: job.terms.clone(), at, signature });
        let wish = Subscribe { topic, since, proof };
        self.0.say(&FromClient::Subscribe(wish)).await;
    }

    pub(crate) async fn hear(&mut self) -> ToClient {
        self.0.hear().await.unwrap()
    }

    /// Kind and detail of a notice about `job`.
    pub(crate) async fn notice(&mut self, job: &Job) -> (String, String) {
        let said = self.hear().await;
        let ToClient::Notice { topic, kind, detail } = said else { panic!("{said:?}") };
        assert_eq!(topic, format!("job:{}", job.id));
        (kind, detail)
    }

    /// Everything until `CURRENT`, as numbers, with notices by their kind.
    pub(crate) async fn held(&mut self) -> Vec<String> {
        let mut held = Vec::new();
        loop {
            match self.hear().await {
                ToClient::Notice { kind, .. } if kind == "CURRENT" => return held,
                ToClient::Notice { kind, .. } => held.push(kind),
                ToClient::News { event, .. } => held.push(event.seq.to_string()),
                ToClient::Provider { event, .. } => held.push(event.seq.to_string()),
                ToClient::Account { event, .. } => held.push(event.seq.to_string()),
            }
        }
    }

    /// Subscribed without a proof.
    pub(crate) async fn ask(&mut self, topic: &str, since: u64) -> (String, String) {
        self.0.say(&FromClient::Subscribe(Subscribe { topic: topic.into(), since, proof: None })).await;
        let said = self.hear().await;
        let ToClient::Notice { kind, detail, .. } = said else { panic!("{said:?}") };
        (kind, detail)
    }

    /// The next news of a provider.
    pub(crate) async fn of_provider(&mut self) -> ProviderEvent {
        loop {
            match self.hear().await {
                ToClient::Provider { event, .. } => return event,
                ToClient::Notice { kind, .. } if kind == "CURRENT" => {}
                said => panic!("{said:?}"),
            }
        }
    }

    /// The numbers of the next `count` news.
    pub(crate) async fn news(&mut self, job: &Job, count: usize) -> Vec<u64> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            let said = self.hear().await;
            let ToClient::News { topic, event } = said else { panic!("{said:?}") };
            assert_eq!(topic, format!("job:{}", job.id));
            numbers.push(event.seq);
        }
        numbers
    }
}
