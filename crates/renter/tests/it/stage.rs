//! A market with one listed resource, a renter, an agent played by the test and the test's gateway between them.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use alloy_primitives::{B256, aliases::U40};
use chain::{Account, MarketEvent, Mined, Wallet};
use market::{Amount, JobId, Needs, Outcome, PerHour, ResourceId, Seconds, Status, Timestamp};
use renter::{
    Acting, Controller, Ending, FollowConfig, JobFile, Order, Placed, Quote, Renter, RenterConfig, RenterError, Until,
    Update,
};
use testkit::{TestMarket, eventually};
use tokio::{task::JoinHandle, time::timeout};
use wire::{
    HardwareJson, JobNews, JobSpec, SignatureBytes, Terms, document,
    feed::{BeatJson, LogStream},
    http::{GpuJson, Money, Presence, ReadyBody},
    record::{CompletionRecord, ReadyRecord},
    signed::{Attest, Beat, Ready},
};

use crate::gateway::TestGateway;

/// Longer than anything here takes on a slow machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// A thousand units a second.
pub(crate) const PRICE: PerHour = PerHour(3_600_000);
/// Long enough for every move of block time here.
pub(crate) const DURATION: Seconds = Seconds(100_000);
/// A CID that is known to be one.
pub(crate) const CID: &str = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
/// The CID of nothing.
pub(crate) const OTHER_CID: &str = "bafkqaaa";

pub(crate) struct Stage {
    pub(crate) town: TestMarket,
    pub(crate) resource: ResourceId,
    pub(crate) gateway: TestGateway,
    pub(crate) renter: Renter,
    pub(crate) jobs_dir: tempfile::TempDir,
    /// A moment of the wall clock that is not long past.
    pub(crate) lately: u64,
}

