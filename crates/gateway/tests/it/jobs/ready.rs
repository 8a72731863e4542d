//! `POST /api/v1/jobs/{id}/ready`.

use alloy_primitives::{B256, aliases::U40};
use chain::Wallet;
use market::Seconds;
use wire::{http::ReadyBody, link::FromGateway, signed};

use crate::{
    sockets::{Agent, Reader, now},
    stage::{Answer, Job, Stage, until},
};

fn body(stage: &Stage, job: &Job, signer: &Wallet, record: u8, at: u64) -> ReadyBody {
    let ready_record = B256::repeat_byte(record);
    let ready = signed::Ready { jobId: job.hash(), readyRecord: ready_record, at: U40::from(at) };
    ReadyBody { ready_record, at, signature: signer.sign(&stage.domain(), &ready).unwrap() }
}

async fn post(stage: &Stage, job: &Job, body: &ReadyBody) -> Answer {
    stage.post(&format!("/api/v1/jobs/{}/ready", job.id), serde_json::to_vec(body).unwrap()).await
}

#[tokio::test]
async fn the_agent_gets_the_words_of_controller_or_renter_as_they_came() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(1).await;
    let job = stage.job(&provider, 1);
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.announce(&job).await;
    for signer in [&job.controller, &job.renter, &job.renter] {
        let body = body(&stage, &job, signer, 1, now());
        assert_eq!(post(&stage, &job, &body).await.status, 204);
        assert_eq!(agent.hear().await, FromGateway::Ready { job: job.hash(), body });
    }
}

#[tokio::test]
async fn strangers_make_no_noise() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(1).await;
    let (job, other) = (stage.job(&provider, 1), stage.job(&provider, 2));
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.announce(&job).await;
    agent.announce(&other).await;

    let stranger = body(&stage, &job, &Wallet::random(), 1, now());
    post(&stage, &job, &stranger).await.is_problem(403, "signature over Ready");
    let elsewhere = body(&stage, &other, &job.controller, 1, now());
    post(&stage, &job, &elsewhere).await.is_problem(403, "signature over Ready");
    let old = body(&stage, &job, &job.controller, 1, now() - 500);
    post(&stage, &job, &old).await.is_problem(403, "check this machine's clock");
    let changed = ReadyBody { at: now() - 1, ..body(&stage, &job, &job.controller, 1, now()) };
    post(&stage, &job, &changed).await.is_problem(403, "signature over Ready");
    let path = format!("/api/v1/jobs/{}/ready", job.id);
    let text = r#"{"readyRecord":"0x00","at":1,"signature":"0x"}"#;
    assert_eq!(stage.post(&path, text).await.is_problem(400, "length").field.as_deref(), Some("readyRecord"));
    stage.post("/api/v1/jobs/7/ready", "{}").await.is_problem(400, "64 hexadecimal digits");
    let unknown = serde_json::to_string(&stranger).unwrap().replacen('{', r#"{"more":1,"#, 1);
    stage.post(&path, unknown).await.is_problem(400, "unknown field");

    // Had anything come through, it would be heard before this answer.
    assert_eq!(agent.is_heard(&job).await, 0);
}

#[tokio::test]
async fn nobody_serves_a_job_that_no_agent_announced() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(1).await;
    let job = stage.job(&provider, 1);
    let body = body(&stage, &job, &job.controller, 1, now());
    post(&stage, &job, &body).await.is_problem(404, "wait until the provider accepts it");
    // That somebody waits for it makes no agent.
    let _reader = Reader::follow(&stage, &job, 0).await;
    post(&stage, &job, &body).await.is_problem(404, "wait until the provider accepts it");
}

#[tokio::test]
async fn the_latest_words_wait_for_an_agent_that_is_away() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(1).await;
    let job = stage.job(&provider, 1);
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.announce(&job).await;
    drop(agent);
    // The gateway may see the end of the link a moment later than we do; from then on it answers 202.
    let first = body(&stage, &job, &job.controller, 1, now());
    until(async || post(&stage, &job, &first).await.status == 202).await;
    let last = body(&stage, &job, &job.renter, 2, now());
    assert_eq!(post(&stage, &job, &last).await.status, 202);

    let mut agent = Agent::welcome(&stage, &provider).await;
    assert_eq!(agent.announce(&job).await, 0);
    assert_eq!(agent.hear().await, FromGateway::Ready { job: job.hash(), body: last });
}

#[tokio::test]
async fn block_time_counts_where_it_is_far_from_ours() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(1).await;
    let job = stage.job(&provider, 1);
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.announce(&job).await;
    stage.town.dev.advance(Seconds(86_400)).await.unwrap();
    let head = stage.market.chain().head().await.unwrap();
    let ahead = body(&stage, &job, &job.controller, 1, head.timestamp.0);
    assert_eq!(post(&stage, &job, &ahead).await.status, 204);
    let neither = body(&stage, &job, &job.controller, 1, now() + 43_200);
    post(&stage, &job, &neither).await.is_problem(403, "check this machine's clock");
}
