//! A chain with a market, a gateway that also holds content, and an agent that can be killed and started again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use agent::{AgentConfig, AgentError, Offered};
use chain::{ChainConfig, EventStream, Item, MarketEvent, StreamConfig};
use content::image::{ImageConfig, ImageFile, LayerSource, build_image};
use content::{Block, BlockStore, ImageLimits, StoreConfig};
use market::{Amount, JobId, Mebibytes, Outcome, PerHour, Seconds, Status};
use tempfile::TempDir;
use testkit::{TestMarket, TestMarketConfig, eventually};
use tokio_util::sync::CancellationToken;
use url::Url;
use wire::record::CompletionRecord;
use wire::spec::Needs;
use wire::{JobEvent, JobNews, JobSpec, Network, Terms, document};

use crate::gateway::TestGateway;

/// Whatever is waited for comes within this time, on a busy machine too.
pub(crate) const LIMIT: Duration = Duration::from_secs(90);
/// Smallest units an hour: one a second.
pub(crate) const PRICE: PerHour = PerHour(3600);

pub(crate) struct Stage {
    pub(crate) town: TestMarket,
    pub(crate) gateway: TestGateway,
    pub(crate) state: TempDir,
    pub(crate) config: AgentConfig,
    image: String,
    before: Money,
}

/// What everybody has.
#[derive(Clone, Copy, Debug)]
struct Money {
    renter: Amount,
    owner: Amount,
    fees: Amount,
}

/// How a job ended on chain.
#[derive(Clone, Debug)]
pub(crate) struct Ending {
    pub(crate) outcome: Outcome,
    pub(crate) seconds: Seconds,
    pub(crate) digest: alloy_primitives::B256,
}

/// An agent in a runtime of its own, so that everything of it can be killed at once.
pub(crate) struct Running {
    runtime: Option<tokio::runtime::Runtime>,
    shutdown: CancellationToken,
    ended: tokio::task::JoinHandle<Result<(), AgentError>>,
}

impl Running {
    /// Ends the agent between two instructions: nothing is finished, closed or told.
    pub(crate) async fn kill(mut self) {
        let runtime = self.runtime.take();
        tokio::task::spawn_blocking(|| runtime.map(|runtime| runtime.shutdown_timeout(Duration::from_secs(10))))
            .await
            .unwrap();
    }

    /// Asks it to end and waits.
    pub(crate) async fn stop(mut self) -> Result<(), AgentError> {
        self.shutdown.cancel();
        let ended = (&mut self.ended).await.unwrap();
        self.kill().await;
        ended
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Nothing of it may go on while its traces are swept.
            drop(std::thread::spawn(move || runtime.shutdown_timeout(Duration::from_secs(10))).join());
        }
    }
}

/// A spec that needs little.
pub(crate) fn needs() -> Needs {
    Needs { gpu: None, gpus: 0, vram_mib: 0, cpus: 1, memory_mib: 64, disk_mib: 16 }
}

impl Stage {
    /// Everything but the agent.
    pub(crate) async fn new() -> Self {
        Self::with(TestMarketConfig::default()).await
    }

    /// The same in a market as configured.
    pub(crate) async fn with(market: TestMarketConfig) -> Self {
        // RUST_LOG=agent=debug shows what the agent does.
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        drop(tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init());
        let town = TestMarket::with(market).await.unwrap();
        let state = testkit::temp_dir();
        let store = Arc::new(BlockStore::open(state.path().join("source"), StoreConfig::default()).unwrap());
        let image = busybox(&store);
        let gateway = TestGateway::start(store, town.market.domain(), town.controller.clone()).await;
        let chain = ChainConfig::local(town.dev.rpc());
        let dir = state.path().join("agent");
        let config = AgentConfig {
            owner: Some(town.owner.wallet().clone()),
            gateway: Some(gateway.url()),
            heartbeat: Duration::from_millis(500),
            offered: Offered { cpus: None, memory: Some(Mebibytes(256)), disk: Some(Mebibytes(256)) },
            store_bytes_max: 1 << 30,
            fetch_within: Duration::from_secs(3),
            ..AgentConfig::new(dir, chain, town.market.address(), town.agent.wallet().clone(), PRICE)
        };
        let before = Money::of(&town).await;
        Self { town, gateway, state, config, image, before }
    }

