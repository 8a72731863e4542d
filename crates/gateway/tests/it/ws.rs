//! `GET /api/v1/ws`.

use chain::Wallet;
use wire::{
    feed::Phase,
    http::{FromClient, ToClient},
};

use crate::{
    sockets::{Agent, Line, Reader, line, now, phase},
    stage::{Stage, until},
};

#[tokio::test]
async fn every_reader_gets_all_news_once_and_in_order() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(1).await;
    let job = stage.job(&provider, 1);
    // Before the agent knows of the job.
    let mut early = Reader::follow(&stage, &job, 0).await;
    assert!(early.held().await.is_empty());
    let mut agent = Agent::welcome(&stage, &provider).await;
    assert_eq!(agent.announce(&job).await, 0);
    agent.log(&job, 1..=150).await;
    assert_eq!(early.news(&job, 150).await, Vec::from_iter(1..=150));

    // In the middle, from the beginning and from a place.
    let mut late = Reader::follow(&stage, &job, 0).await;
    let mut back = Reader::follow(&stage, &job, 120).await;
    assert_eq!(late.held().await, Vec::from_iter((1..=150).map(|seq: u64| seq.to_string())));
    assert_eq!(back.held().await, Vec::from_iter((121..=150).map(|seq: u64| seq.to_string())));
    agent.log(&job, 151..=200).await;
    for reader in [&mut early, &mut late, &mut back] {
        assert_eq!(reader.news(&job, 50).await, Vec::from_iter(151..=200));
    }
    let said = serde_json::to_value(phase(201, Phase::Done)).unwrap();
    agent.tell(&job, phase(201, Phase::Done)).await;
    let ToClient::News { event, .. } = early.hear().await else { panic!("no news") };
    assert_eq!(serde_json::to_value(event).unwrap(), said, "as the agent said it");
}

#[tokio::test]
async fn a_reader_that_is_ahead_sees_nothing_twice() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(1).await;
    let job = stage.job(&provider, 1);
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.announce(&job).await;
    // As after the gateway lost its memory: the agent tells again what this reader has seen.
    let mut reader = Reader::follow(&stage, &job, 5).await;
    assert!(reader.held().await.is_empty());
    agent.log(&job, 1..=7).await;
    assert_eq!(reader.news(&job, 2).await, [6, 7]);
}

