//! A job left to the gateway's watcher: its provider falls silent, comes back, and is not paid for the gap.

use testkit::eventually;

use crate::world::{self, LIMIT, World};

async fn is_now(world: &World, job: &str, status: &str) {
    eventually(LIMIT, async || {
        let seen = world.verb(&["status", job]).await.with_code(0);
        (seen.answer["status"] == status).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_falls_silent_is_reported_and_goes_on_when_it_is_back() {
    if world::engine_missing().await {
        return;
    }
    let mut world = World::start().await;
    let before = world.balances().await.0.0;
    let begun = world.job(&["--detach"], "while true; do sleep 1; done").await.with_code(0);
    assert_eq!(begun.answer["watched"], true, "the gateway's watcher signed Ready: {}", begun.text);
    let job = begun.answer["job"].as_str().unwrap()[..12].to_owned();

    world.kill_agent().await;
    is_now(&world, &job, "silent").await;
    let events = world.verb(&["job", "events", &job]).await.with_code(0);
    let silent = events.answer.as_array().unwrap().iter().find(|event| event["type"] == "JobSilent").cloned().unwrap();
    assert_eq!(
        silent["who"].as_str().unwrap().to_lowercase(),
        world.market.watcher.address().to_string().to_lowercase()
    );

    world.start_agent().await;
    is_now(&world, &job, "running").await;
    let stopped = world.verb(&["stop", &job]).await.with_code(0);
    assert_eq!(stopped.answer["status"], "ended");
    let listed = world.verb(&["job", "list"]).await.with_code(0);
    assert!(listed.answer[0]["pausedS"].as_u64().unwrap() > 0, "the gap is not billed: {}", listed.text);
    let spent = before - world.balances().await.0.0;
    let ran = listed.answer[0]["secondsRun"].as_u64().unwrap();
    assert_eq!(spent, 360_000 * u128::from(ran) / 3600);
}
