//! What a reorganisation takes back never happened: the job is followed as it is.

use std::time::Duration;

use market::{Outcome, Status};
use renter::Update;
use wire::document;

use crate::stage::{Stage, completion};

#[tokio::test]
async fn a_start_that_is_taken_back_is_agreed_to_again() {
    let stage = Stage::new().await;
    let before = stage.money().await;
    let (job, following) = stage.running().await;
    stage.town.dev.reorg(1).await.unwrap();
    following.notes("the chain reorganised").await;
    assert_eq!(stage.status(&job).await, Status::Accepted);
    stage.town.advance(market::Seconds(10)).await.unwrap();
    stage.start(&job, 2).await;
    stage.is_heard(&following, "second start").await;
    let record = completion(&job, 0);
    let mined = stage.complete(&job, Outcome::Succeeded, &record).await;
    let ending = following.end().await.unwrap();
    assert_eq!((ending.outcome, &ending.record), (Some(Outcome::Succeeded), &Some(record)));
    stage.settled(before, &ending, &mined.events).await;
}

#[tokio::test]
async fn an_end_that_is_taken_back_is_no_end() {
    let patience = Duration::from_millis(400);
    let stage = Stage::with(|follow| follow.result_within = patience).await;
    let before = stage.money().await;
    let (job, mut following) = stage.running().await;
    let digest = document(&completion(&job, 0)).unwrap().digest;
    stage.town.agent.complete_job(&job.terms, Outcome::Succeeded, digest).await.unwrap();
    following.sees(|update| matches!(update, Update::Ended(Outcome::Succeeded))).await;
    stage.town.dev.reorg(1).await.unwrap();
    following.notes("the chain reorganised").await;
    assert_eq!(stage.status(&job).await, Status::Running);
    following.goes_on(patience * 2).await;

    let record = completion(&job, 9);
    let mined = stage.complete(&job, Outcome::Failed, &record).await;
    let ending = following.end().await.unwrap();
    assert_eq!((ending.outcome, &ending.record), (Some(Outcome::Failed), &Some(record)));
    stage.settled(before, &ending, &mined.events).await;
}
