//! An agent that is killed and comes back: the program runs on, once, and nothing of it is lost.

use testkit::{Need, docker_available, eventually, skip};

use crate::stage::{LIMIT, Stage, container_name};

/// Counts its own starts and says each number once.
const COUNTING: &str = "echo started >> /outputs/starts; n=0; while [ $n -lt 30 ]; do n=$((n+1)); echo $n; \
                        /bin/busybox sleep 0.1; done";

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_agent_adopts_its_program() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let agent = stage.agent().await;
    let (job, terms) = stage.order(&stage.script(COUNTING), 600).await;
    stage.said(job, "5").await;
    agent.kill().await;
    assert_eq!(stage.container(job).await.as_deref(), Some("running"), "the program does not notice");
    let beats = stage.gateway.beats();
    let _agent = stage.agent().await;
    let record = stage.completed(job).await;
    assert_eq!(record.exit_code, Some(0));
    assert_eq!(stage.result(&record, "starts"), "started\n", "it ran once");
    let numbers: Vec<String> = (1..=30).map(|number| number.to_string()).collect();
    assert_eq!(stage.lines(job), numbers, "each line once");
    assert_eq!(stage.log(&record).lines().collect::<Vec<_>>(), numbers);
    assert!(stage.gateway.beats() > beats);
    stage.money_adds_up(&terms, &stage.ending(job).await).await;
    stage.cleaned_up(job).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_ended_meanwhile_is_collected() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let agent = stage.agent().await;
    let (job, terms) = stage.order(&stage.script(COUNTING), 600).await;
    stage.said(job, "1").await;
    agent.kill().await;
    eventually(LIMIT, async || (stage.container(job).await.as_deref() == Some("exited")).then_some(())).await;
    let _agent = stage.agent().await;
    let record = stage.completed(job).await;
    assert_eq!(record.exit_code, Some(0));
    assert_eq!(stage.result(&record, "starts"), "started\n", "it ran once");
    assert_eq!(stage.lines(job).len(), 30);
    stage.money_adds_up(&terms, &stage.ending(job).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_gone_is_never_made_again() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let agent = stage.agent().await;
    let (job, terms) = stage.order(&stage.script(COUNTING), 600).await;
    stage.said(job, "1").await;
    agent.kill().await;
    remove(&stage, job).await;
    let _agent = stage.agent().await;
    let record = stage.completed(job).await;
    assert!(record.reason.as_ref().unwrap().contains("never started twice"), "{record:?}");
    let ending = stage.ending(job).await;
    assert_eq!(ending.outcome, market::Outcome::AbortedByProvider);
    assert!(stage.lines(job).iter().filter(|line| *line == "1").count() == 1, "it did not run again");
    stage.money_adds_up(&terms, &ending).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_waits_survives_a_restart_at_any_point() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    stage.gateway.set_agrees(false);
    let agent = stage.agent().await;
    let (job, terms) = stage.order(&stage.script("echo started >> /outputs/starts; echo done"), 600).await;
    eventually(LIMIT, async || (stage.container(job).await.as_deref() == Some("created")).then_some(())).await;
    agent.stop().await.unwrap();
    stage.gateway.set_agrees(true);
    // What was told before is not told again by itself; an agent that stopped before telling tells now.
    let told = stage.gateway.events(job).iter().any(|event| matches!(event.news, wire::JobNews::JobReady { .. }));
    let _agent = stage.agent().await;
    if told {
        stage.gateway.agree(job);
    }
    let record = stage.completed(job).await;
    assert_eq!(stage.result(&record, "starts"), "started\n");
    stage.money_adds_up(&terms, &stage.ending(job).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_of_no_job_is_removed() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    stage.gateway.set_agrees(false);
    let agent = stage.agent().await;
    let (job, terms) = stage.order(&stage.script("echo never"), 600).await;
    eventually(LIMIT, async || (stage.container(job).await.as_deref() == Some("created")).then_some(())).await;
    agent.kill().await;
    stage.town.renter.cancel_job(&terms).await.unwrap();
    std::fs::remove_file(stage.config.state_dir.join("jobs").join(job.to_string()).join("job.json")).unwrap();
    let _agent = stage.agent().await;
    eventually(LIMIT, async || stage.container(job).await.is_none().then_some(())).await;
    assert!(!stage.config.state_dir.join("jobs").join(job.to_string()).exists(), "its folder went too");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_shuts_down_leaves_nothing_of_jobs_that_are_over() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let agent = stage.agent().await;
    let (job, terms) = stage.order(&stage.script("echo ran"), 600).await;
    eventually(LIMIT, async || (stage.town.market.job(job).await.unwrap().status.is_over()).then_some(())).await;
    agent.stop().await.unwrap();
    assert_eq!(stage.container(job).await, None);
    assert!(!std::fs::read_to_string("/proc/mounts").unwrap().contains(&job.to_string()), "its room is unmounted");
    let _agent = stage.agent().await;
    assert_eq!(stage.completed(job).await.exit_code, Some(0), "what was not delivered is delivered now");
    stage.money_adds_up(&terms, &stage.ending(job).await).await;
}

/// A job that waits for its clock; its agent is stopped.
async fn waiting(stage: &Stage) -> (market::JobId, wire::Terms) {
    stage.gateway.set_agrees(false);
    let agent = stage.agent().await;
    let (job, terms) = stage.order(&stage.script("echo started >> /outputs/starts; echo ran"), 600).await;
    stage.news(job, |event| matches!(event.news, wire::JobNews::JobReady { .. }).then_some(())).await;
    agent.stop().await.unwrap();
    (job, terms)
}

/// Starts the clock as the agent does, with another hand.
async fn start_clock(stage: &Stage, job: market::JobId, terms: &wire::Terms) {
    let ready = stage.gateway.ready(job, &stage.town.controller, |_| ());
    stage.town.agent.start_job(terms, ready.ready_record, ready.at, &ready.signature).await.unwrap();
}

fn record_path(stage: &Stage, job: market::JobId) -> std::path::PathBuf {
    stage.config.state_dir.join("jobs").join(job.to_string()).join("job.json")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_was_mined_unseen_runs_the_program() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    for phase in ["ready", "starting", "declining"] {
        let (job, terms) = waiting(&stage).await;
        start_clock(&stage, job, &terms).await;
        let mut record: serde_json::Value =
            serde_json::from_slice(&std::fs::read(record_path(&stage, job)).unwrap()).unwrap();
        record["phase"] = phase.into();
        record["refusal"] = "the start was thought lost".into();
        std::fs::write(record_path(&stage, job), record.to_string()).unwrap();
        let agent = stage.agent().await;
        let record = stage.completed(job).await;
        assert_eq!(record.exit_code, Some(0), "{phase}: {record:?}");
        assert_eq!(stage.result(&record, "starts"), "started\n");
        assert_eq!(stage.ending(job).await.outcome, market::Outcome::Succeeded);
        stage.cleaned_up(job).await;
        agent.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_cannot_be_read_is_set_aside_and_the_others_go_on() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let (job, terms) = waiting(&stage).await;
    let other = market::JobId([7; 32]);
    std::fs::create_dir_all(record_path(&stage, other).parent().unwrap()).unwrap();
    std::fs::write(record_path(&stage, other), "{\"terms\":").unwrap();
    start_clock(&stage, job, &terms).await;
    let _agent = stage.agent().await;
    assert_eq!(stage.completed(job).await.exit_code, Some(0));
    let names = std::fs::read_dir(stage.config.state_dir.join("jobs")).unwrap();
    let mut names: Vec<String> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| *name != job.to_string());
    assert_eq!(names, [format!("{other}.0.unreadable")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn news_that_a_power_cut_took_are_not_taken_for_told() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let agent = stage.agent().await;
    let (job, terms) = stage.order(&stage.script(COUNTING), 600).await;
    stage.said(job, "5").await;
    agent.kill().await;
    let journal = record_path(&stage, job).with_file_name("journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    std::fs::write(&journal, lines[..lines.len() / 2].join("\n") + "\n").unwrap();
    let held = stage.gateway.events(job).len();
    assert!(held > lines.len() / 2, "the gateway is ahead");
    let _agent = stage.agent().await;
    let record = stage.completed(job).await;
    let numbers: Vec<String> = (1..=30).map(|number| number.to_string()).collect();
    assert_eq!(stage.log(&record).lines().collect::<Vec<_>>(), numbers);
    // Lines that were lost here come again; the gateway lacks none.
    let told = stage.lines(job);
    assert!(numbers.iter().all(|number| told.contains(number)), "{told:?}");
    stage.money_adds_up(&terms, &stage.ending(job).await).await;
    stage.cleaned_up(job).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_breaks_loses_no_news() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    let (job, _) = stage.order(&stage.script(COUNTING), 600).await;
    for said in ["3", "10"] {
        stage.said(job, said).await;
        let links = stage.gateway.links();
        stage.gateway.drop_links();
        eventually(LIMIT, async || (stage.gateway.links() > links).then_some(())).await;
    }
    stage.completed(job).await;
    assert_eq!(stage.lines(job), (1..=30).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_agents_do_not_share_a_folder() {
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    let second = agent::run(stage.config.clone(), Default::default()).await;
    assert!(matches!(second, Err(agent::AgentError::Locked { .. })), "{second:?}");
}

async fn remove(stage: &Stage, job: market::JobId) {
    let options = bollard::query_parameters::RemoveContainerOptions { force: true, ..Default::default() };
    stage.docker().await.remove_container(&container_name(job), Some(options)).await.unwrap();
}
