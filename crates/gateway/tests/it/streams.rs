//! A job's log: `GET /api/v1/jobs/{id}/logs` and the plain stream `/api/v1/instances/{id}/logs`.

use wire::{
    feed::{LogStream, Phase},
    http::LogsJson,
};

use crate::{
    sockets::{Agent, Line, line, phase},
    stage::Stage,
};

fn numbers(logs: &LogsJson) -> Vec<u64> {
    logs.lines.iter().map(|line| line.seq).collect()
}

#[tokio::test]
async fn parties_read_the_lines_that_are_held_page_by_page() {
    let stage = Stage::new(|config| config.limits.feed_events = 300).await;
    let provider = stage.provider(1).await;
    let job = stage.running(&provider, stage.town.controller.address(), None).await;
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.announce(&job).await;
    agent.tell(&job, phase(1, Phase::Running)).await;
    agent.log(&job, 2..=250).await;
    agent.tell(&job, phase(251, Phase::Collecting)).await;
    assert_eq!(agent.is_heard(&job).await, 251);

    let path = format!("/api/v1/jobs/{}/logs", job.id);
    let token = stage.sign_in(stage.town.renter.wallet()).await.token;
    let read = async |query: &str| stage.get_as(&format!("{path}{query}"), &token).await;
    let all: LogsJson = read("").await.json();
    assert_eq!((numbers(&all), all.next), (Vec::from_iter(2..=250), 251));
    assert_eq!((all.lines[0].stream, all.lines[0].line.as_str()), (LogStream::Stdout, "line 2"));
    let first: LogsJson = read("?limit=100").await.json();
    assert_eq!((numbers(&first), first.next), (Vec::from_iter(2..=101), 101));
    let next: LogsJson = read("?limit=100&since=101").await.json();
    assert_eq!(numbers(&next), Vec::from_iter(102..=201));
    let none: LogsJson = read("?since=251").await.json();
    assert_eq!((numbers(&none), none.next), (vec![], 251));

    // The oldest are gone: what is held begins later.
    agent.log(&job, 252..=400).await;
    assert_eq!(agent.is_heard(&job).await, 400);
    let rest: LogsJson = read("").await.json();
    assert_eq!(numbers(&rest)[0], 101);

    read("?limit=0").await.is_problem(400, "1 to 1000 lines");
    read("?limit=1001").await.is_problem(400, "1 to 1000 lines");
    stage.get(&path).await.is_problem(401, "nobody is signed in");
    let stranger = stage.sign_in(stage.town.stranger.wallet()).await.token;
    stage.get_as(&path, &stranger).await.is_problem(403, "only the job's renter");
    let unknown = format!("/api/v1/jobs/{}/logs", alloy_primitives::B256::repeat_byte(9));
    stage.get_as(&unknown, &token).await.is_problem(404, "there is no job");
}

#[tokio::test]
async fn a_plain_stream_gives_each_line_as_it_is() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(1).await;
    let job = stage.running(&provider, stage.town.controller.address(), None).await;
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.announce(&job).await;
    agent.tell(&job, phase(1, Phase::Running)).await;
    agent.log(&job, 2..=3).await;
    assert_eq!(agent.is_heard(&job).await, 3);
    let token = stage.sign_in(&provider.agent).await.token;
    let bearer = format!("Bearer {token}");
    let path = format!("/api/v1/instances/{}/logs", job.id);
    let mut all = Line::with(&stage, &path, &[("authorization", &bearer)]).await.unwrap();
    let mut back = Line::with(&stage, &format!("{path}?since=2"), &[("authorization", &bearer)]).await.unwrap();
    assert_eq!([all.text().await, all.text().await, back.text().await], ["line 2", "line 3", "line 3"]);
    agent.tell(&job, line(4, "{\"not\": \"ours\"}")).await;
    assert_eq!([all.text().await, back.text().await], ["{\"not\": \"ours\"}", "{\"not\": \"ours\"}"]);
    assert_eq!(Line::with(&stage, &path, &[]).await.err(), Some(401));
}
