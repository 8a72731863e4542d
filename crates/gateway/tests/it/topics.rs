//! `GET /api/v1/ws`: the topics of providers, and those of jobs for who is signed in.

use std::time::Duration;

use chain::Wallet;
use market::PerHour;
use wire::{
    http::{FromClient, Presence, ProviderNews, ToClient},
    link::FromAgent,
};

use crate::{
    metrics::machine,
    sockets::{Agent, Line, Reader, beat, now},
    stage::{Provider, Stage},
};

impl Stage {
    async fn number(&self, provider: &Provider) -> u32 {
        self.market.provider_of(provider.account.address()).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn a_provider_is_followed_by_everybody_and_nothing_is_missed_or_seen_twice() {
    let stage = Stage::new(|config| config.limits.metrics_apart = Duration::ZERO).await;
    let provider = stage.provider(1).await;
    let topic = format!("provider:{}", stage.number(&provider).await);
    let mut early = Reader::connect(&stage).await;
    assert_eq!(early.ask(&topic, 0).await.0, "SUBSCRIBED");

    let mut agent = Agent::welcome(&stage, &provider).await;
    let first = early.of_provider().await;
    let online = ProviderNews::ProviderStatusChanged { status: Presence::Online };
    // Being listed may be told before, when the board reads it after the subscription.
    let first = if first.news == online { first } else { early.of_provider().await };
    assert_eq!(first.news, online);
    for place in 1..=3 {
        let metrics = machine(now() - 3 + place);
        agent.line.say(&FromAgent::Metrics { machine: metrics, jobs: vec![] }).await;
        let event = early.of_provider().await;
        assert_eq!((event.seq, event.news), (first.seq + place, ProviderNews::GpuMetricsUpdate { metrics }));
    }
    provider.account.update_pricing(provider.resource(0), PerHour(7200)).await.unwrap();
    let event = early.of_provider().await;
    assert_eq!(event.seq, first.seq + 4);
    assert!(matches!(event.news, ProviderNews::GpuChanged { gpu } if gpu.price_per_hour.amount == "7200"));

    // Who comes back from a place gets what came after it; who was here before the gateway started is told so.
    let mut back = Reader::connect(&stage).await;
    assert_eq!(back.ask(&topic, first.seq + 2).await.0, "SUBSCRIBED");
    assert_eq!(back.held().await, [(first.seq + 3).to_string(), (first.seq + 4).to_string()]);
    let mut old = Reader::connect(&stage).await;
    assert_eq!(old.ask(&topic, 5).await.0, "SUBSCRIBED");
    assert_eq!(old.held().await[0], "RESYNC");
}

#[tokio::test]
async fn a_silent_agent_makes_its_provider_stale_and_offline_by_time_alone() {
    let stage = Stage::new(|config| {
        config.limits.stale_after = Duration::from_secs(1);
        config.limits.offline_after = Duration::from_secs(2);
    })
    .await;
    let provider = stage.provider(1).await;
    let topic = format!("provider:{}", stage.number(&provider).await);
    let mut agent = Agent::welcome(&stage, &provider).await;
    let mut reader = Reader::connect(&stage).await;
    assert_eq!(reader.ask(&topic, 0).await.0, "SUBSCRIBED");
    let mut statuses = Vec::new();
    let mut hears = async |count: usize| {
        let mut heard = Vec::new();
        while heard.len() < count {
            if let ProviderNews::ProviderStatusChanged { status } = reader.of_provider().await.news {
                heard.push(status);
            }
        }
        statuses.extend(heard);
        statuses.clone()
    };
    assert_eq!(hears(3).await, [Presence::Online, Presence::Stale, Presence::Offline]);
    agent.line.say(&beat(&stage, &provider.agent, now())).await;
    assert_eq!(hears(1).await[3..], [Presence::Online]);
}

#[tokio::test]
async fn topics_that_are_none_are_refused() {
    let stage = Stage::new(|_| ()).await;
    let mut reader = Reader::connect(&stage).await;
    for (topic, words) in [
        ("provider:999", "no provider with this number"),
        ("provider:x", "a topic is job:"),
        ("marketplace", "a topic is job:"),
    ] {
        let (kind, detail) = reader.ask(topic, 0).await;
        assert!(kind == "REFUSED" && detail.contains(words), "{kind} {detail}");
    }
}

#[tokio::test]
async fn a_session_opens_the_topics_of_its_own_jobs_as_long_as_it_lasts() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(1).await;
    let job = stage.running(&provider, stage.town.controller.address(), None).await;
    let topic = format!("job:{}", job.id);
    let mut agent = Agent::welcome(&stage, &provider).await;
    agent.announce(&job).await;
    agent.log(&job, 1..=2).await;
    assert_eq!(agent.is_heard(&job).await, 2);

    for party in [stage.town.renter.wallet(), &stage.town.controller, provider.account.wallet(), &provider.agent] {
        let token = format!("Bearer {}", stage.sign_in(party).await.token);
        let mut reader = Reader(Line::with(&stage, "/api/v1/ws", &[("authorization", &token)]).await.unwrap());
        assert_eq!(reader.ask(&topic, 0).await.0, "SUBSCRIBED");
        assert_eq!(reader.held().await, ["1", "2"]);
    }
    let stranger = stage.sign_in(&Wallet::random()).await.token;
    let bearer = format!("Bearer {stranger}");
    let mut reader = Reader(Line::with(&stage, "/api/v1/ws", &[("authorization", &bearer)]).await.unwrap());
    let (kind, detail) = reader.ask(&topic, 0).await;
    assert!(kind == "REFUSED" && detail.contains("only the job's renter"), "{detail}");
    let mut reader = Reader::connect(&stage).await;
    let (kind, detail) = reader.ask(&topic, 0).await;
    assert!(kind == "REFUSED" && detail.contains("nobody") || detail.contains("sign in"), "{detail}");

    // A session that is over opens nothing more, also on a socket that it opened before.
    let token = stage.sign_in(stage.town.renter.wallet()).await.token;
    let bearer = format!("Bearer {token}");
    let mut reader = Reader(Line::with(&stage, "/api/v1/ws", &[("authorization", &bearer)]).await.unwrap());
    let logout = stage.http().post(stage.url("/api/v1/auth/logout")).bearer_auth(&token);
    assert_eq!(logout.send().await.unwrap().status(), 204);
    assert_eq!(reader.ask(&topic, 0).await.0, "REFUSED");
    assert_eq!(Line::with(&stage, "/api/v1/ws", &[("authorization", &bearer)]).await.err(), Some(401));
}

#[tokio::test]
async fn a_cookie_opens_a_socket_only_from_our_own_pages() {
    let stage = Stage::new(|_| ()).await;
    let cookie = format!("bourse_session={}", stage.sign_in(&Wallet::random()).await.token);
    let origin = stage.url("");
    let open = async |headers: &[(&str, &str)]| Line::with(&stage, "/api/v1/ws", headers).await.err();
    assert_eq!(open(&[("cookie", &cookie), ("origin", &origin)]).await, None);
    assert_eq!(open(&[("cookie", &cookie), ("origin", "http://evil.example")]).await, Some(403));
    assert_eq!(open(&[("cookie", &cookie)]).await, Some(403));
    assert_eq!(open(&[("origin", "http://evil.example")]).await, None, "without a session everything is public");
    let mut reader = Reader(Line::open(&stage, "/api/v1/ws").await);
    reader.0.say(&FromClient::Unsubscribe { topic: "provider:1".into() }).await;
    assert!(matches!(reader.hear().await, ToClient::Notice { kind, .. } if kind == "REFUSED"));
}
