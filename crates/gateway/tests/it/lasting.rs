//! What a session opened ends with it, also on sockets that stay open.

use std::time::Duration;

use wire::http::ToClient;

use crate::{
    sockets::{Agent, Line, Reader, now},
    stage::Stage,
};

#[tokio::test]
async fn topics_and_streams_end_with_the_session_that_opened_them() {
    let stage = Stage::new(|config| config.limits.sessions_looked_every = Duration::from_millis(50)).await;
    let provider = stage.provider(1).await;
    let job = stage.running(&provider, stage.town.controller.address(), None).await;
    let topic = format!("job:{}", job.id);
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.announce(&job).await;
    let token = stage.sign_in(stage.town.renter.wallet()).await.token;
    let bearer = format!("Bearer {token}");
    let open = async |path: &str| Line::with(&stage, path, &[("authorization", &bearer)]).await.unwrap();
    let mut reader = Reader(open("/api/v1/ws").await);
    assert_eq!(reader.ask(&topic, 0).await.0, "SUBSCRIBED");
    assert!(reader.held().await.is_empty());
    // What needs no session, or another right, is not touched.
    let mut proven = Reader(open("/api/v1/ws").await);
    proven.subscribe(&stage, &job, &job.controller, 0, now()).await;
    assert_eq!([proven.notice(&job).await.0, proven.notice(&job).await.0], ["SUBSCRIBED", "CURRENT"]);
    let mut logs = open(&format!("/api/v1/instances/{}/logs", job.id)).await;
    let mut metrics = open(&format!("/api/v1/instances/{}/metrics", job.id)).await;
    agent.log(&job, [1]).await;
    assert_eq!((reader.news(&job, 1).await, proven.news(&job, 1).await), (vec![1], vec![1]));
    assert_eq!(logs.text().await, "line 1");

    let logout = stage.http().post(stage.url("/api/v1/auth/logout")).bearer_auth(&token);
    assert_eq!(logout.send().await.unwrap().status(), 204);
    let ToClient::Notice { topic: of, kind, .. } = reader.hear().await else { panic!("no notice") };
    assert_eq!((of, kind.as_str()), (topic.clone(), "ENDED"));
    for line in [&mut logs, &mut metrics] {
        assert!(line.hear::<String>().await.unwrap_err().contains("the session that opened this is over"));
    }
    agent.log(&job, [2]).await;
    assert_eq!(proven.news(&job, 1).await, [2]);
    let (kind, _) = reader.ask(&topic, 0).await;
    assert_eq!(kind, "REFUSED", "and nothing came before that");
}
