//! A provider who does not come in time gets nothing, and the renter everything back.

use market::{Seconds, Status};
use renter::Update;

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
