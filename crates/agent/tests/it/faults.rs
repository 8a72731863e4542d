//! Faults below the agent: the engine stops, the chain changes its mind, the store is full. Money adds up each time.

use chain::{DevChain, DevChainConfig};
use market::{Outcome, Status};
use testkit::{Need, TestMarketConfig, anvil_path, docker_available, eventually, skip};
use wire::JobNews;

use crate::engine::Engine;
use crate::stage::{LIMIT, Stage};

const WAITING: &str =
    "trap 'exit 5' TERM; echo up; until [ -e /outputs/go ]; do /bin/busybox sleep 0.1; done; echo over";

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_stops_takes_the_job_with_it_at_the_providers_cost() {
    let Some(mut engine) = Engine::start().await else {
        skip!(Need::Docker, "an engine of its own cannot be started here");
    };
    let mut stage = Stage::new().await;
    stage.config.docker = engine.socket();
    let _agent = stage.agent().await;
    let (job, terms) = stage.order(&stage.script(WAITING), 600).await;
    stage.said(job, "up").await;
    engine.stop().await;
    assert_eq!(stage.town.market.job(job).await.unwrap().status, Status::Running, "absence alone ends nothing");
    assert!(engine.resume().await);
    let record = stage.completed(job).await;
    assert_eq!(record.exit_code, None);
    assert!(record.reason.as_ref().unwrap().contains("engine stopped"), "{record:?}");
    assert_eq!(stage.log(&record), "up\n");
    let ending = stage.ending(job).await;
    assert_eq!(ending.outcome, Outcome::AbortedByProvider);
    stage.money_adds_up(&terms, &ending).await;
    stage.cleaned_up(job).await;
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_the_chain_lost_is_sent_again() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    let script = "echo started >> /outputs/starts; n=0; while [ $n -lt 20 ]; do n=$((n+1)); echo $n; \
                  /bin/busybox sleep 0.1; done";
    let (job, terms) = stage.order(&stage.script(script), 600).await;
    stage.said(job, "1").await;
    let before = stage.town.market.job(job).await.unwrap();
    stage.town.dev.reorg(1).await.unwrap();
    assert_eq!(stage.town.market.job(job).await.unwrap().status, Status::Accepted, "the start is gone");
    eventually(LIMIT, async || {
        let state = stage.town.market.job(job).await.unwrap();
        (state.status == Status::Running || state.status.is_over()).then_some(())
    })
    .await;
    assert_eq!(before.status, Status::Running);
    let record = stage.completed(job).await;
    assert_eq!(record.exit_code, Some(0), "{record:?}");
    assert_eq!(stage.result(&record, "starts"), "started\n", "the program did not notice");
    stage.money_adds_up(&terms, &stage.ending(job).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_the_chain_lost_is_dropped() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    stage.gateway.set_agrees(false);
    let _agent = stage.agent().await;
    let (job, _) = stage.order(&stage.script("echo never"), 600).await;
    stage.news(job, |event| matches!(event.news, JobNews::JobReady { .. }).then_some(())).await;
    stage.town.dev.reorg(2).await.unwrap();
    assert_eq!(stage.town.market.job(job).await.unwrap().status, Status::None, "order and acceptance are gone");
    eventually(LIMIT, async || stage.container(job).await.is_none().then_some(())).await;
    let folder = stage.config.state_dir.join("jobs").join(job.to_string());
    eventually(LIMIT, async || (!folder.exists()).then_some(())).await;
    assert!(stage.lines(job).is_empty(), "nothing ran");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_full_at_the_end_is_the_providers_fault() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let mut stage = Stage::new().await;
    stage.config.store_bytes_max = 16 << 20;
    let _agent = stage.agent().await;
    let script = "echo kept; /bin/busybox dd if=/dev/urandom of=/outputs/big bs=1M count=20 2>/dev/null";
    let mut spec = stage.script(script);
    spec.resources.disk_mib = 32;
    let (job, terms) = stage.order(&spec, 600).await;
    let record = stage.completed(job).await;
    assert!(record.reason.as_ref().unwrap().contains("could not be stored"), "{record:?}");
    assert_eq!((record.exit_code, &record.result), (Some(0), &None));
    assert_eq!(stage.log(&record), "kept\n");
    let ending = stage.ending(job).await;
    assert_eq!(ending.outcome, Outcome::AbortedByProvider);
    stage.money_adds_up(&terms, &ending).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_of_silence_is_answered_by_going_on() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let agent = stage.agent().await;
    let script = "echo started >> /outputs/starts; echo up; /bin/busybox sleep 3; echo over";
    let (job, terms) = stage.order(&stage.script(script), 600).await;
    stage.said(job, "up").await;
    agent.kill().await;
    let seen = stage.town.now().await.unwrap();
    stage.town.watcher.report_silence(&terms, seen).await.unwrap();
    assert_eq!(stage.town.market.job(job).await.unwrap().status, Status::Silent);
    let _agent = stage.agent().await;
    let record = stage.completed(job).await;
    assert_eq!(record.exit_code, Some(0), "{record:?}");
    assert_eq!(stage.result(&record, "starts"), "started\n");
    let state = stage.town.market.job(job).await.unwrap();
    assert_eq!((state.status, state.outcome), (Status::Ended, Outcome::Succeeded));
    stage.money_adds_up(&terms, &stage.ending(job).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_is_away_at_the_end_is_waited_for() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let folder = testkit::temp_dir();
    let state = Some(folder.path().join("chain.json"));
    let mut stage = Stage::with(TestMarketConfig { state: state.clone(), ..TestMarketConfig::default() }).await;
    let _agent = stage.agent().await;
    let (job, terms) = stage.order(&stage.script("echo up; /bin/busybox sleep 1; echo over"), 600).await;
    stage.said(job, "up").await;
    let port = stage.town.port();
    let spare = DevChain::start(DevChainConfig::new(anvil_path())).await.unwrap();
    std::mem::replace(&mut stage.town.dev, spare).stop().await.unwrap();
    stage.said(job, "over").await;
    eventually(LIMIT, async || (stage.container(job).await.as_deref() == Some("exited")).then_some(())).await;
    let config = DevChainConfig { port, state, ..DevChainConfig::new(anvil_path()) };
    stage.town.dev = DevChain::start(config).await.unwrap();
    let record = stage.completed(job).await;
    assert_eq!(record.exit_code, Some(0), "{record:?}");
    let ending = stage.ending(job).await;
    assert_eq!(ending.outcome, Outcome::Succeeded);
    stage.money_adds_up(&terms, &ending).await;
}