/// What everybody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holdings {
    pub(crate) renter: Amount,
    pub(crate) owner: Amount,
    pub(crate) fees: Amount,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(|_| ()).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut FollowConfig)) -> Self {
        let town = Box::pin(TestMarket::start()).await.unwrap();
        let resource = town.list(PRICE).await.unwrap();
        // Covers the pay of every job of a test at once: payments are what moves blocks here.
        town.stake(resource, Amount(PRICE.0 * 100)).await.unwrap();
        let gateway = TestGateway::start(town.market.domain()).await;
        let jobs_dir = testkit::temp_dir();
        let mut follow = FollowConfig { retry: Duration::from_millis(20), ..FollowConfig::default() };
        change(&mut follow);
        let deployed_at = town.deployment.block;
        let config = RenterConfig { jobs_dir: jobs_dir.path().to_owned(), gateway: gateway.url(), deployed_at, follow };
        let renter = Renter::new(town.renter.clone(), config).unwrap();
        let lately = wall() - 300;
        let stage = Self { town, resource, gateway, renter, jobs_dir, lately };
        stage.gateway.set_gpus(vec![stage.gpu()]);
        stage
    }

    /// A renter of the same market and gateway with another wallet.
    pub(crate) fn renter_of(&self, account: Account) -> Renter {
        let config = RenterConfig {
            jobs_dir: self.jobs_dir.path().to_owned(),
            gateway: self.gateway.url(),
            deployed_at: self.town.deployment.block,
            follow: FollowConfig::default(),
        };
        Renter::new(account, config).unwrap()
    }

    /// The resource as an honest gateway lists it.
    pub(crate) fn gpu(&self) -> GpuJson {
        GpuJson {
            id: B256::from(self.resource.0),
            hardware: hardware(),
            source: "bourse".into(),
            provider: "1".into(),
            owner: self.town.owner.address(),
            agent: self.town.agent.address(),
            location: None,
            price_per_hour: Money::new(Amount(PRICE.0), self.town.market.token()),
            available: true,
            busy: false,
            status: Presence::Online,
            seen_at: None,
            uptime_bps: None,
            listed_at: "2027-01-01T00:00:00Z".parse().unwrap(),
        }
    }

    pub(crate) async fn quote(&self) -> Quote {
        self.renter.quote(&Needs::default(), DURATION).await.unwrap()
    }

    pub(crate) async fn place(&self) -> Job {
        self.place_with(Controller::Session).await
    }

    pub(crate) async fn place_with(&self, controller: Controller) -> Job {
        Job::new(self.renter.create(&self.order(controller).await).await.unwrap())
    }

    pub(crate) async fn order(&self, controller: Controller) -> Order {
        Order { quote: self.quote().await, spec: spec(), controller }
    }

    /// A job that is accepted, agreed to and started, with its renter following it.
    pub(crate) async fn running(&self) -> (Job, Following) {
        let job = self.place().await;
        let following = self.follow(&job);
        self.town.agent.accept_job(&job.terms).await.unwrap();
        self.stand_ready(&job);
        self.start(&job, 1).await;
        following.sees(|update| matches!(update, Update::Started { .. })).await;
        (job, following)
    }

    /// Tells the readiness record that an honest agent tells.
    pub(crate) fn stand_ready(&self, job: &Job) {
        let record = ready_record(job);
        let signature = self.attest(self.town.agent.wallet(), job, &record);
        self.gateway.tell(JobNews::JobReady { record, signature });
    }

    /// Starts the clock with the Ready that arrived as the `count`th.
    pub(crate) async fn start(&self, job: &Job, count: usize) -> Mined {
        let (of, body) = self.ready(count).await;
        assert_eq!(of, job.file.job_id);
        self.town.agent.start_job(&job.terms, body.ready_record, body.at, &body.signature).await.unwrap()
    }

    /// The Ready that arrives as the `count`th.
    pub(crate) async fn ready(&self, count: usize) -> (B256, ReadyBody) {
        eventually(PATIENCE, async || self.gateway.readies().get(count - 1).cloned()).await
    }

    /// Follows and acts, in the background.
    pub(crate) fn follow(&self, job: &Job) -> Following {
        self.follow_as(job, true)
    }

    pub(crate) fn follow_as(&self, job: &Job, acting: bool) -> Following {
        self.follow_with(job, acting, |_| ())
    }

    /// Follows, and does `then` after each update was seen: the follower goes on when that returns.
    pub(crate) fn follow_with(
        &self,
        job: &Job,
        acting: bool,
        then: impl Fn(&Update) + Send + Sync + 'static,
    ) -> Following {
        self.follow_for(job, spec(), acting, then)
    }

    /// Follows a job for which `spec` was ordered.
    pub(crate) fn follow_for(
        &self,
        job: &Job,
        spec: JobSpec,
        acting: bool,
        then: impl Fn(&Update) + Send + Sync + 'static,
    ) -> Following {
        self.follow_until(job, spec, (Until::Settled, if acting { Acting::Fully } else { Acting::Not }), then)
    }

    /// Follows as far, and doing as much, as is said.
    pub(crate) fn follow_until(
        &self,
        job: &Job,
        spec: JobSpec,
        (until, acting): (Until, Acting),
        then: impl Fn(&Update) + Send + Sync + 'static,
    ) -> Following {
        let updates = Arc::new(Mutex::new(Vec::new()));
        let (renter, file, told) = (self.renter.clone(), job.file.clone(), updates.clone());
        let task = tokio::spawn(async move {
            let on = &mut |update: Update| {
                told.lock().unwrap().push(update.clone());
                then(&update);
            };
            renter.follow(&file, &spec, until, acting, on).await
        });
        Following { task, updates }
    }

    pub(crate) fn attest(&self, wallet: &Wallet, job: &Job, record: &impl serde::Serialize) -> SignatureBytes {
        let digest = document(record).unwrap().digest;
        wallet.sign(&self.town.market.domain(), &Attest { jobId: job.file.job_id, digest }).unwrap()
    }

    /// A beat of `wallet` in the name of `agent` for `jobs`.
    pub(crate) fn beat_of(&self, wallet: &Wallet, jobs: Vec<B256>, at: u64) -> JobNews {
        let agent = self.town.agent.address();
        let beat =
            BeatJson { agent, at, jobs, utilisation_pct: 1, memory_mib: 2, temperature_c: 3, power_w: 4, uptime_s: 5 };
        let signature = wallet.sign(&self.town.market.domain(), &Beat::from(&beat)).unwrap();
        JobNews::JobBeat { beat, signature }
    }

    /// The agent's own beat, signed so many seconds after a moment that is not long past.
    pub(crate) fn beat(&self, job: &Job, at: u64) -> JobNews {
        self.beat_of(self.town.agent.wallet(), vec![job.file.job_id], self.lately + at)
    }

    /// Moves block time of a running job and waits until its follower has seen it: the payment that is processed
    /// afterwards stands in a later block.
    pub(crate) async fn passes(&self, by: Seconds, job: &Job, following: &Following) {
        let before = following.count(is_paid);
        self.town.advance(by).await.unwrap();
        self.town.agent.process_payment(&job.terms).await.unwrap();
        eventually(PATIENCE, async || (following.count(is_paid) > before).then_some(())).await;
    }

    /// Tells a line and waits until the follower has seen it, and with it everything told before.
    pub(crate) async fn is_heard(&self, following: &Following, line: &str) {
        self.gateway.tell(log(line));
        following.sees(|update| matches!(update, Update::Log { line: seen, .. } if seen == line)).await;
    }

    /// Ends the job on chain with the digest of `record` and tells the record as the agent does.
    pub(crate) async fn complete(&self, job: &Job, outcome: Outcome, record: &CompletionRecord) -> Mined {
        let digest = document(record).unwrap().digest;
        let mined = self.town.agent.complete_job(&job.terms, outcome, digest).await.unwrap();
        let signature = self.attest(self.town.agent.wallet(), job, record);
        self.gateway.tell(JobNews::JobCompleted { record: record.clone(), signature });
        mined
    }

    pub(crate) async fn status(&self, job: &Job) -> Status {
        self.town.market.job(job.id()).await.unwrap().status
    }

    pub(crate) async fn since(&self, job: &Job) -> Timestamp {
        self.town.market.job(job.id()).await.unwrap().since
    }

    pub(crate) async fn money(&self) -> Holdings {
        let market = &self.town.market;
        let (renter, owner) = (self.town.renter.address(), self.town.owner.address());
        Holdings {
            renter: market.token_balance(renter).await.unwrap(),
            owner: market.token_balance(owner).await.unwrap(),
            fees: market.fees().await.unwrap(),
        }
    }

    /// Checks that `ending` is what the chain logged, and, once nobody can dispute it any more, what really moved since
    /// `before`, to the last unit.
    pub(crate) async fn settled(&self, before: Holdings, ending: &Ending, events: &[MarketEvent]) {
        let locked = PRICE.cost(DURATION);
        let held = ending.fee.0 + ending.due.0;
        assert_eq!(ending.paid.0 + held + ending.refunded.0, locked.0, "every unit finds its place");
        let now = self.money().await;
        let (spent, got) = (before.renter.saturating_sub(now.renter), now.owner.saturating_sub(before.owner));
        assert_eq!((spent.0, got), (locked.0 - ending.refunded.0, ending.paid), "what nobody earned is back already");
        let terms = self.terms_of(events).await;
        self.town.advance(Seconds(3601)).await.unwrap();
        let finalized = self.town.stranger.finalize(&[terms]).await.unwrap();
        let after = self.money().await;
        let moved = (
            before.renter.saturating_sub(after.renter),
            after.owner.saturating_sub(before.owner),
            after.fees.saturating_sub(before.fees),
        );
        let total = ending.paid.saturating_add(ending.due);
        let fee = Amount(total.0 * 200 / 10_000);
        assert_eq!(moved, (total, total.saturating_sub(fee), fee));
        let ended = events.iter().find_map(|event| match event {
            MarketEvent::JobEnded { outcome, seconds, refunded, .. } => Some((Some(*outcome), *seconds, *refunded)),
            _ => None,
        });
        assert_eq!(ended, Some((ending.outcome, ending.seconds, ending.refunded)));
        let paid = finalized.events.iter().find_map(|event| match event {
            MarketEvent::JobFinalized { paid, fee, .. } => Some((*paid, *fee)),
            _ => None,
        });
        assert_eq!(paid, Some((moved.1, moved.2)));
    }

    /// The terms of the job that these events are about.
    async fn terms_of(&self, events: &[MarketEvent]) -> Terms {
        let job = events.iter().find_map(MarketEvent::job).unwrap();
        let history = self.town.market.history(job, 0, None).await.unwrap();
        let terms = history.into_iter().find_map(|(_, logged)| match logged.event {
            MarketEvent::JobCreated { terms, .. } => Some(*terms),
            _ => None,
        });
        terms.unwrap()
    }

    /// Checks that the job was cancelled and nobody gained or lost anything since `before`.
    pub(crate) async fn refunded(&self, before: Holdings, job: &Job) {
        assert_eq!(self.status(job).await, Status::Cancelled);
        assert_eq!(self.money().await, before);
    }
}