    /// Starts the agent and waits until its listing stands and its link is up.
    pub(crate) async fn agent(&self) -> Running {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let shutdown = CancellationToken::new();
        let links = self.gateway.links();
        let ended = runtime.spawn(agent::run(self.config.clone(), shutdown.clone()));
        let mut running = Running { runtime: Some(runtime), shutdown, ended };
        if self.config.gateway.is_some() {
            eventually(LIMIT, async || (self.gateway.links() > links || running.ended.is_finished()).then_some(()))
                .await;
            if running.ended.is_finished() {
                panic!("the agent ended: {:?}", (&mut running.ended).await);
            }
        }
        running
    }

    /// A spec that runs a shell script in the busybox image.
    pub(crate) fn script(&self, script: &str) -> JobSpec {
        JobSpec {
            version: 1,
            image: self.image.clone(),
            command: vec![],
            args: vec![script.into()],
            env: Default::default(),
            inputs: vec![],
            outputs: true,
            resources: needs(),
            network: Network::None,
        }
    }

    /// Publishes the spec and orders the job for `seconds`.
    pub(crate) async fn order(&self, spec: &JobSpec, seconds: u32) -> (JobId, Terms) {
        self.order_digest(self.publish(spec), seconds).await
    }

    /// Puts the spec where the agent looks for it.
    pub(crate) fn publish(&self, spec: &JobSpec) -> alloy_primitives::B256 {
        let document = document(spec).unwrap();
        let block = Block::verified(document.cid, document.bytes).unwrap();
        self.gateway.store.put(block).unwrap();
        document.digest
    }

    pub(crate) async fn order_digest(&self, spec: alloy_primitives::B256, seconds: u32) -> (JobId, Terms) {
        let resource = self.gateway.resource();
        let terms = Terms { specDigest: spec, maxDuration: seconds, ..self.town.terms(resource, PRICE) };
        self.town.renter.create_job(&terms).await.unwrap();
        (self.town.market.job_id(&terms), terms)
    }

    /// Waits until the job's feed answers.
    pub(crate) async fn news<T>(&self, job: JobId, mut read: impl FnMut(&JobEvent) -> Option<T>) -> T {
        eventually(LIMIT, async || self.gateway.events(job).iter().find_map(&mut read)).await
    }

    /// Waits for the record of the end.
    pub(crate) async fn completed(&self, job: JobId) -> CompletionRecord {
        self.news(job, |event| match &event.news {
            JobNews::JobCompleted { record, .. } => Some(record.clone()),
            JobNews::JobDeclined { reason } => panic!("declined: {reason}"),
            _ => None,
        })
        .await
    }

    /// Waits for the refusal.
    pub(crate) async fn declined(&self, job: JobId) -> String {
        self.news(job, |event| match &event.news {
            JobNews::JobDeclined { reason } => Some(reason.clone()),
            JobNews::JobCompleted { record, .. } => panic!("completed: {record:?}"),
            _ => None,
        })
        .await
    }

    /// The lines that the program said, in order.
    pub(crate) fn lines(&self, job: JobId) -> Vec<String> {
        let lines = self.gateway.events(job).into_iter().filter_map(|event| match event.news {
            JobNews::JobLog { line, .. } => Some(line),
            _ => None,
        });
        lines.collect()
    }

    /// Waits until the program said `line`.
    pub(crate) async fn said(&self, job: JobId, line: &str) {
        eventually(LIMIT, async || self.lines(job).iter().any(|said| said == line).then_some(())).await;
    }

