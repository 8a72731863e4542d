//! How jobs end that do not succeed: who pays what, and what is kept.

use market::{Outcome, Seconds};
use testkit::{Need, docker_available, eventually, skip};
use wire::document;

use crate::stage::{LIMIT, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_fails_is_paid_to_that_second_and_its_log_is_kept() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    let (job, terms) = stage.order(&stage.script("echo last words; echo half > /outputs/part; exit 3"), 600).await;
    let record = stage.completed(job).await;
    assert_eq!(record.exit_code, Some(3));
    assert_eq!(stage.log(&record), "last words\n");
    assert_eq!(stage.result(&record, "part"), "half\n");
    let ending = stage.ending(job).await;
    assert_eq!(ending.outcome, Outcome::Failed);
    assert!(ending.seconds < Seconds(60), "{ending:?}");
    assert_eq!(ending.digest, document(&record).unwrap().digest);
    stage.money_adds_up(&terms, &ending).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_cannot_be_executed_fails() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    let mut spec = stage.script("");
    spec.command = vec!["/no/such/program".into()];
    let (job, terms) = stage.order(&spec, 600).await;
    let record = stage.completed(job).await;
    assert!(record.reason.as_ref().unwrap().contains("could not be started"), "{record:?}");
    let ending = stage.ending(job).await;
    assert_eq!(ending.outcome, Outcome::Failed);
    stage.money_adds_up(&terms, &ending).await;
    stage.cleaned_up(job).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_on_chain_ends_the_program() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    let script = "trap 'echo asked to end; exit 0' TERM; echo up; echo some > /outputs/part; \
                  while true; do /bin/busybox sleep 0.1; done";
    let (job, terms) = stage.order(&stage.script(script), 600).await;
    stage.said(job, "up").await;
    stage.town.renter.stop_job(&terms).await.unwrap();
    let record = stage.completed(job).await;
    assert_eq!(record.exit_code, None, "the code of a stopped program says nothing");
    assert_eq!(record.reason.as_deref(), Some("stopped by the renter"));
    assert_eq!(stage.log(&record), "up\nasked to end\n");
    assert_eq!(stage.result(&record, "part"), "some\n");
    let ending = stage.ending(job).await;
    assert_eq!(ending.outcome, Outcome::StoppedByRenter);
    stage.money_adds_up(&terms, &ending).await;
    stage.cleaned_up(job).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_bought_time_is_over_the_program_ends() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    let script = "trap 'exit 0' TERM; echo up; while true; do /bin/busybox sleep 0.1; done";
    let (job, terms) = stage.order(&stage.script(script), 3).await;
    let record = stage.completed(job).await;
    assert_eq!(record.reason.as_deref(), Some("the bought time is over"));
    let ending = stage.ending(job).await;
    assert_eq!((ending.outcome, ending.seconds), (Outcome::Failed, Seconds(3)), "nothing beyond it is billed");
    stage.money_adds_up(&terms, &ending).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn storing_a_large_result_is_not_billed() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    let mut spec = stage.script("/bin/busybox dd if=/dev/urandom of=/outputs/big bs=1M count=80 2>/dev/null");
    spec.resources.disk_mib = 128;
    let (job, terms) = stage.order(&spec, 600).await;
    let record = stage.completed(job).await;
    assert_eq!(record.exit_code, Some(0), "{record:?}");
    let state = stage.town.market.job(job).await.unwrap();
    let ending = stage.ending(job).await;
    assert_eq!(ending.seconds, state.ended_at.since(state.started_at).max(Seconds(1)));
    assert!(stage.paused(job).await, "the clock stood while the result was stored");
    stage.money_adds_up(&terms, &ending).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_job_leaves_nothing() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    stage.gateway.set_agrees(false);
    let _agent = stage.agent().await;
    let (job, terms) = stage.order(&stage.script("echo never"), 60).await;
    eventually(LIMIT, async || (stage.container(job).await.as_deref() == Some("created")).then_some(())).await;
    stage.town.renter.cancel_job(&terms).await.unwrap();
    stage.cleaned_up(job).await;
    stage.refunded_whole(job).await;
    assert!(stage.lines(job).is_empty());
}
