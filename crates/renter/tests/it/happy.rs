//! Everybody honest: from the order to the last unit.

use chain::Wallet;
use market::{Outcome, Seconds, Status};
use renter::{Acting, Until, Update};
use wire::document;

use crate::stage::{DURATION, PRICE, Stage, completion, consent, ready_record, spec};

#[tokio::test]
async fn an_honest_job_is_agreed_to_watched_and_settled() {
    let stage = Stage::new().await;
    let before = stage.money().await;
    let job = stage.place().await;
    let locked = before.renter.saturating_sub(stage.money().await.renter);
    assert_eq!(locked, PRICE.cost(DURATION));

    let following = stage.follow(&job);
    stage.town.agent.accept_job(&job.terms).await.unwrap();
    stage.stand_ready(&job);
    let (_, body) = stage.ready(1).await;
    let record = ready_record(&job);
    assert_eq!(body.ready_record, document(&record).unwrap().digest);
    let session = Wallet::from_hex(job.file.session_key.as_ref().unwrap()).unwrap().address();
    stage.town.market.domain().verify(&consent(&job, &body), &body.signature, session).unwrap();
    assert_ne!(session, stage.town.renter.address(), "the key that pays signs nothing here");
    stage.start(&job, 1).await;
    following.sees(|update| matches!(update, Update::Started { .. })).await;

    for round in 1..=5 {
        stage.passes(Seconds(200), &job, &following).await;
        stage.gateway.tell(stage.beat(&job, round));
        stage.is_heard(&following, &format!("round {round}")).await;
    }
    let record = completion(&job, 0);
    let mined = stage.complete(&job, Outcome::Succeeded, &record).await;
    let updates = following.updates();
    let ending = following.end().await.unwrap();

    assert_eq!((ending.outcome, &ending.record), (Some(Outcome::Succeeded), &Some(record)));
    assert_eq!(ending.status, Status::Ended);
    assert!(ending.disputable_until.is_some());
    assert!(ending.seconds >= Seconds(1000), "{ending:?}");
    let earned = PRICE.cost(ending.seconds);
    assert_eq!(ending.paid.saturating_add(ending.due), earned);
    assert_eq!(ending.due.0, earned.0 * 200 / 10_000, "stake covers the pay; the fee is held until it is certain");
    stage.settled(before, &ending, &mined.events).await;
    assert_eq!(stage.status(&job).await, Status::Final);
    assert_eq!(stage.gateway.readies().len(), 1, "one consent is enough");
    let told: Vec<_> = updates
        .iter()
        .filter_map(|update| match update {
            Update::Accepted { .. } => Some("accepted"),
            Update::Ready(_) => Some("ready"),
            Update::Started { .. } => Some("started"),
            Update::Note(note) => panic!("nothing is amiss: {note}"),
            _ => None,
        })
        .collect();
    assert_eq!(told.len(), 3, "{told:?}");
}

#[tokio::test]
async fn who_only_looks_signs_nothing_and_sees_the_same_end() {
    let stage = Stage::new().await;
    let before = stage.money().await;
    let job = stage.place().await;
    let looking = stage.follow_as(&job, false);
    stage.town.agent.accept_job(&job.terms).await.unwrap();
    stage.stand_ready(&job);
    looking.sees(|update| matches!(update, Update::Ready(_))).await;
    looking.sees(|update| matches!(update, Update::Accepted { .. })).await;
    stage.is_heard(&looking, "seen").await;
    assert!(stage.gateway.readies().is_empty());

    let acting = stage.follow(&job);
    stage.start(&job, 1).await;
    let mined = stage.complete(&job, Outcome::Failed, &completion(&job, 3)).await;
    let ending = acting.end().await.unwrap();
    assert_eq!(looking.end().await.unwrap(), ending);
    assert_eq!(ending.outcome, Some(Outcome::Failed));
    stage.settled(before, &ending, &mined.events).await;
}

#[tokio::test]
async fn a_declined_job_costs_nothing_and_says_why() {
    let stage = Stage::new().await;
    let before = stage.money().await;
    let job = stage.place().await;
    let following = stage.follow(&job);
    stage.town.agent.decline_job(&job.terms, "the image is too large").await.unwrap();
    let ending = following.end().await.unwrap();
    assert_eq!(ending.declined.as_deref(), Some("the image is too large"));
    assert_eq!((ending.status, ending.outcome, ending.refunded), (Status::Cancelled, None, PRICE.cost(DURATION)));
    stage.refunded(before, &job).await;
}

#[tokio::test]
async fn a_job_that_was_cancelled_is_told_from_one_that_runs() {
    let stage = Stage::new().await;
    let job = stage.place().await;
    let following = stage.follow(&job);
    stage.renter.stop(&job.file).await.unwrap();
    let ending = following.end().await.unwrap();
    assert_eq!((ending.status, ending.outcome, ending.declined), (Status::Cancelled, None, None));

    stage.gateway.forget();
    let (job, _following) = stage.running().await;
    let ending = stage.renter.follow(&job.file, &spec(), Until::Started, Acting::Not, &mut |_| ()).await.unwrap();
    assert_eq!((ending.status, ending.outcome, ending.declined), (Status::Running, None, None));
}
