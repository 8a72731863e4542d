//! What the agent says of the end is believed only when it signed it and put its digest on chain.

use std::time::Duration;

use chain::MarketEvent;
use market::{Outcome, Status};
use renter::{RenterError, Update};
use wire::{JobNews, WireError, document};

use crate::stage::{Stage, completion};

#[tokio::test]
async fn another_record_than_the_chains_is_untrue() {
    let stage = Stage::new().await;
    let before = stage.money().await;
    let (job, following) = stage.running().await;
    let digest = document(&completion(&job, 0)).unwrap().digest;
    let mined = stage.town.agent.complete_job(&job.terms, Outcome::Succeeded, digest).await.unwrap();
    let told = completion(&job, 1);
    let signature = stage.attest(stage.town.agent.wallet(), &job, &told);
    stage.gateway.tell(JobNews::JobCompleted { record: told, signature });
    let err = following.end().await.unwrap_err();
    assert!(matches!(err, RenterError::Untrue { what: "the completion record", .. }), "{err}");
    assert!(err.to_string().contains(&digest.to_string()), "{err}");

    // The money went as the chain says all the same.
    let paid = mined.events.iter().find_map(|event| match event {
        MarketEvent::JobFinalized { paid, .. } => Some(*paid),
        _ => None,
    });
    assert_eq!(Some(stage.money().await.owner.saturating_sub(before.owner)), paid);
}

#[tokio::test]
async fn a_strangers_record_is_refused() {
    let stage = Stage::new().await;
    let (job, following) = stage.running().await;
    let record = completion(&job, 0);
    let digest = document(&record).unwrap().digest;
    stage.town.agent.complete_job(&job.terms, Outcome::Succeeded, digest).await.unwrap();
    let signature = stage.attest(stage.town.stranger.wallet(), &job, &record);
    stage.gateway.tell(JobNews::JobCompleted { record, signature });
    let err = following.end().await.unwrap_err();
    assert!(matches!(err, RenterError::Wire(WireError::Signer { what: "Attest", .. })), "{err}");
}

#[tokio::test]
async fn a_forged_end_does_not_make_the_renter_look_away() {
    let stage = Stage::new().await;
    let before = stage.money().await;
    let (job, following) = stage.running().await;
    let forged = completion(&job, 0);
    let signature = stage.attest(stage.town.stranger.wallet(), &job, &forged);
    stage.gateway.tell(JobNews::JobCompleted { record: forged, signature });
    stage.is_heard(&following, "still running").await;
    assert_eq!(stage.status(&job).await, Status::Running);

    let record = completion(&job, 7);
    let signature = stage.attest(stage.town.agent.wallet(), &job, &record);
    stage.gateway.tell(JobNews::JobCompleted { record: record.clone(), signature });
    stage.is_heard(&following, "the true one came").await;
    let digest = document(&record).unwrap().digest;
    let mined = stage.town.agent.complete_job(&job.terms, Outcome::Failed, digest).await.unwrap();
    let ending = following.end().await.unwrap();
    assert_eq!(ending.record, Some(record));
    stage.settled(before, &ending, &mined.events).await;
}

#[tokio::test]
async fn a_record_that_does_not_come_is_waited_for_only_so_long() {
    let stage = Stage::with(|follow| follow.result_within = Duration::from_millis(50)).await;
    let (job, following) = stage.running().await;
    let digest = document(&completion(&job, 0)).unwrap().digest;
    stage.town.agent.complete_job(&job.terms, Outcome::Succeeded, digest).await.unwrap();
    following.sees(|update| matches!(update, Update::Ended(Outcome::Succeeded))).await;
    let err = following.end().await.unwrap_err();
    assert!(matches!(err, RenterError::NoResult { .. }) && err.is_retryable(), "{err}");
}
