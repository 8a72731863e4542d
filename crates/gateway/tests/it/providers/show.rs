//! `GET /api/v1/providers/{id}`, `/available` and `/check-new`.

use std::time::Duration;

use wire::http::{GpuJson, Page, Presence, ProviderJson};

use crate::{
    sockets::Agent,
    stage::{Stage, until},
};

async fn page(stage: &Stage, path: &str) -> Page<ProviderJson> {
    stage.get(&format!("/api/v1/providers/{path}")).await.json()
}

#[tokio::test]
async fn a_provider_is_found_by_number_owner_and_agent() {
    let stage = Stage::new(|config| config.limits.presence_fresh = Duration::ZERO).await;
    let provider = stage.provider(2).await;
    let owner = provider.account.address();
    let number = stage.market.provider_of(owner).await.unwrap().unwrap().to_string();
    let _agent = Agent::welcome(&stage, &provider).await;
    for id in [number.clone(), owner.to_string(), provider.agent.address().to_string().to_lowercase()] {
        let shown: ProviderJson = stage.get(&format!("/api/v1/providers/{id}")).await.json();
        assert_eq!((&shown.id, shown.owner, shown.agent), (&number, owner, provider.agent.address()));
        assert_eq!((shown.status, shown.jobs_started, shown.resources.len()), (Presence::Online, 0, 2));
        let gpus: Page<GpuJson> = stage.get("/api/v1/gpus").await.json();
        assert_eq!(shown.resources, gpus.items);
    }
    stage.get("/api/v1/providers/99").await.is_problem(404, "no provider 99 is registered");
    stage
        .get(&format!("/api/v1/providers/{}", alloy_primitives::Address::ZERO))
        .await
        .is_problem(404, "no provider 0x");
    for bad in ["seven", "0x12", "-1", "99999999999"] {
        let problem = stage.get(&format!("/api/v1/providers/{bad}")).await.is_problem(400, "a provider is its number");
        assert_eq!(problem.field.as_deref(), Some("id"));
    }
}

#[tokio::test]
async fn available_are_those_with_something_free() {
    let stage = Stage::new(|config| config.limits.presence_fresh = Duration::ZERO).await;
    let (one, two) = (stage.provider(2).await, stage.provider(1).await);
    assert_eq!(page(&stage, "available").await.items, []);
    let _agents = (Agent::welcome(&stage, &one).await, Agent::welcome(&stage, &two).await);
    let first = page(&stage, "available?limit=1").await;
    let cursor = first.next_cursor.unwrap();
    let second = page(&stage, &format!("available?limit=1&cursor={cursor}")).await;
    assert_eq!(second.next_cursor, None);
    let owners = [&first.items[0], &second.items[0]].map(|provider| provider.owner);
    assert_eq!(owners, [one.account.address(), two.account.address()]);

    two.account.update_availability(two.resource(0), false).await.unwrap();
    until(async || page(&stage, "available").await.items.len() == 1).await;
}

#[tokio::test]
async fn who_is_new_is_newer_than_what_was_seen() {
    let stage = Stage::new(|_| ()).await;
    let old = stage.provider(0).await;
    let since = page(&stage, "check-new?since=1970-01-01T00:00:00Z").await.items[0].registered_at;
    stage.town.advance(market::Seconds(10)).await.unwrap();
    let new = stage.provider(0).await;
    stage.indexed().await;
    let owners = async |since: jiff::Timestamp| {
        let found = page(&stage, &format!("check-new?since={since}")).await.items;
        found.into_iter().map(|provider| provider.owner).collect::<Vec<_>>()
    };
    let all = owners(since).await;
    assert!(all[0] == new.account.address() && all.contains(&old.account.address()), "{all:?}");
    assert_eq!(owners(since + jiff::SignedDuration::from_secs(5)).await, [new.account.address()]);
    for (query, field) in
        [("", "since"), ("?since=yesterday", "since"), ("?since=1970-01-01T00:00:00Z&limit=0", "limit")]
    {
        let problem = stage.get(&format!("/api/v1/providers/check-new{query}")).await.is_problem(400, "");
        assert_eq!(problem.field.as_deref(), Some(field), "{query}");
    }
}
