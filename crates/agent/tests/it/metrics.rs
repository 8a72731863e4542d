//! What is measured reaches the gateway, and what cannot be measured disturbs nobody.

use alloy_primitives::B256;
use testkit::{Need, docker_available, eventually, skip};

use crate::stage::{LIMIT, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn a_running_job_is_measured_and_one_that_ended_is_not() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    let script = "echo up; until [ -e /never ]; do :; done";
    let (job, terms) = stage.order(&stage.script(script), 600).await;
    let of_job = || {
        let rounds = stage.gateway.metrics().into_iter();
        rounds.flat_map(|(_, jobs)| jobs).filter(|of| of.job == B256::from(job.0)).map(|of| of.metrics)
    };
    // A program that does nothing but count keeps its one processor busy, unless others want it too.
    let busy = eventually(LIMIT, async || of_job().find(|metrics| metrics.cpu_pct >= 20)).await;
    assert!(busy.cpu_pct <= 130, "it may use one processor: {busy:?}");
    assert!(busy.memory_mib < 64, "it may use 64 MiB: {busy:?}");
    assert_eq!((busy.gpu_pct, busy.gpu_memory_mib), (0, 0));
    stage.town.renter.stop_job(&terms).await.unwrap();
    stage.cleaned_up(job).await;
    let (rounds, measured) = (stage.gateway.metrics().len(), of_job().count());
    eventually(LIMIT, async || (stage.gateway.metrics().len() >= rounds + 2).then_some(())).await;
    assert!(of_job().count() <= measured + 1, "at most the round that was under way");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_machine_is_measured_without_an_engine_and_each_round_is_told_once() {
    let mut stage = Stage::new().await;
    stage.config.docker = stage.state.path().join("no-engine");
    let _agent = stage.agent().await;
    eventually(LIMIT, async || (stage.gateway.metrics().len() >= 2).then_some(())).await;
    stage.gateway.drop_links();
    let before = stage.gateway.metrics().len();
    let rounds = eventually(LIMIT, async || {
        let rounds = stage.gateway.metrics();
        (rounds.len() >= before + 2).then_some(rounds)
    })
    .await;
    assert!(rounds.iter().all(|(machine, jobs)| machine.memory_mib > 0 && jobs.is_empty()), "{rounds:?}");
    assert!(rounds.is_sorted_by(|(a, _), (b, _)| a.at < b.at), "{rounds:?}");
}