/// A placed job.
pub(crate) struct Job {
    pub(crate) file: JobFile,
    pub(crate) terms: Terms,
}

impl Job {
    fn new(placed: Placed) -> Self {
        Self { terms: placed.job.terms().unwrap(), file: placed.job }
    }

    pub(crate) fn id(&self) -> JobId {
        self.file.id()
    }
}

/// A renter who follows his job.
pub(crate) struct Following {
    task: JoinHandle<Result<Ending, RenterError>>,
    updates: Arc<Mutex<Vec<Update>>>,
}

impl Following {
    /// How the following ended.
    pub(crate) async fn end(self) -> Result<Ending, RenterError> {
        match timeout(PATIENCE, self.task).await {
            Ok(ended) => ended.unwrap(),
            Err(_) => panic!("does not end; seen: {:?}", self.updates.lock().unwrap()),
        }
    }

    /// Follows no further.
    pub(crate) async fn leave(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }

    /// Checks that it goes on for so long.
    pub(crate) async fn goes_on(&mut self, during: Duration) {
        if let Ok(ended) = timeout(during, &mut self.task).await {
            panic!("ended: {ended:?}");
        }
    }

    pub(crate) fn updates(&self) -> Vec<Update> {
        self.updates.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, is: impl Fn(&Update) -> bool) -> usize {
        self.updates.lock().unwrap().iter().filter(|update| is(update)).count()
    }

