//! `GET /api/v1/gpus`: every listing, as the chain has it and as its agent is heard.

use std::time::Duration;

use alloy_primitives::B256;
use market::PerHour;
use wire::http::{GpuJson, Page, Presence};

use crate::{
    sockets::{Agent, beat, now},
    stage::{Answer, Stage, until},
};

async fn list(stage: &Stage, query: &str) -> Page<GpuJson> {
    stage.get(&format!("/api/v1/gpus{query}")).await.json()
}

async fn ids(stage: &Stage, query: &str) -> Vec<B256> {
    list(stage, query).await.items.into_iter().map(|gpu| gpu.id).collect()
}

#[tokio::test]
async fn a_listing_is_what_the_chain_says_and_who_is_heard() {
    let stage = Stage::new(|config| config.limits.presence_fresh = Duration::ZERO).await;
    let provider = stage.provider(1).await;
    let only = async || {
        let page = list(&stage, "").await;
        assert_eq!((page.items.len(), &page.next_cursor), (1, &None));
        page.items.into_iter().next().unwrap()
    };
    let gpu = only().await;
    assert_eq!(
        (gpu.id, gpu.agent, gpu.owner),
        (provider.gpus[0].id, provider.agent.address(), provider.account.address())
    );
    assert_eq!((gpu.source.as_str(), gpu.location.as_deref()), ("bourse", Some("eu-0")));
    assert_eq!(gpu.hardware, provider.gpus[0].hardware);
    assert_eq!((gpu.price_per_hour.amount.as_str(), gpu.price_per_hour.token), ("3600", stage.market.token()));
    assert_eq!((gpu.available, gpu.busy, gpu.status, gpu.seen_at), (true, false, Presence::Offline, None));
    assert_eq!(gpu.provider, stage.market.provider_of(gpu.owner).await.unwrap().unwrap().to_string());

    let _agent = Agent::welcome(&stage, &provider).await;
    let gpu = only().await;
    assert_eq!(gpu.status, Presence::Online);
    assert!(gpu.seen_at.unwrap().as_second().abs_diff(now() as i64) < 60, "{gpu:?}");

    provider.account.update_pricing(provider.resource(0), PerHour(7)).await.unwrap();
    provider.account.update_availability(provider.resource(0), false).await.unwrap();
    until(async || {
        let gpu = only().await;
        (gpu.price_per_hour.amount.as_str(), gpu.available) == ("7", false)
    })
    .await;
}

#[tokio::test]
async fn a_job_makes_its_resource_busy_until_it_is_declined() {
    let stage = Stage::new(|_| ()).await;
    let resource = stage.town.list(PerHour(5)).await.unwrap();
    let terms = stage.town.terms(resource, PerHour(5));
    stage.town.renter.create_job(&terms).await.unwrap();
    stage.town.agent.accept_job(&terms).await.unwrap();
    until(async || list(&stage, "").await.items.first().is_some_and(|gpu| gpu.busy)).await;
    assert_eq!(ids(&stage, "?availability=now").await, [] as [B256; 0]);
    stage.town.agent.decline_job(&terms, "no").await.unwrap();
    until(async || !list(&stage, "").await.items[0].busy).await;
}

#[tokio::test]
async fn a_listing_that_a_reorganisation_took_back_is_listed_no_more() {
    let stage = Stage::new(|_| ()).await;
    let kept = stage.town.list(PerHour(5)).await.unwrap();
    stage.town.list(PerHour(6)).await.unwrap();
    until(async || ids(&stage, "").await.len() == 2).await;
    stage.town.dev.reorg(1).await.unwrap();
    until(async || ids(&stage, "").await == [B256::from(kept.0)]).await;
}

#[tokio::test]
async fn who_is_not_heard_becomes_stale_and_then_offline_and_a_beat_brings_it_back() {
    let stage = Stage::new(|config| {
        config.limits.presence_fresh = Duration::ZERO;
        config.limits.stale_after = Duration::from_secs(1);
        config.limits.offline_after = Duration::from_secs(2);
    })
    .await;
    let provider = stage.provider(1).await;
    let mut agent = Agent::welcome(&stage, &provider).await;
    let status = async || list(&stage, "").await.items[0].status;
    until(async || status().await == Presence::Stale).await;
    until(async || status().await == Presence::Offline).await;
    assert_eq!(ids(&stage, "?availability=now").await, [] as [B256; 0]);
    assert_eq!(ids(&stage, "?availability=listed").await, [provider.gpus[0].id]);
    agent.line.say(&beat(&stage, &provider.agent, now())).await;
    until(async || status().await == Presence::Online).await;
}

