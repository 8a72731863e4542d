//! A watcher as controller: the renter may leave, and comes back without a session key.

use alloy_primitives::{B256, aliases::U40};
use market::{Seconds, Status};
use renter::{Acting, Controller, RenterError, Stopped, Until, Update};
use wire::{document, signed::Ready};

use crate::stage::{Job, Stage, consent, ready_record, spec};

/// A stage whose gateway names the market's watcher, and a job of its.
async fn watched() -> (Stage, Job) {
    let stage = Stage::new().await;
    let watcher = stage.town.watcher.address();
    assert_eq!(stage.renter.watcher().await.unwrap(), None);
    stage.gateway.set_watcher(stage.town.stranger.address());
    assert_eq!(stage.renter.watcher().await.unwrap(), None, "the market does not know it");
    stage.gateway.set_watcher(watcher);
    assert_eq!(stage.renter.watcher().await.unwrap(), Some(watcher));
    let job = stage.place_with(Controller::Watcher(watcher)).await;
    assert!(job.file.is_watched());
    assert_eq!(job.terms.controller, watcher);
    (stage, job)
}

/// The watcher lets the clock start.
async fn started(stage: &Stage, job: &Job) {
    let now = stage.town.now().await.unwrap();
    let ready_record = document(&ready_record(job)).unwrap().digest;
    let ready = Ready { jobId: B256::from(job.id().0), readyRecord: ready_record, at: U40::saturating_from(now.0) };
    let signature = stage.town.watcher.wallet().sign(&stage.town.market.domain(), &ready).unwrap();
    stage.town.agent.start_job(&job.terms, ready_record, now.0, &signature).await.unwrap();
}

#[tokio::test]
async fn the_watcher_starts_it_and_the_renter_leaves_and_stops_it_later() {
    let (stage, job) = watched().await;
    let before = stage.money().await;
    let following = stage.follow_until(&job, spec(), (Until::Started, Acting::BesideWatcher), |_| ());
    stage.town.agent.accept_job(&job.terms).await.unwrap();
    stage.stand_ready(&job);
    following.sees(|update| matches!(update, Update::Ready(_))).await;
    following.sees(|update| matches!(update, Update::Accepted { .. })).await;
    stage.is_heard(&following, "it stands ready").await;
    assert!(stage.gateway.readies().is_empty(), "that is the watcher's");
    started(&stage, &job).await;
    assert_eq!(following.end().await.unwrap().status, Status::Running);
    assert_eq!(stage.money().await, before);
    assert_eq!(stage.renter.stop(&job.file).await.unwrap().0, Stopped::Stopped);
}

#[tokio::test]
async fn who_watches_himself_signs_with_the_key_that_pays() {
    let (stage, job) = watched().await;
    let following = stage.follow(&job);
    stage.town.agent.accept_job(&job.terms).await.unwrap();
    stage.stand_ready(&job);
    let (_, body) = stage.ready(1).await;
    let renter = stage.town.renter.address();
    stage.town.market.domain().verify(&consent(&job, &body), &body.signature, renter).unwrap();
    stage.start(&job, 1).await;
    following.sees(|update| matches!(update, Update::Started { .. })).await;
    // Twice the silence that a watcher allows, and only then.
    stage.gateway.tell(stage.beat(&job, 1));
    stage.is_heard(&following, "a beat").await;
    stage.passes(Seconds(400), &job, &following).await;
    assert_eq!(stage.status(&job).await, Status::Running);
    stage.town.advance(Seconds(100)).await.unwrap();
    let ending = following.end().await.unwrap();
    assert_eq!(ending.status, Status::Ended);
}

#[tokio::test]
async fn a_job_that_nobody_accepts_is_taken_back_beside_a_watcher_too() {
    let (stage, job) = watched().await;
    let following = stage.follow_until(&job, spec(), (Until::Started, Acting::BesideWatcher), |_| ());
    stage.town.advance(Seconds(601)).await.unwrap();
    assert_eq!(following.end().await.unwrap().status, Status::Cancelled);
}

#[tokio::test]
async fn a_watcher_that_the_market_does_not_know_gets_no_job() {
    let stage = Stage::new().await;
    let before = stage.money().await;
    let order = stage.order(Controller::Watcher(stage.town.stranger.address())).await;
    let err = stage.renter.create(&order).await.unwrap_err();
    assert!(matches!(err, RenterError::Untrue { what: "the watcher", .. }), "{err}");
    assert!(stage.renter.jobs().list().unwrap().is_empty());
    assert_eq!(stage.money().await, before);
}

#[tokio::test]
async fn without_a_session_key_only_the_renters_wallet_reads() {
    let (stage, job) = watched().await;
    stage.renter.feed(&job.file, 0).unwrap();
    let err = stage.renter_of(stage.town.stranger.clone()).feed(&job.file, 0).unwrap_err();
    assert!(err.to_string().contains(&stage.town.renter.address().to_string()), "{err}");
}