    /// Waits for an update.
    pub(crate) async fn sees(&self, is: impl Fn(&Update) -> bool) {
        eventually(PATIENCE, async || (self.count(&is) > 0).then_some(())).await;
    }

    /// Waits for a note with these words.
    pub(crate) async fn notes(&self, words: &str) {
        self.sees(|update| matches!(update, Update::Note(note) if note.contains(words))).await;
    }
}

/// The wall clock.
pub(crate) fn wall() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn is_paid(update: &Update) -> bool {
    matches!(update, Update::Paid { .. })
}

fn hardware() -> HardwareJson {
    HardwareJson {
        model: "test processor".into(),
        gpus: 0,
        vram_mib: 0,
        cpus: 2,
        memory_mib: 2048,
        disk_mib: 4096,
        simulated: false,
    }
}

/// A job with one input.
pub(crate) fn spec() -> JobSpec {
    let text = format!(
        r#"{{"version":1,"image":"{CID}","inputs":[{{"cid":"{OTHER_CID}","path":"a"}}],
            "resources":{{"cpus":1,"memoryMib":64,"diskMib":64}}}}"#
    );
    JobSpec::parse(text.as_bytes()).unwrap()
}

pub(crate) fn ready_record(job: &Job) -> ReadyRecord {
    ReadyRecord {
        job_id: job.file.job_id,
        image: CID.into(),
        image_id: "sha256:1".into(),
        inputs: vec![OTHER_CID.into()],
        container_id: "c0ffee".into(),
        hardware: hardware(),
    }
}

pub(crate) fn completion(job: &Job, exit_code: i64) -> CompletionRecord {
    CompletionRecord {
        job_id: job.file.job_id,
        exit_code: Some(exit_code),
        reason: None,
        result: Some(CID.into()),
        log: None,
        simulated: false,
    }
}

pub(crate) fn log(line: &str) -> JobNews {
    JobNews::JobLog { stream: LogStream::Stdout, line: line.into() }
}

/// What the session key must have signed for `body`.
pub(crate) fn consent(job: &Job, body: &ReadyBody) -> Ready {
    Ready { jobId: job.file.job_id, readyRecord: body.ready_record, at: U40::from(body.at) }
}
