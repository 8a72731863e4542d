//! The renter's own end of a job is the one that costs him least.

use alloy_primitives::U256;
use chain::{Account, SendConfig, Wallet};
use market::{Amount, Outcome, Seconds, Status};
use renter::{RenterError, Stopped};

use crate::stage::{DURATION, Job, PRICE, Stage};

/// A running job that nobody follows.
async fn unwatched(stage: &Stage) -> Job {
    stage.gateway.forget();
    let done = stage.gateway.readies().len();
    let job = stage.place().await;
    let following = stage.follow(&job);
    stage.stand_ready(&job);
    stage.start(&job, done + 1).await;
    following.leave().await;
    job
}

/// The job's controller, registered as a watcher.
async fn watcher(stage: &Stage, job: &Job) -> Account {
    let session = Wallet::from_hex(job.file.session_key.as_ref().unwrap()).unwrap();
    stage.town.deployer.set_watcher(session.address(), true).await.unwrap();
    stage.town.dev.fund(session.address(), U256::from(10).pow(U256::from(18))).await.unwrap();
    Account::new(stage.town.market.clone(), session, SendConfig::default())
}

/// Stops the job and gives what was done and what the job cost in all since the renter held `before`.
async fn stop(stage: &Stage, job: &Job, before: Amount) -> (Stopped, Amount) {
    let (how, _) = stage.renter.stop(&job.file).await.unwrap();
    (how, before.saturating_sub(stage.money().await.renter))
}

#[tokio::test]
async fn before_the_clock_everything_comes_back() {
    let stage = Stage::new().await;
    for accepted in [false, true] {
        let before = stage.money().await;
        let job = stage.place().await;
        if accepted {
            stage.town.agent.accept_job(&job.terms).await.unwrap();
        }
        assert_eq!(stop(&stage, &job, before.renter).await, (Stopped::Cancelled, Amount::ZERO));
        stage.refunded(before, &job).await;
    }
}

#[tokio::test]
async fn a_clock_that_runs_is_stopped_and_paid_up_to_now() {
    let stage = Stage::new().await;
    let before = stage.money().await.renter;
    let job = unwatched(&stage).await;
    stage.town.advance(Seconds(DURATION.0 + 7_000)).await.unwrap();
    assert_eq!(stop(&stage, &job, before).await, (Stopped::Stopped, PRICE.cost(DURATION)));
    let err = stage.renter.stop(&job.file).await.unwrap_err();
    assert!(matches!(err, RenterError::Chain(_)), "it is over: {err}");
}

#[tokio::test]
async fn a_provider_that_never_collected_gets_no_more_than_it_took() {
    let stage = Stage::new().await;
    let before = stage.money().await.renter;
    let job = unwatched(&stage).await;
    stage.town.advance(Seconds(500)).await.unwrap();
    stage.town.agent.process_payment(&job.terms).await.unwrap();
    let paid = stage.town.market.job(job.id()).await.unwrap().paid;
    assert!(paid >= Seconds(500) && paid < Seconds(600), "{paid}");
    stage.town.advance(Seconds(DURATION.0 + 7_200)).await.unwrap();
    assert_eq!(stop(&stage, &job, before).await, (Stopped::Closed, PRICE.cost(paid)));
    assert_eq!(stage.town.market.job(job.id()).await.unwrap().outcome, Outcome::Silent);
}

#[tokio::test]
async fn a_silence_and_a_pause_that_are_too_long_are_closed() {
    let stage = Stage::new().await;
    for (long, how) in [(false, Stopped::Stopped), (true, Stopped::Closed)] {
        let before = stage.money().await.renter;
        let job = unwatched(&stage).await;
        stage.town.advance(Seconds(300)).await.unwrap();
        let now = stage.town.now().await.unwrap();
        watcher(&stage, &job).await.report_silence(&job.terms, now).await.unwrap();
        stage.town.advance(Seconds(if long { 601 } else { 500 })).await.unwrap();
        let (did, cost) = stop(&stage, &job, before).await;
        assert_eq!(did, how);
        assert!(cost >= PRICE.cost(Seconds(300)) && cost < PRICE.cost(Seconds(400)), "{cost:?}");

        let job = unwatched(&stage).await;
        stage.town.agent.pause_job(&job.terms).await.unwrap();
        stage.town.advance(Seconds(if long { 86_401 } else { 86_000 })).await.unwrap();
        assert_eq!(stage.renter.stop(&job.file).await.unwrap().0, how);
        let outcome = if long { Outcome::AbortedByProvider } else { Outcome::StoppedByRenter };
        assert_eq!(stage.town.market.job(job.id()).await.unwrap().outcome, outcome);
        assert_eq!(stage.status(&job).await, Status::Ended);
    }
}
