//! A job from order to delivery.

use testkit::{Need, docker_available, skip};
use wire::feed::Phase;
use wire::spec::Input;
use wire::{JobNews, document};

use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_and_is_settled_and_delivered() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    let input = content::add_bytes(&stage.gateway.store, b"some text\n", &Default::default()).unwrap().cid;
    let mut spec = stage.script(
        "echo begin; read line < /inputs/deep/text; echo \"$line and $WORD\" > /outputs/copy; echo progress 40 half; \
         echo progress 30 back; echo oops >&2; echo end",
    );
    spec.inputs = vec![Input { cid: input.to_string(), path: "deep/text".into() }];
    spec.env.insert("WORD".into(), "a word".into());
    let (job, terms) = stage.order(&spec, 600).await;

    let record = stage.completed(job).await;
    assert_eq!((record.exit_code, record.reason.as_deref(), record.simulated), (Some(0), None, false));
    assert_eq!(stage.result(&record, "copy"), "some text and a word\n");
    let mut lines = stage.lines(job);
    // The engine reads the two streams side by side.
    lines.retain(|line| line != "oops");
    assert_eq!(lines, ["begin", "progress 40 half", "progress 30 back", "end"]);
    assert_eq!(stage.log(&record).lines().count(), 5);

    let ending = stage.ending(job).await;
    assert_eq!(ending.outcome, market::Outcome::Succeeded);
    assert_eq!(ending.digest, document(&record).unwrap().digest, "what is on chain is what was delivered");
    let delivered = stage.gateway.store.require(&document(&record).unwrap().cid).unwrap();
    assert_eq!(delivered, document(&record).unwrap().bytes, "the record is found under its digest");
    let started = stage.started(job).await;
    let ready = stage.gateway.store.require(&wire::Document::cid_of(started).unwrap()).unwrap();
    let ready: wire::record::ReadyRecord = serde_json::from_slice(&ready).unwrap();
    assert_eq!((ready.job_id.0, &ready.image), (job.0, &spec.image), "so is what stood ready, under its own");
    stage.money_adds_up(&terms, &ending).await;
    stage.cleaned_up(job).await;

    let events = stage.gateway.events(job);
    let phases: Vec<Phase> = events
        .iter()
        .filter_map(|event| match event.news {
            JobNews::JobStatusChanged { phase } => Some(phase),
            _ => None,
        })
        .collect();
    use Phase::{Accepted, Collecting, Done, Fetching, Preparing, Ready, Running, Settling};
    let mut in_order = phases.clone();
    // The acceptance is mined while fetching goes on.
    in_order.retain(|phase| *phase != Accepted && *phase != Fetching);
    assert_eq!(in_order, [Preparing, Ready, Running, Collecting, Settling, Done], "{phases:?}");
    let progress: Vec<u8> = events
        .iter()
        .filter_map(|event| match event.news {
            JobNews::JobProgress { percent, .. } => Some(percent),
            _ => None,
        })
        .collect();
    assert_eq!(progress, [40], "progress never falls");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_serves_one_job_after_the_other_from_its_cache() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    for round in ["one", "two"] {
        let (job, _) = stage.order(&stage.script(&format!("echo {round}")), 60).await;
        let record = stage.completed(job).await;
        assert_eq!(record.exit_code, Some(0), "{record:?}");
        assert_eq!(stage.lines(job), [round]);
        stage.cleaned_up(job).await;
    }
    assert!(stage.gateway.beats() > 0, "it beats all the while");
}
