//! A provider who does not come in time gets nothing, and the renter everything back.

use alloy_primitives::aliases::{U24, U40};
use market::{Outcome, Seconds, Status};
use renter::Update;
use wire::signed::Extend;

use crate::stage::{DURATION, PRICE, Stage};

#[tokio::test]
async fn nobody_accepts() {
    let stage = Stage::new().await;
    let before = stage.money().await;
    let job = stage.place().await;
    let created = stage.since(&job).await;
    let following = stage.follow(&job);
    stage.town.advance(Seconds(590)).await.unwrap();
    stage.is_heard(&following, "five to ten").await;
    stage.town.advance(Seconds(20)).await.unwrap();
    let ending = following.end().await.unwrap();
    assert_eq!((ending.outcome, ending.refunded), (None, PRICE.cost(DURATION)));
    stage.refunded(before, &job).await;
    assert!(stage.since(&job).await.since(created) > Seconds(600), "not before its time");
}

#[tokio::test]
async fn accepted_and_never_started() {
    let stage = Stage::new().await;
    let before = stage.money().await;
    let job = stage.place().await;
    let following = stage.follow(&job);
    stage.town.agent.accept_job(&job.terms).await.unwrap();
    let accepted = stage.since(&job).await;
    stage.stand_ready(&job);
    let (_, first) = stage.ready(1).await;
    stage.town.advance(Seconds(700)).await.unwrap();
    // Agreed to once more with the newer time: the older consent is no longer good.
    let (_, second) = stage.ready(2).await;
    assert!(second.at >= first.at + 700, "{first:?} {second:?}");
    assert_eq!(stage.status(&job).await, Status::Accepted);
    stage.town.advance(Seconds(2_950)).await.unwrap();
    let updates = following.end().await.unwrap();
    assert_eq!((updates.outcome, updates.refunded), (None, PRICE.cost(DURATION)));
    stage.refunded(before, &job).await;
    assert!(stage.since(&job).await.since(accepted) > Seconds(3600), "not before its time");
    assert!(!stage.town.market.resource(stage.resource).await.unwrap().unwrap().busy, "free for others");
}

#[tokio::test]
async fn a_provider_who_leaves_the_clock_running_past_its_end_is_closed() {
    let stage = Stage::new().await;
    let before = stage.money().await;
    let (job, following) = stage.running().await;
    stage.gateway.close();
    following.notes("lost the gateway").await;
    stage.passes(Seconds(1000), &job, &following).await;
    stage.town.advance(Seconds(DURATION.0 + 7200)).await.unwrap();
    following.sees(|update| matches!(update, Update::Ended(_))).await;
    let ending = following.end().await.unwrap();
    assert_eq!(ending.outcome, Some(market::Outcome::Silent));
    assert!(ending.seconds < Seconds(1100), "only what was collected is paid: {ending:?}");
    assert_eq!(before.renter.saturating_sub(stage.money().await.renter), PRICE.cost(ending.seconds));
}

#[tokio::test]
async fn the_clocks_end_is_reckoned_from_totals() {
    let stage = Stage::new().await;
    let (job, following) = stage.running().await;
    stage.gateway.close();
    following.notes("lost the gateway").await;
    for extra in [1_000, 3_000] {
        let expiry = stage.town.now().await.unwrap().after(Seconds(600));
        let statement = Extend { jobId: job.file.job_id, extraSeconds: U24::from(extra), expiry: U40::from(expiry.0) };
        let signature = stage.town.agent.wallet().sign(&stage.town.market.domain(), &statement).unwrap();
        stage.town.renter.extend_job(&job.terms, Seconds(extra), expiry, &signature).await.unwrap();
    }
    for _ in 0..2 {
        stage.town.agent.pause_job(&job.terms).await.unwrap();
        stage.town.advance(Seconds(250)).await.unwrap();
        stage.town.agent.resume_job(&job.terms).await.unwrap();
    }
    let state = stage.town.market.job(job.id()).await.unwrap();
    assert!(state.paused >= Seconds(500) && state.paused < Seconds(600), "{state:?}");
    let end = state.started_at.after(DURATION).after(Seconds(3_000)).after(state.paused);
    let close = end.after(Seconds(7_200));
    let left = close.since(stage.town.now().await.unwrap());
    stage.passes(Seconds(left.0 - 60), &job, &following).await;
    assert_eq!(stage.status(&job).await, Status::Running);
    stage.town.advance(Seconds(70)).await.unwrap();
    assert_eq!(following.end().await.unwrap().outcome, Some(Outcome::Silent));
    let ended = stage.since(&job).await;
    assert!(ended > close && ended < close.after(Seconds(60)), "{ended:?} {close:?}");
}

#[tokio::test]
async fn pauses_are_a_day_in_all() {
    let stage = Stage::new().await;
    let (job, following) = stage.running().await;
    stage.town.agent.pause_job(&job.terms).await.unwrap();
    stage.town.advance(Seconds(40_000)).await.unwrap();
    stage.town.agent.resume_job(&job.terms).await.unwrap();
    stage.town.agent.pause_job(&job.terms).await.unwrap();
    stage.town.advance(Seconds(46_000)).await.unwrap();
    stage.is_heard(&following, "paused still").await;
    assert_eq!(stage.status(&job).await, Status::Paused);
    stage.town.advance(Seconds(450)).await.unwrap();
    let ending = following.end().await.unwrap();
    assert_eq!((ending.status, ending.outcome), (Status::Ended, Some(Outcome::AbortedByProvider)));
    assert!(ending.seconds < Seconds(100), "{ending:?}");
}
