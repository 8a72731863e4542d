//! The watcher closes what its provider left past a deadline, and speaks for nobody whom another gateway hears.

use std::time::{Duration, Instant};

use gateway::GatewayConfig;
use market::{
    Outcome, Seconds, Status,
    rules::{ACCEPT_WITHIN, CLOSE_AFTER, DISPUTE_WINDOW, RESUME_WITHIN},
};
use wire::link::VERSION;

use crate::{
    sockets::{Agent, hello},
    stage::{Job, PATIENCE, Stage, until},
    watcher::{HEARTBEAT, LONG},
};

fn quick(config: &mut GatewayConfig) {
    config.heartbeat = HEARTBEAT;
}

impl Stage {
    /// Waits until the job is over; gives what of the lock went back to its renter.
    async fn over(&self, job: &Job, status: Status) -> u128 {
        until(async || self.store.job(job.id).await.unwrap().unwrap().status == status).await;
        let row = self.store.job(job.id).await.unwrap().unwrap();
        assert_eq!(row.ended_by, Some(self.town.watcher.address()), "by the watcher, and nobody else");
        row.refunded.0
    }
}

#[tokio::test]
async fn who_does_not_come_back_in_time_after_a_silence_loses_the_job() {
    let stage = Stage::watched(true, quick).await;
    let provider = stage.provider(1).await;
    let job = stage.watched_job(&provider).await;
    stage.is_silent(&job).await;
    // In time: nobody closes it.
    stage.town.advance(Seconds(RESUME_WITHIN.0 - 60)).await.unwrap();
    stage.indexed().await;
    let account = stage.agent(&provider).await;
    account.resume_job(&job.terms()).await.unwrap();
    stage.indexed().await;
    stage.is_silent(&job).await;
    stage.town.advance(Seconds(RESUME_WITHIN.0 + 5)).await.unwrap();
    assert!(stage.over(&job, Status::Ended).await > 0);
    assert_eq!(stage.market.job(job.id).await.unwrap().outcome, Outcome::Silent);
    // Nobody disputes it: the watcher settles it for good.
    stage.town.advance(Seconds(DISPUTE_WINDOW.0 + 5)).await.unwrap();
    assert!(stage.over(&job, Status::Final).await > 0);
}

#[tokio::test]
async fn what_was_never_accepted_or_never_collected_is_closed() {
    // Beats every minute: nothing is silent here.
    let stage = Stage::watched(true, |config| config.limits.chain_within = Duration::from_secs(20)).await;
    let (provider, other) = (stage.provider(1).await, stage.provider(1).await);
    let watcher = stage.town.watcher.address();
    let waiting = stage.created(&provider, watcher, None).await;
    let foreign = stage.created(&provider, stage.town.controller.address(), None).await;
    let running = stage.running(&other, watcher, None).await;
    stage.town.advance(Seconds(ACCEPT_WITHIN.0 + 5)).await.unwrap();
    assert!(stage.over(&waiting, Status::Cancelled).await > 0);
    assert_eq!(stage.status(&running).await, Status::Running);
    let end = u64::from(running.terms().maxDuration) + CLOSE_AFTER.0;
    stage.town.advance(Seconds(end)).await.unwrap();
    assert!(stage.over(&running, Status::Final).await > 0);
    assert_eq!(stage.status(&foreign).await, Status::Created, "others' jobs are left to them");
}

#[tokio::test]
async fn of_two_gateways_with_one_key_the_one_that_hears_the_agent_speaks() {
    let mut stage = Stage::watched(true, quick).await;
    let provider = stage.provider(1).await;
    stage.host = stage.twin(quick).await;
    let mut agent = Agent::welcome(&stage, &provider).await;
    let job = stage.watched_job(&provider).await;
    let began = Instant::now();
    stage.beats(&mut agent, &provider.agent, &job, async || began.elapsed() > LONG).await;
    assert_eq!(stage.status(&job).await, Status::Running, "the other one hears nothing and says nothing");
    drop(agent);
    stage.is_silent(&job).await;
    assert_eq!(stage.reports(&job).await, 1);
}

#[tokio::test]
async fn who_finds_no_room_here_is_not_silent() {
    let stage = Stage::watched(true, |config| {
        quick(config);
        config.limits.links = 1;
    })
    .await;
    let (provider, other) = (stage.provider(1).await, stage.provider(1).await);
    let _full = Agent::welcome(&stage, &other).await;
    let job = stage.watched_job(&provider).await;
    let began = Instant::now();
    until(async || {
        let mut agent = Agent::connect(&stage).await;
        let signer = &provider.agent;
        agent.line.say(&hello(&stage, signer, signer.address(), &provider.gpus, agent.nonce, VERSION)).await;
        agent.is_refused("as many agents as it takes").await;
        began.elapsed() > LONG
    })
    .await;
    assert_eq!(stage.status(&job).await, Status::Running);
    stage.is_silent(&job).await;
}

#[tokio::test]
async fn while_nobody_can_come_in_nobody_is_silent() {
    let stage = Stage::watched(true, |config| {
        quick(config);
        (config.limits.pending_links, config.limits.hello_within) = (1, PATIENCE);
    })
    .await;
    let provider = stage.provider(1).await;
    let pending = Agent::connect(&stage).await;
    let job = stage.watched_job(&provider).await;
    let began = Instant::now();
    until(async || stage.status(&job).await != Status::Running || began.elapsed() > LONG).await;
    assert_eq!(stage.status(&job).await, Status::Running);
    drop(pending);
    stage.is_silent(&job).await;
}
