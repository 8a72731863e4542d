//! `GET /api/v1/gpus`.

use std::time::Duration;

use market::PerHour;
use wire::http::{GpuJson, Page};

use crate::{sockets::Agent, stage::Stage};

#[tokio::test]
async fn what_the_chain_says_now_wins_over_what_the_agent_says() {
    let stage = Stage::new(|config| config.limits.listing_fresh = Duration::ZERO).await;
    let provider = stage.provider(1).await;
    let _agent = Agent::welcome(&stage, &provider).await;
    let only = async || {
        let page: Page<GpuJson> = stage.get("/api/v1/gpus").await.json();
        assert_eq!((page.items.len(), &page.next_cursor), (1, &None));
        let gpu = page.items.into_iter().next().unwrap();
        assert_eq!((gpu.id, gpu.agent), (provider.gpus[0].id, provider.agent.address()));
        assert_eq!(gpu.hardware, provider.gpus[0].hardware);
        (gpu.price_per_hour, gpu.available, gpu.busy)
    };
    assert_eq!(only().await, ("3600".into(), true, false));
    provider.account.update_pricing(provider.resource(0), PerHour(7)).await.unwrap();
    provider.account.update_availability(provider.resource(0), false).await.unwrap();
    assert_eq!(only().await, ("7".into(), false, false));
}

#[tokio::test]
async fn the_chain_is_asked_once_in_a_while_however_many_ask_here() {
    let stage = Stage::new(|config| config.limits.listing_fresh = Duration::from_secs(3600)).await;
    let provider = stage.provider(1).await;
    let _agent = Agent::welcome(&stage, &provider).await;
    let price = async || stage.get("/api/v1/gpus").await.json::<Page<GpuJson>>().items[0].price_per_hour.clone();
    assert_eq!(price().await, "3600");
    provider.account.update_pricing(provider.resource(0), PerHour(7)).await.unwrap();
    assert_eq!(price().await, "3600");
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let stage = Stage::new(|_| ()).await;
    let (one, two) = (stage.provider(3).await, stage.provider(2).await);
    let _agents = (Agent::welcome(&stage, &one).await, Agent::welcome(&stage, &two).await);
    let mut expected: Vec<_> = one.gpus.iter().chain(&two.gpus).map(|gpu| gpu.id).collect();
    expected.sort_unstable();

    let (mut seen, mut sizes, mut path) = (Vec::new(), Vec::new(), "/api/v1/gpus?limit=2".to_owned());
    loop {
        let page: Page<GpuJson> = stage.get(&path).await.json();
        sizes.push(page.items.len());
        seen.extend(page.items.iter().map(|gpu| gpu.id));
        let Some(cursor) = page.next_cursor else {
            break;
        };
        path = format!("/api/v1/gpus?limit=2&cursor={cursor}");
    }
    assert_eq!((seen, sizes), (expected, vec![2, 2, 1]));
    let all: Page<GpuJson> = stage.get("/api/v1/gpus?limit=5").await.json();
    assert_eq!((all.items.len(), all.next_cursor), (5, None));
}

#[tokio::test]
async fn limits_and_cursors_out_of_range_name_their_field() {
    let stage = Stage::new(|_| ()).await;
    let check = async |query: &str, field: &str, words: &str| {
        let problem = stage.get(&format!("/api/v1/gpus?{query}")).await.is_problem(400, words);
        assert_eq!(problem.field.as_deref(), Some(field), "{query}");
    };
    check("limit=0", "limit", "1 to 200").await;
    check("limit=201", "limit", "1 to 200").await;
    check("limit=-1", "query", "limit").await;
    check("cursor=next", "cursor", "as the page before gave it").await;
}

#[tokio::test]
async fn an_unreachable_chain_is_said_so() {
    let stage = Stage::new(|config| config.limits.listing_fresh = Duration::ZERO).await;
    let provider = stage.provider(1).await;
    let _agent = Agent::welcome(&stage, &provider).await;
    stage.town.dev.kill().await.unwrap();
    let answer = reqwest::get(format!("http://{}/api/v1/gpus", stage.host)).await.unwrap();
    assert_eq!(answer.headers()["retry-after"], "2");
    crate::stage::Answer::of(answer).await.is_problem(503, "the chain cannot be read now");
}
