//! A provider that was reported silent: heard again in time it goes on and the gap is nobody's bill; too late it gives
//! the job up.

use market::{Outcome, Seconds, Status};
use testkit::{Need, docker_available, eventually, skip};

use crate::stage::{LIMIT, Stage};

/// How long nobody heard of the agent: more than four beats, less than the ten minutes that a report reaches back.
const GAP: Seconds = Seconds(300);
const COUNTING: &str = "n=0; while true; do n=$((n+1)); echo $n; /bin/busybox sleep 0.2; done";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_after_a_report_and_the_gap_is_not_billed() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let agent = stage.agent().await;
    let (job, terms) = stage.order(&stage.script(COUNTING), 3600).await;
    stage.said(job, "1").await;
    let heard = stage.town.now().await.unwrap();
    // Link and agent are gone, the program is not.
    stage.gateway.set_open(false);
    agent.kill().await;
    stage.town.advance(GAP).await.unwrap();
    stage.town.watcher.report_silence(&terms, heard).await.unwrap();
    assert_eq!(stage.town.market.job(job).await.unwrap().status, Status::Silent);
    stage.gateway.set_open(true);
    let _agent = stage.agent().await;
    eventually(LIMIT, async || {
        let state = stage.town.market.job(job).await.unwrap();
        (state.status == Status::Running).then_some(())
    })
    .await;
    let said = stage.lines(job).len();
    eventually(LIMIT, async || (stage.lines(job).len() > said).then_some(())).await;
    stage.town.renter.stop_job(&terms).await.unwrap();
    stage.completed(job).await;
    let ending = stage.ending(job).await;
    assert_eq!(ending.outcome, Outcome::StoppedByRenter);
    assert!(ending.seconds < Seconds(100), "the gap is on the bill: {ending:?}");
    stage.money_adds_up(&terms, &ending).await;
    let numbers: Vec<usize> = stage.lines(job).iter().map(|line| line.parse().unwrap()).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len()), "one program, each line once: {numbers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_reaches_an_agent_that_lives_and_it_goes_on_without_its_gateway() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    let (job, terms) = stage.order(&stage.script(COUNTING), 3600).await;
    stage.said(job, "1").await;
    let heard = stage.town.now().await.unwrap();
    stage.gateway.set_open(false);
    stage.gateway.drop_links();
    stage.town.advance(GAP).await.unwrap();
    stage.town.watcher.report_silence(&terms, heard).await.unwrap();
    eventually(LIMIT, async || {
        let state = stage.town.market.job(job).await.unwrap();
        (state.status == Status::Running).then_some(())
    })
    .await;
    let said = stage.lines(job).len();
    stage.gateway.set_open(true);
    eventually(LIMIT, async || (stage.lines(job).len() > said).then_some(())).await;
    stage.town.renter.stop_job(&terms).await.unwrap();
    stage.completed(job).await;
    let ending = stage.ending(job).await;
    assert!(ending.seconds < Seconds(100), "the gap is on the bill: {ending:?}");
    stage.money_adds_up(&terms, &ending).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_comes_back_too_late_gives_the_job_up() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let agent = stage.agent().await;
    let (job, terms) = stage.order(&stage.script(COUNTING), 3600).await;
    stage.said(job, "1").await;
    let heard = stage.town.now().await.unwrap();
    agent.kill().await;
    stage.town.advance(GAP).await.unwrap();
    stage.town.watcher.report_silence(&terms, heard).await.unwrap();
    stage.town.advance(market::rules::RESUME_WITHIN).await.unwrap();
    stage.town.advance(Seconds(1)).await.unwrap();
    let _agent = stage.agent().await;
    let record = stage.completed(job).await;
    assert!(record.reason.as_ref().unwrap().contains("too late"), "{record:?}");
    let ending = stage.ending(job).await;
    assert!(ending.seconds < Seconds(100), "{ending:?}");
    stage.money_adds_up(&terms, &ending).await;
    stage.cleaned_up(job).await;
}
