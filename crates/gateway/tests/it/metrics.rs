//! What agents measure: taken from the link, kept in the store and, for jobs, in memory.

use std::time::Duration;

use alloy_primitives::B256;
use market::Timestamp;
use wire::{
    http::{JobMetricsPoint, MetricsPoint, Page},
    link::{FromAgent, JobMetrics},
};

use crate::{
    sockets::{Agent, Line, beat, now},
    stage::{Answer, Job, Stage, until},
};

fn time(at: u64) -> jiff::Timestamp {
    jiff::Timestamp::from_second(at.try_into().unwrap()).unwrap()
}

pub(crate) fn machine(at: u64) -> MetricsPoint {
    MetricsPoint { at: time(at), utilisation_pct: 50, memory_mib: 100, temperature_c: 60, power_w: 250 }
}

fn of_job(job: &Job, at: u64) -> JobMetrics {
    let metrics = JobMetricsPoint { at: time(at), cpu_pct: 150, memory_mib: 64, gpu_pct: 90, gpu_memory_mib: 512 };
    JobMetrics { job: B256::from(job.id.0), metrics }
}

impl Stage {
    pub(crate) async fn get_as(&self, path: &str, token: &str) -> Answer {
        Answer::of(self.http().get(self.url(path)).bearer_auth(token).send().await.unwrap()).await
    }
}

#[tokio::test]
async fn machines_are_written_in_batches_with_the_seconds_in_which_they_were_heard() {
    let stage = Stage::new(|config| {
        config.limits.metrics_apart = Duration::ZERO;
        config.limits.metrics_written_every = Duration::from_millis(100);
    })
    .await;
    let provider = stage.provider(1).await;
    let number = stage.market.provider_of(provider.account.address()).await.unwrap().unwrap();
    let mut agent = Agent::welcome(&stage, &provider).await;
    let start = now();
    for at in start - 2..=start {
        agent.line.say(&FromAgent::Metrics { machine: machine(at), jobs: vec![] }).await;
    }
    until(async || {
        let (since, until) = (Timestamp(start - 100), Timestamp(start + 100));
        let points = stage.store.metrics(number, since, until, 100).await.unwrap();
        points.iter().map(|point| point.at).eq((start - 2..=start).map(time))
    })
    .await;
    until(async || {
        agent.line.say(&beat(&stage, &provider.agent, now())).await;
        stage.store.uptime(number, 0).await.unwrap().is_some_and(|(_, seconds)| seconds > 0)
    })
    .await;
}

#[tokio::test]
async fn more_than_is_asked_for_is_passed_over_and_other_peoples_jobs_are_refused() {
    let stage = Stage::new(|config| config.limits.metrics_written_every = Duration::from_millis(50)).await;
    let (provider, job) = (stage.provider(1).await, 1);
    let number = stage.market.provider_of(provider.account.address()).await.unwrap().unwrap();
    let job = stage.job(&provider, job);
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.announce(&job).await;
    let start = now();
    for at in [start - 1, start] {
        agent.line.say(&FromAgent::Metrics { machine: machine(at), jobs: vec![of_job(&job, at)] }).await;
    }
    agent.is_heard(&job).await;
    let stored = async || {
        let (since, until) = (Timestamp(start - 100), Timestamp(start + 100));
        stage.store.metrics(number, since, until, 100).await.unwrap().len()
    };
    until(async || stored().await == 1).await;

    let unknown = stage.job(&provider, 2);
    agent.line.say(&FromAgent::Metrics { machine: machine(start), jobs: vec![of_job(&unknown, start)] }).await;
    agent.is_refused("was not announced on this link").await;
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.line.say(&FromAgent::Metrics { machine: machine(start - 500), jobs: vec![] }).await;
    agent.is_refused("check this machine's clock").await;
}

#[tokio::test]
async fn a_job_s_measurements_are_for_its_parties_at_once_and_as_a_stream() {
    let stage = Stage::new(|config| config.limits.metrics_apart = Duration::ZERO).await;
    let provider = stage.provider(1).await;
    let job = stage.running(&provider, stage.town.controller.address(), None).await;
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.announce(&job).await;
    let start = now();
    agent.line.say(&FromAgent::Metrics { machine: machine(start), jobs: vec![of_job(&job, start)] }).await;
    agent.is_heard(&job).await;

    let path = format!("/api/v1/jobs/{}/metrics", job.id);
    let token = stage.sign_in(stage.town.renter.wallet()).await.token;
    let held: Page<JobMetricsPoint> = stage.get_as(&path, &token).await.json();
    assert_eq!(held.items, [of_job(&job, start).metrics]);
    stage.get(&path).await.is_problem(401, "nobody is signed in");
    let stranger = stage.sign_in(stage.town.stranger.wallet()).await.token;
    stage.get_as(&path, &stranger).await.is_problem(403, "only the job's renter");

    let bearer = format!("Bearer {token}");
    let path = format!("/api/v1/instances/{}/metrics", job.id);
    let mut all = Line::with(&stage, &path, &[("authorization", &bearer)]).await.unwrap();
    let since = format!("{path}?since={}", time(start));
    let mut later = Line::with(&stage, &since, &[("authorization", &bearer)]).await.unwrap();
    assert_eq!(all.hear::<JobMetricsPoint>().await.unwrap(), of_job(&job, start).metrics);
    agent.line.say(&FromAgent::Metrics { machine: machine(start), jobs: vec![of_job(&job, start + 1)] }).await;
    for line in [&mut all, &mut later] {
        assert_eq!(line.hear::<JobMetricsPoint>().await.unwrap(), of_job(&job, start + 1).metrics);
    }
    let refused = async |headers: &[(&str, &str)]| Line::with(&stage, &path, headers).await.err();
    assert_eq!(refused(&[]).await, Some(401));
    assert_eq!(refused(&[("authorization", &format!("Bearer {stranger}"))]).await, Some(403));
}
