//! The gateway as watcher: it lets clocks start, counts beats, reports silence, keeps records.

use std::time::{Duration, Instant};

use alloy_primitives::B256;
use chain::Wallet;
use gateway::GatewayConfig;
use market::{Outcome, Seconds, Status};
use wire::{
    document,
    feed::JobNews,
    link::FromGateway,
    record::{CompletionRecord, ReadyRecord},
    signed::{Attest, Ready},
};

use crate::{
    sockets::{Agent, beat_of, event, now, signed_beat},
    stage::{Job, Provider, Stage, until},
};

/// Four of these are a silence.
pub(crate) const HEARTBEAT: Duration = Duration::from_millis(250);
/// Longer than a silence and the time in which it is seen.
pub(crate) const LONG: Duration = Duration::from_millis(2500);

fn quick(config: &mut GatewayConfig) {
    config.heartbeat = HEARTBEAT;
}

impl Stage {
    pub(crate) async fn watched_job(&self, provider: &Provider) -> Job {
        self.running(provider, self.town.watcher.address(), None).await
    }

    pub(crate) async fn status(&self, job: &Job) -> Status {
        self.market.job(job.id).await.unwrap().status
    }

    pub(crate) async fn is_silent(&self, job: &Job) {
        until(async || self.status(job).await == Status::Silent).await;
    }

    /// Beats, named by the agent's clock one second after another, until `over`.
    pub(crate) async fn beats(
        &self,
        agent: &mut Agent,
        signer: &Wallet,
        job: &Job,
        mut over: impl AsyncFnMut() -> bool,
    ) {
        let mut at = now() - 100;
        until(async || {
            at += 1;
            agent.line.say(&beat_of(self, signer, at.min(now() + 60), &[job.id])).await;
            over().await
        })
        .await;
    }
}

#[tokio::test]
async fn a_record_that_is_as_ordered_starts_the_clock() {
    let stage = Stage::watched(true, quick).await;
    let provider = stage.provider(1).await;
    let mut agent = Agent::welcome(&stage, &provider).await;
    let job = stage.created(&provider, stage.town.watcher.address(), Some(stage.spec())).await;
    agent.announce(&job).await;
    let (ready, digest) = stage.ready(&provider, &job, 1, |_| ());
    agent.tell(&job, ready).await;
    let FromGateway::Ready { job: of, body } = agent.hear().await else { panic!("no Ready") };
    assert_eq!((of, body.ready_record), (job.hash(), digest));
    let at = alloy_primitives::aliases::U40::from(body.at);
    let ready = Ready { jobId: of, readyRecord: digest, at };
    stage.domain().verify(&ready, &body.signature, stage.town.watcher.address()).unwrap();
    let account = stage.agent(&provider).await;
    account.start_job(&job.terms(), digest, body.at, &body.signature).await.unwrap();
    assert_eq!(stage.status(&job).await, Status::Running);
}

#[tokio::test]
async fn a_record_that_is_not_as_ordered_is_not_signed() {
    let stage = Stage::watched(true, quick).await;
    let (provider, other) = (stage.provider(1).await, stage.provider(1).await);
    let mut agent = Agent::welcome(&stage, &provider).await;
    let (watcher, spec) = (stage.town.watcher.address(), Some(stage.spec()));
    let changes: [fn(&mut ReadyRecord); 8] = [
        |record| record.hardware.vram_mib = 511,
        |record| record.hardware.gpus = 0,
        |record| record.image = "bafkqaaa".into(),
        |record| record.inputs = vec!["bafkqaaa".into()],
        |record| record.job_id = B256::ZERO,
        // More than the listing has, another card, and one that is said to be real.
        |record| record.hardware.vram_mib = 2048,
        |record| record.hardware.model = "H100".into(),
        |record| record.hardware.simulated = false,
    ];
    for change in changes {
        let job = stage.created(&provider, watcher, spec).await;
        agent.announce(&job).await;
        agent.tell(&job, stage.ready(&provider, &job, 1, change).0).await;
    }
    // Right, but by another agent; and right, but for a job with another controller.
    let job = stage.created(&provider, watcher, spec).await;
    agent.announce(&job).await;
    agent.tell(&job, stage.ready(&other, &job, 1, |_| ()).0).await;
    let job = stage.created(&provider, stage.town.controller.address(), spec).await;
    agent.announce(&job).await;
    agent.tell(&job, stage.ready(&provider, &job, 1, |_| ()).0).await;

    // One after the other: when the second is signed, all that came before was looked at.
    for _ in 0..2 {
        let job = stage.created(&provider, watcher, spec).await;
        agent.announce(&job).await;
        let (ready, digest) = stage.ready(&provider, &job, 1, |_| ());
        agent.tell(&job, ready).await;
        let FromGateway::Ready { job: of, body } = agent.hear().await else { panic!("no Ready") };
        assert_eq!((of, body.ready_record), (job.hash(), digest), "nothing else is signed");
    }
}