    /// Waits until everything is removed, and checks that it is.
    pub(crate) async fn cleaned_up(&self, job: JobId) {
        use wire::feed::Phase::Done;
        self.news(job, |event| (event.news == JobNews::JobStatusChanged { phase: Done }).then_some(())).await;
        assert_eq!(self.container(job).await, None, "the container is removed");
        let folder = self.config.state_dir.join("jobs").join(job.to_string());
        let left: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left.len(), 2, "record and journal stay: {left:?}");
    }

    pub(crate) async fn docker(&self) -> bollard::Docker {
        let socket = self.config.docker.to_str().unwrap();
        let docker = bollard::Docker::connect_with_unix(socket, 60, bollard::API_DEFAULT_VERSION).unwrap();
        docker.negotiate_version().await.unwrap()
    }

    /// The state of a job's container as the engine shows it; `None` where there is none.
    pub(crate) async fn container(&self, job: JobId) -> Option<String> {
        let found = self.docker().await.inspect_container(&container_name(job), None).await.ok()?;
        found.state.and_then(|state| state.status).map(|status| status.to_string())
    }

    /// How the job ended on chain.
    pub(crate) async fn ending(&self, job: JobId) -> Ending {
        let ending = self.history(job).await.into_iter().find_map(|event| match event {
            MarketEvent::JobEnded { outcome, seconds, result_digest: digest, .. } => {
                Some(Ending { outcome, seconds, digest })
            }
            _ => None,
        });
        ending.unwrap()
    }

    /// The digest of what stood ready when the job's clock started.
    pub(crate) async fn started(&self, job: JobId) -> alloy_primitives::B256 {
        let digest = self.history(job).await.into_iter().find_map(|event| match event {
            MarketEvent::JobStarted { ready_record, .. } => Some(ready_record),
            _ => None,
        });
        digest.unwrap()
    }

    /// Whether the job's clock was ever paused.
    pub(crate) async fn paused(&self, job: JobId) -> bool {
        self.history(job).await.iter().any(|event| matches!(event, MarketEvent::JobPaused { .. }))
    }

    /// What happened to the job on chain up to its end.
    async fn history(&self, job: JobId) -> Vec<MarketEvent> {
        let mut events = EventStream::new(self.town.market.clone(), 0, StreamConfig::default());
        let mut history = Vec::new();
        loop {
            let item = tokio::time::timeout(LIMIT, events.next()).await.unwrap().unwrap();
            let Item::Block(block) = item else { continue };
            let mine = block.events.into_iter().map(|logged| logged.event).filter(|event| event.job() == Some(job));
            history.extend(mine);
            if history.iter().any(|event| matches!(event, MarketEvent::JobEnded { .. })) {
                return history;
            }
        }
    }

    /// Everybody has what the contract's rule says for jobs of these seconds, once nobody can dispute them any more.
    pub(crate) async fn money_adds_up(&self, terms: &Terms, ending: &Ending) {
        let state = self.town.market.job(self.town.market.job_id(terms)).await.unwrap();
        assert!(state.status.is_over());
        assert_eq!(state.outcome, ending.outcome);
        if state.status == Status::Ended {
            self.town.advance(Seconds(3601)).await.unwrap();
            // The agent may be faster, where it runs.
            let settled = self.town.stranger.finalize(std::slice::from_ref(terms)).await;
            assert!(settled.is_ok() || matches!(settled, Err(chain::ChainError::Reverted(_))), "{settled:?}");
        }
        let settled = self.town.market.job(self.town.market.job_id(terms)).await.unwrap();
        assert_eq!(settled.status, Status::Final);
        let due = terms.stream(Seconds(0), state.fee).settle(ending.seconds, Seconds(0), ending.outcome);
        let after = Money::of(&self.town).await;
        assert_eq!(after.owner.0 - self.before.owner.0, due.paid.0, "the provider has what it earned");
        assert_eq!(after.fees.0 - self.before.fees.0, due.fee.0, "the platform has its share");
        assert_eq!(self.before.renter.0 - after.renter.0, due.paid.0 + due.fee.0, "the renter has the rest");
    }

    /// Nobody paid anything.
    pub(crate) async fn refunded_whole(&self, job: JobId) {
        assert_eq!(self.town.market.job(job).await.unwrap().status, Status::Cancelled);
        let after = Money::of(&self.town).await;
        assert_eq!((after.renter, after.owner), (self.before.renter, self.before.owner));
    }

    /// A file of the result, as it was delivered.
    pub(crate) fn result(&self, record: &CompletionRecord, path: &str) -> String {
        let root = content::parse_cid(record.result.as_ref().unwrap()).unwrap();
        let file = content::resolve(&self.gateway.store, &root, path).unwrap();
        String::from_utf8(content::read_small(&self.gateway.store, &file, 1 << 20).unwrap().to_vec()).unwrap()
    }

    /// The complete log, as it was delivered.
    pub(crate) fn log(&self, record: &CompletionRecord) -> String {
        let root = content::parse_cid(record.log.as_ref().unwrap()).unwrap();
        String::from_utf8(content::read_small(&self.gateway.store, &root, 32 << 20).unwrap().to_vec()).unwrap()
    }
}