#[tokio::test]
async fn every_filter_reaches_the_list() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(3).await;
    let id = |number: usize| provider.gpus[number].id;
    let sorted = |mut ids: Vec<B256>| {
        ids.sort_unstable();
        ids
    };
    let all = sorted(vec![id(0), id(1), id(2)]);
    for query in
        ["", "?simulated=true&min_vram=1024&min_cpus=2&min_memory=512&min_gpus=1&source=bourse", "?availability=any"]
    {
        assert_eq!(ids(&stage, query).await, all, "{query}");
    }
    for query in ["?simulated=false", "?min_gpus=2", "?min_uptime=1", "?availability=now", "?max_price=0.000001"] {
        assert_eq!(ids(&stage, query).await, [] as [B256; 0], "{query}");
    }
    assert_eq!(ids(&stage, "?model=test+1").await, [id(1)]);
    assert_eq!(ids(&stage, "?q=eu-2").await, [id(2)]);
    assert_eq!(ids(&stage, "?location=eu-0").await, [id(0)]);
    assert_eq!(ids(&stage, "?max_price=0.003601&sort=-price").await, [id(1), id(0)]);
    assert_eq!(ids(&stage, "?sort=price&limit=2").await, [id(0), id(1)]);
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition_while_listings_come() {
    let stage = Stage::new(|_| ()).await;
    let (one, two) = (stage.provider(3).await, stage.provider(2).await);
    let mut expected: Vec<_> = one.gpus.iter().chain(&two.gpus).map(|gpu| gpu.id).collect();
    expected.sort_unstable();

    for sort in ["", "&sort=-price"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = list(&stage, &format!("?limit=2{sort}{cursor}")).await;
            seen.extend(page.items.iter().map(|gpu| gpu.id));
            let Some(next) = page.next_cursor else { break };
            cursor = format!("&cursor={next}");
            stage.provider(1).await;
        }
        seen.retain(|id| expected.contains(id));
        seen.sort_unstable();
        assert_eq!(seen, expected, "{sort}");
    }
}

#[tokio::test]
async fn what_cannot_be_meant_names_its_field() {
    let stage = Stage::new(|_| ()).await;
    let check = async |query: &str, field: &str, words: &str| {
        let problem = stage.get(&format!("/api/v1/gpus?{query}")).await.is_problem(400, words);
        assert_eq!((problem.kind.as_str(), problem.field.as_deref()), ("malformed", Some(field)), "{query}");
    };
    check("limit=0", "limit", "1 to 200").await;
    check("limit=201", "limit", "1 to 200").await;
    check("limit=-1", "limit", "invalid digit").await;
    check("limit=1&limit=2", "limit", "duplicate").await;
    check("cursor=next", "cursor", "as the page before gave it").await;
    check("sort=colour", "sort", "price, vram").await;
    check("availability=soon", "availability", "now, listed or any").await;
    check("min_uptime=101", "min_uptime", "0 to 100").await;
    check("simulated=perhaps", "simulated", "true").await;
    check("colour=red", "colour", "unknown").await;
    // Both readings of a bare integer are shown.
    check("max_price=2", "max_price", "2.0").await;
    check("max_price=2", "max_price", "0.000002").await;
    check("max_price=2.0000001", "max_price", "6 digits").await;
}

#[tokio::test]
async fn lists_are_there_while_the_chain_is_not() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(1).await;
    let host = stage.host.clone();
    stage.town.dev.kill().await.unwrap();
    let answer = reqwest::get(format!("http://{host}/api/v1/gpus")).await.unwrap();
    assert_eq!(Answer::of(answer).await.json::<Page<GpuJson>>().items[0].id, provider.gpus[0].id);
}