#[tokio::test]
async fn a_silent_provider_is_reported_and_the_gap_until_it_resumes_is_not_billed() {
    let stage = Stage::watched(true, quick).await;
    let provider = stage.provider(1).await;
    let job = stage.watched_job(&provider).await;
    let mut agent = Agent::welcome(&stage, &provider).await;
    let began = Instant::now();
    stage.beats(&mut agent, &provider.agent, &job, async || began.elapsed() > LONG).await;
    assert_eq!(stage.status(&job).await, Status::Running, "who beats is not silent");
    let last_beat = stage.town.now().await.unwrap();

    stage.is_silent(&job).await;
    let stands = stage.market.job(job.id).await.unwrap().ended_at;
    assert!(stands >= last_beat && stands <= stage.town.now().await.unwrap(), "{stands:?} from {last_beat:?}");
    stage.town.advance(Seconds(300)).await.unwrap();
    let account = stage.agent(&provider).await;
    account.resume_job(&job.terms()).await.unwrap();
    let state = stage.market.job(job.id).await.unwrap();
    assert!(state.status == Status::Running && (300..310).contains(&state.paused.0), "{state:?}");
    let began = Instant::now();
    stage.beats(&mut agent, &provider.agent, &job, async || began.elapsed() > LONG).await;
    assert_eq!(stage.status(&job).await, Status::Running, "and goes on");

    let run = account.complete_job(&job.terms(), Outcome::Succeeded, B256::ZERO).await.unwrap();
    let state = stage.market.job(job.id).await.unwrap();
    let clock = run.timestamp.since(state.started_at).0;
    assert!(state.paid.0 <= clock - 300, "{} of {clock} s are paid", state.paid.0);
    assert_eq!(stage.reports(&job).await, 1, "one report for one silence");
}

#[tokio::test]
async fn a_chain_whose_time_jumps_makes_nobody_silent() {
    let stage = Stage::watched(true, quick).await;
    let provider = stage.provider(1).await;
    let job = stage.watched_job(&provider).await;
    let mut agent = Agent::welcome(&stage, &provider).await;
    let began = Instant::now();
    let mut jumps = 0;
    stage
        .beats(&mut agent, &provider.agent, &job, async || {
            if jumps < 5 && began.elapsed() > jumps * LONG / 5 {
                jumps += 1;
                stage.town.advance(Seconds(500)).await.unwrap();
            }
            began.elapsed() > LONG
        })
        .await;
    assert_eq!(stage.status(&job).await, Status::Running);
}

#[tokio::test]
async fn what_a_gateway_could_not_hear_does_not_count() {
    let mut stage = Stage::watched(true, quick).await;
    let provider = stage.provider(1).await;
    let job = stage.watched_job(&provider).await;
    let mut agent = Agent::welcome(&stage, &provider).await;
    let began = Instant::now();
    stage.beats(&mut agent, &provider.agent, &job, async || began.elapsed() > HEARTBEAT).await;
    drop(agent);
    let five_minutes = chain_time(&stage);
    stage.restart(five_minutes, quick).await;
    let up = stage.town.now().await.unwrap();
    // The agent does not come back: that is a silence, but only from here on.
    stage.is_silent(&job).await;
    let stands = stage.market.job(job.id).await.unwrap().ended_at;
    assert!(stands >= up, "{stands:?} is before {up:?}");
    assert_eq!(stage.reports(&job).await, 1);
}