impl Drop for Stage {
    /// A test that ends before its jobs do leaves neither containers nor mounts behind.
    fn drop(&mut self) {
        let socket = self.config.docker.clone();
        let label = format!("exchange.bourse.agent={}", self.config.agent.address());
        let swept = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(remove_labelled(&socket, label));
        });
        // What cannot be swept must not hide why the test failed.
        drop(swept.join());
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap_or_default();
        let state = self.state.path().to_string_lossy().into_owned();
        for place in mounts.lines().filter_map(|line| line.split(' ').nth(1)).filter(|place| place.starts_with(&state))
        {
            drop(std::process::Command::new("umount").arg("-l").arg(place).status());
        }
    }
}

async fn remove_labelled(socket: &std::path::Path, label: String) {
    use bollard::query_parameters::{ListContainersOptions, RemoveContainerOptions};
    let Ok(docker) = bollard::Docker::connect_with_unix(&socket.to_string_lossy(), 60, bollard::API_DEFAULT_VERSION)
    else {
        return;
    };
    let Ok(docker) = docker.negotiate_version().await else { return };
    let filters = Some([("label".to_owned(), vec![label])].into());
    let list = ListContainersOptions { all: true, filters, ..Default::default() };
    for container in docker.list_containers(Some(list)).await.unwrap_or_default() {
        let options = RemoveContainerOptions { force: true, v: true, ..Default::default() };
        drop(docker.remove_container(&container.id.unwrap_or_default(), Some(options)).await);
    }
}

impl Money {
    async fn of(town: &TestMarket) -> Self {
        let (renter, owner) = (town.renter.address(), town.owner.address());
        Self {
            renter: town.market.token_balance(renter).await.unwrap(),
            owner: town.market.token_balance(owner).await.unwrap(),
            fees: town.market.fees().await.unwrap(),
        }
    }
}

/// The name that the agent gives a job's container.
pub(crate) fn container_name(job: JobId) -> String {
    format!("bourse-{}", job.to_string().trim_start_matches("0x"))
}

fn busybox(store: &BlockStore) -> String {
    let file = ImageFile { source: "/bin/busybox".into(), path: "bin/busybox".into(), mode: 0o755 };
    let config = ImageConfig {
        entrypoint: ["/bin/busybox", "sh", "-c"].map(Into::into).into(),
        command: vec!["echo nothing to do".into()],
        ..ImageConfig::default()
    };
    build_image(store, &[LayerSource::Files(vec![file])], &config, &ImageLimits::default()).unwrap().root.to_string()
}

/// A source of content that changes a byte of every leaf that it serves.
pub(crate) async fn liar(store: Arc<BlockStore>) -> Url {
    use axum::extract::Path;
    let block = move |Path(cid): Path<String>| {
        let store = store.clone();
        async move {
            let mut bytes = store.require(&content::parse_cid(&cid).unwrap()).unwrap_or_default().to_vec();
            if let Some(byte) = bytes.last_mut() {
                *byte ^= 1;
            }
            ([("content-type", "application/vnd.ipld.raw")], bytes)
        }
    };
    let router = axum::Router::new().route("/ipfs/{cid}", axum::routing::get(block));
    crate::gateway::serve(router).await
}
