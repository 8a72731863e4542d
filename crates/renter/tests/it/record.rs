//! What the agent says of the end is believed only when it signed it and put its digest on chain.

use std::time::Duration;

use chain::MarketEvent;
use market::{Outcome, Seconds, Status};
use renter::{RenterError, Update};
use wire::{JobNews, WireError, document, record::CompletionRecord};

use crate::stage::{DURATION, PATIENCE, PRICE, Stage, completion};

#[tokio::test]
async fn another_record_than_the_chains_is_untrue() {
    let stage = Stage::new().await;
    let before = stage.money().await;
    let (job, following) = stage.running().await;
    let digest = document(&completion(&job, 0)).unwrap().digest;
    stage.town.agent.complete_job(&job.terms, Outcome::Succeeded, digest).await.unwrap();
    let told = completion(&job, 1);
    let signature = stage.attest(stage.town.agent.wallet(), &job, &told);
    stage.gateway.tell(JobNews::JobCompleted { record: told, signature });
    let err = following.end().await.unwrap_err();
    assert!(matches!(err, RenterError::Untrue { what: "the completion record", .. }), "{err}");
    assert!(err.to_string().contains(&digest.to_string()), "{err}");

    // The money goes as the chain says all the same.
    stage.town.advance(Seconds(3601)).await.unwrap();
    let mined = stage.town.stranger.finalize(std::slice::from_ref(&job.terms)).await.unwrap();
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

#[tokio::test]
async fn a_result_is_fetched_later() {
    let stage = Stage::with(|follow| follow.result_within = Duration::from_millis(50)).await;
    let before = stage.money().await;
    let (job, following) = stage.running().await;
    let err = stage.renter.settled_record(&job.file, Duration::ZERO).await.unwrap_err();
    assert!(matches!(&err, RenterError::BadJob(why) if why.contains("Running")), "{err}");

    let record = completion(&job, 0);
    let digest = document(&record).unwrap().digest;
    let mined = stage.town.agent.complete_job(&job.terms, Outcome::Succeeded, digest).await.unwrap();
    let err = following.end().await.unwrap_err();
    assert!(err.to_string().contains("`bourse result JOB`"), "{err}");
    let err = stage.renter.settled_record(&job.file, Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(err, RenterError::NoResult { within_s: 0, .. }), "{err}");

    let signature = stage.attest(stage.town.agent.wallet(), &job, &record);
    stage.gateway.tell(JobNews::JobCompleted { record: record.clone(), signature });
    let ending = stage.renter.settled_record(&job.file, PATIENCE).await.unwrap();
    assert_eq!((ending.status, &ending.record), (Status::Ended, &Some(record)));
    stage.settled(before, &ending, &mined.events).await;
}

#[tokio::test]
async fn a_record_fetched_later_is_checked_as_well() {
    let stage = Stage::new().await;
    let (job, following) = stage.running().await;
    following.leave().await;
    let digest = document(&completion(&job, 0)).unwrap().digest;
    stage.town.agent.complete_job(&job.terms, Outcome::Succeeded, digest).await.unwrap();
    stage.gateway.forget();
    let later = async |signer: &chain::Account, record: &CompletionRecord| {
        stage.gateway.forget();
        let signature = stage.attest(signer.wallet(), &job, record);
        stage.gateway.keep(JobNews::JobCompleted { record: record.clone(), signature });
        stage.renter.settled_record(&job.file, PATIENCE).await.unwrap_err()
    };
    let err = later(&stage.town.agent, &completion(&job, 1)).await;
    assert!(matches!(err, RenterError::Untrue { what: "the completion record", .. }), "{err}");
    let err = later(&stage.town.stranger, &completion(&job, 0)).await;
    assert!(matches!(err, RenterError::Wire(WireError::Signer { what: "Attest", .. })), "{err}");
}

#[tokio::test]
async fn a_job_that_never_ran_has_its_figures_and_no_record() {
    let stage = Stage::new().await;
    let job = stage.place().await;
    stage.renter.stop(&job.file).await.unwrap();
    let ending = stage.renter.settled_record(&job.file, PATIENCE).await.unwrap();
    assert_eq!((ending.status, ending.record), (Status::Cancelled, None));
    assert_eq!(ending.refunded, PRICE.cost(DURATION));
}