#[tokio::test]
async fn who_is_too_far_behind_is_told_to_read_anew() {
    let stage = Stage::new(|config| config.limits.feed_events = 5).await;
    let provider = stage.provider(1).await;
    let job = stage.job(&provider, 1);
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.announce(&job).await;
    agent.log(&job, 1..=10).await;
    assert_eq!(agent.is_heard(&job).await, 10);
    let held = async |since| Reader::follow(&stage, &job, since).await.held().await;
    assert_eq!(held(0).await, ["RESYNC", "6", "7", "8", "9", "10"]);
    assert_eq!(held(4).await, ["RESYNC", "6", "7", "8", "9", "10"]);
    assert_eq!(held(5).await, ["6", "7", "8", "9", "10"]);
    assert!(held(10).await.is_empty());
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_sent_away_with_the_reason() {
    let stage = Stage::new(|config| {
        config.limits.feed_events = 64;
        config.limits.send_within = std::time::Duration::from_secs(60);
    })
    .await;
    let provider = stage.provider(1).await;
    let job = stage.job(&provider, 1);
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.announce(&job).await;
    let mut reader = Reader::follow(&stage, &job, 0).await;
    // Much more than two sockets hold.
    let text = "x".repeat(wire::feed::LOG_LINE_BYTES_MAX);
    for seq in 1..=2000 {
        agent.tell(&job, line(seq, &text)).await;
    }
    assert_eq!(agent.is_heard(&job).await, 2000);
    let mut last = 0;
    let reason = loop {
        match reader.0.hear::<ToClient>().await {
            Ok(ToClient::News { event, .. }) => {
                assert_eq!(event.seq, last + 1);
                last = event.seq;
            }
            Ok(other @ (ToClient::Provider { .. } | ToClient::Account { .. })) => panic!("{other:?}"),
            Ok(ToClient::Notice { kind, .. }) => assert_eq!(kind, "CURRENT"),
            Err(reason) => break reason,
        }
    };
    assert!(reason.contains("too slow") && last < 2000, "after {last}: {reason}");
    // Nobody else suffers.
    assert_eq!(Reader::follow(&stage, &job, 1999).await.held().await, ["2000"]);
}

#[tokio::test]
async fn strangers_and_old_signatures_are_refused() {
    let stage = Stage::new(|config| config.limits.refusals = 5).await;
    let provider = stage.provider(1).await;
    let (job, other) = (stage.job(&provider, 1), stage.job(&provider, 2));
    let mut reader = Reader::connect(&stage).await;
    let stranger = Wallet::random();
    let mut check = async |signer: &Wallet, at: u64, words: &str| {
        reader.subscribe(&stage, &job, signer, 0, at).await;
        let (kind, detail) = reader.notice(&job).await;
        assert_eq!(kind, "REFUSED");
        assert!(detail.contains(words), "{detail:?} should contain {words:?}");
    };
    check(&stranger, now(), "signature over Watch").await;
    check(&other.controller, now(), "signature over Watch").await;
    check(&job.controller, now() - 500, "check this machine's clock").await;
    reader.0.say_text("{}".into()).await;
    let said = reader.hear().await;
    assert!(matches!(&said, ToClient::Notice { kind, .. } if kind == "REFUSED"), "{said:?}");
    reader.0.say(&FromClient::Unsubscribe { topic: "job:0x00".into() }).await;
    let said = reader.hear().await;
    assert!(matches!(&said, ToClient::Notice { kind, .. } if kind == "REFUSED"), "{said:?}");
    let reason = reader.0.hear::<ToClient>().await.unwrap_err();
    assert!(reason.contains("too many messages had to be refused"), "{reason}");
}

#[tokio::test]
async fn one_socket_follows_several_jobs_up_to_its_limit() {
    let stage = Stage::new(|config| config.limits.subscriptions = 2).await;
    let provider = stage.provider(1).await;
    let [one, two, three] = [1, 2, 3].map(|salt| stage.job(&provider, salt));
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.announce(&one).await;
    agent.announce(&two).await;
    let mut reader = Reader::connect(&stage).await;
    for job in [&one, &two] {
        reader.subscribe(&stage, job, &job.renter, 0, now()).await;
        assert_eq!([reader.notice(job).await.0, reader.notice(job).await.0], ["SUBSCRIBED", "CURRENT"]);
    }
    reader.subscribe(&stage, &three, &three.renter, 0, now()).await;
    let (kind, detail) = reader.notice(&three).await;
    assert!(kind == "REFUSED" && detail.contains("at most 2 topics"), "{kind}: {detail}");

    agent.log(&two, [1]).await;
    assert_eq!(reader.news(&two, 1).await, [1]);
    reader.0.say(&FromClient::Unsubscribe { topic: format!("job:{}", two.id) }).await;
    assert_eq!(reader.notice(&two).await.0, "UNSUBSCRIBED");
    agent.log(&two, [2]).await;
    agent.log(&one, [1]).await;
    assert_eq!(reader.news(&one, 1).await, [1], "and nothing of the other");
}

#[tokio::test]
async fn clients_beyond_the_limit_and_plain_requests_get_a_problem() {
    let stage = Stage::new(|config| config.limits.clients = 1).await;
    stage.get("/api/v1/ws").await.is_problem(426, "is a WebSocket");
    let first = Line::open(&stage, "/api/v1/ws").await;
    let request = || {
        let request = stage.http().get(stage.url("/api/v1/ws"));
        let request = request.header("connection", "upgrade").header("upgrade", "websocket");
        request.header("sec-websocket-version", "13").header("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==")
    };
    let refused = crate::stage::Answer::of(request().send().await.unwrap()).await;
    refused.is_problem(503, "as many clients as it takes");
    drop(first);
    until(async || request().send().await.unwrap().status() == 101).await;
}

#[tokio::test]
async fn who_does_not_answer_pings_is_let_go() {
    let stage = Stage::new(|config| {
        config.limits.ping_every = std::time::Duration::from_millis(20);
        config.limits.idle_after = std::time::Duration::from_millis(200);
        config.limits.clients = 1;
    })
    .await;
    // A WebSocket library that is never polled answers no ping; the place becomes free.
    let _mute = Line::open(&stage, "/api/v1/ws").await;
    let url = format!("ws://{}/api/v1/ws", stage.host);
    until(async || tokio_tungstenite::connect_async(&url).await.is_ok()).await;
}