#[tokio::test]
async fn forged_beats_do_not_count() {
    let stage = Stage::watched(true, quick).await;
    let (provider, other) = (stage.provider(1).await, stage.provider(1).await);
    let job = stage.watched_job(&provider).await;
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.announce(&job).await;
    let mut liar = Agent::welcome(&stage, &other).await;
    let own = stage.job(&provider, 7);
    let (mut at, mut seq) = (now() - 100, 0);
    until(async || {
        (at, seq) = (at + 1, seq + 1);
        let at = at.min(now() + 60);
        // Another provider's agent names the job.
        liar.line.say(&beat_of(&stage, &other.agent, at, &[job.id])).await;
        // The right agent beats, but for another job; and passes on a beat that another key signed.
        agent.line.say(&beat_of(&stage, &provider.agent, at, &[own.id])).await;
        let (mut beat, signature) = signed_beat(&stage, &other.agent, at, &[job.id]);
        beat.agent = provider.agent.address();
        agent.tell(&job, event(seq, JobNews::JobBeat { beat, signature })).await;
        stage.status(&job).await == Status::Silent
    })
    .await;
}

#[tokio::test]
async fn the_beats_of_a_job_s_own_news_count_too() {
    let stage = Stage::watched(true, quick).await;
    let provider = stage.provider(1).await;
    let job = stage.watched_job(&provider).await;
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.announce(&job).await;
    let (mut at, mut seq, began) = (now() - 300, 0, Instant::now());
    until(async || {
        (at, seq) = (at + 1, seq + 1);
        let (beat, signature) = signed_beat(&stage, &provider.agent, at, &[job.id]);
        agent.tell(&job, event(seq, JobNews::JobBeat { beat, signature })).await;
        began.elapsed() > LONG
    })
    .await;
    assert_eq!(stage.status(&job).await, Status::Running);
    stage.is_silent(&job).await;
}

#[tokio::test]
async fn jobs_that_others_control_are_left_to_them() {
    let stage = Stage::watched(true, quick).await;
    let (provider, other) = (stage.provider(1).await, stage.provider(1).await);
    // The market lets this key report any job: it is an oracle's.
    let foreign = stage.running(&other, stage.town.controller.address(), None).await;
    let own = stage.watched_job(&provider).await;
    stage.is_silent(&own).await;
    assert_eq!(stage.status(&foreign).await, Status::Running);
    assert_eq!(stage.reports(&foreign).await, 0);
}

#[tokio::test]
async fn the_record_of_an_end_is_kept_under_the_digest_that_stands_on_chain() {
    // This needs no key: it is any job's.
    let stage = Stage::new(quick).await;
    let provider = stage.provider(1).await;
    let job = stage.running(&provider, stage.town.controller.address(), None).await;
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.announce(&job).await;
    let record = |exit_code| CompletionRecord {
        job_id: job.hash(),
        exit_code: Some(exit_code),
        reason: None,
        result: None,
        log: None,
        simulated: true,
    };
    let (right, wrong) = (document(&record(0)).unwrap(), document(&record(1)).unwrap());
    let account = stage.agent(&provider).await;
    account.complete_job(&job.terms(), Outcome::Succeeded, right.digest).await.unwrap();
    for (seq, exit_code) in [(1, 1), (2, 0)] {
        let digest = document(&record(exit_code)).unwrap().digest;
        let signature = provider.agent.sign(&stage.domain(), &Attest { jobId: job.hash(), digest }).unwrap();
        agent.tell(&job, event(seq, JobNews::JobCompleted { record: record(exit_code), signature })).await;
    }
    until(async || stage.blocks.is_pinned(&right.cid)).await;
    assert_eq!(stage.get(&format!("/ipfs/{}", right.cid)).await.body, right.bytes);
    assert!(!stage.blocks.has(&wrong.cid));
}

/// Moves the chain's time on by five minutes.
fn chain_time(stage: &Stage) -> impl Future<Output = ()> + use<> {
    let rpc = stage.town.dev.rpc().clone();
    async move {
        let client = reqwest::Client::new();
        for call in [
            serde_json::json!({ "jsonrpc": "2.0", "id": 1, "method": "evm_increaseTime", "params": [300] }),
            serde_json::json!({ "jsonrpc": "2.0", "id": 2, "method": "evm_mine", "params": [] }),
        ] {
            client
                .post(rpc.clone())
                .body(call.to_string())
                .header("content-type", "application/json")
                .send()
                .await
                .unwrap();
        }
    }
}

impl Stage {
    /// How often the job's silence was reported.
    pub(crate) async fn reports(&self, job: &Job) -> usize {
        let logged = self.market.history(job.id, 0, None).await.unwrap();
        logged.iter().filter(|(_, logged)| matches!(logged.event, chain::MarketEvent::JobSilent { .. })).count()
    }
}
