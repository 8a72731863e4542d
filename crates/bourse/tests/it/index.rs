//! The operator's database: killed, deleted, rebuilt, and always the chain's.

use store::{Store, StoreConfig};
use testkit::eventually;

use crate::world::{self, LIMIT, World};

const DATABASE: &str = "index.sqlite";

/// Everything in the database that came from the chain.
async fn dump(world: &World) -> String {
    let store = Store::open(&StoreConfig::sqlite(&world.path(DATABASE)).unwrap()).await.unwrap();
    store.dump_index().await.unwrap()
}

/// Waits until the gateway has indexed the chain's newest block.
async fn caught_up(world: &World) {
    let head = world.market.chain.head().await.unwrap().number;
    let client = renter::GatewayClient::new(world.gateway_url().parse().unwrap()).unwrap();
    eventually(LIMIT, async || client.health().await.ok()?.indexed_block.filter(|indexed| *indexed >= head)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_killed_deleted_and_rebuilt_holds_the_same() {
    if world::engine_missing().await {
        return;
    }
    let mut world = World::with(&["--stake", "0.36"]).await;
    let mut running = world.begin(&[], "sleep 4; echo done");
    running.says("started").await;
    // The operator's process dies in the middle of a job, which goes on.
    world.kill_gateway().await;
    world.start_gateway().await;
    let ended = running.ended().await.with_code(0);
    let job = ended.answer["job"].as_str().unwrap().to_owned();
    caught_up(&world).await;

    let listed = world.verb(&["job", "list"]).await.with_code(0);
    assert_eq!(listed.answer[0]["id"].as_str(), Some(job.as_str()));
    assert_eq!(listed.answer[0]["status"], "ended");
    world.finalized(&job).await;
    caught_up(&world).await;
    let listed = world.verb(&["job", "list"]).await.with_code(0);
    assert_eq!(listed.answer[0]["status"], "final");
    let events = world.verb(&["job", "events", &job]).await.with_code(0);
    let kinds: Vec<_> = events.answer.as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    for kind in ["JobCreated", "JobAccepted", "JobStarted", "JobPaid", "JobEnded", "JobFinalized"] {
        assert!(kinds.contains(&kind), "no {kind} in {kinds:?}");
    }

    world.stop_gateway().await;
    let before = dump(&world).await;
    assert!(before.contains(&job[2..]), "the job is in the dump");
    for name in [DATABASE.to_owned(), format!("{DATABASE}-wal"), format!("{DATABASE}-shm")] {
        std::fs::remove_file(world.path(&name)).ok();
    }
    world.start_gateway().await;
    caught_up(&world).await;
    world.stop_gateway().await;
    assert_eq!(trimmed(&dump(&world).await), trimmed(&before), "every row that came from the chain came back");

    let rebuilt = world.verb(&["indexer", "rebuild"]).await.with_code(0);
    assert!(rebuilt.answer["events"].as_u64().unwrap() > 0);
    assert_eq!(trimmed(&dump(&world).await), trimmed(&before));
}

/// Without the head, which moves on while nothing happens.
fn trimmed(dump: &str) -> Vec<&str> {
    dump.lines().filter(|line| !line.starts_with("head")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_finds_what_is_offered_and_says_what_it_costs() {
    let world = World::with(&["--simulate", "h100", "--region", "eu-west"]).await;
    let found = world.verb(&["search", "h100", "--max-price", "2.5", "--min-vram", "79GiB", "--available"]).await;
    let found = found.with_code(0);
    let gpu = &found.answer[0];
    assert_eq!((&gpu["hardware"]["simulated"], &gpu["location"]), (&true.into(), &"eu-west".into()), "{}", found.text);
    assert_eq!(gpu["pricePerHour"]["amount"], "360000");
    let none = world.verb(&["search", "--max-price", "0.01"]).await.with_code(0);
    assert_eq!(none.answer.as_array().map(Vec::len), Some(0));
    let ambiguous = world.verb(&["search", "--max-price", "2"]).await;
    assert!(ambiguous.code == 0 || ambiguous.text.contains("2.0"), "{}", ambiguous.text);
}
