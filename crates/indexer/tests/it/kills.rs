//! Killed at any moment, the indexer goes on where it was: nothing is lost and nothing is doubled.

use std::{
    env,
    process::{Child, Command, Stdio},
    time::Duration,
};

use store::{Store, StoreConfig};
use testkit::{Emitter, Rng, TestDatabase, eventually, open_emitted, rng};

use crate::{
    index::{LIMIT, Running, replayed},
    story::Story,
};

/// Where the child finds the chain, and its database.
const RPC: &str = "BOURSE_TEST_RPC";
const DATABASE: &str = "BOURSE_TEST_DATABASE";
/// Deaths while old blocks are read, and while new ones come.
const DEATHS: usize = 12;

/// Not a test but the process that is killed: it indexes until then.
#[tokio::test]
#[ignore = "run by another test, as a process of its own"]
async fn the_victim() {
    let (rpc, database) = (env::var(RPC).unwrap(), env::var(DATABASE).unwrap());
    let store = Store::open(&StoreConfig::new(database.parse().unwrap())).await.unwrap();
    let index = Running::start(&open_emitted(&rpc).await, &store, 1, "victim");
    index.ended().await.unwrap();
}

fn victim(rpc: &str, database: &str) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "kills::the_victim", "--ignored", "--nocapture"]);
    command.env(RPC, rpc).env(DATABASE, database).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

async fn head(store: &Store) -> Option<u64> {
    Some(store.cursor().await.unwrap()?.head()?.number)
}

async fn is_killed_often(emitter: &Emitter, config: StoreConfig) {
    let market = emitter.market().await;
    let store = Store::open(&config).await.unwrap();
    let mut rng = rng(5);
    let mut story = Story::new(5);
    for _ in 0..300 {
        let events: Vec<_> = (0..10).flat_map(|_| story.goes_on()).collect();
        emitter.log(&events).await;
    }
    let rpc = emitter.dev.rpc();
    let mut reached = None;
    for death in 0..DEATHS {
        let mut child = victim(rpc.as_str(), config.url.as_str());
        // Killed once it has written something, or soon after.
        let newest = market.chain().head().await.unwrap().number;
        let before = reached;
        let far = eventually(LIMIT, async || {
            let now = head(&store).await;
            (now > before || now == Some(newest)).then_some(now)
        });
        far.await;
        if death % 2 == 1 {
            for _ in 0..rng.next_u64() % 4 {
                emitter.log(&story.goes_on()).await;
            }
        }
        tokio::time::sleep(Duration::from_micros(rng.next_u64() % 20_000)).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let now = head(&store).await;
        assert!(now >= reached, "what was durable stays: {now:?} after {reached:?}");
        reached = now;
        emitter.log(&story.goes_on()).await;
    }
    let index = Running::start(&market, &store, 1, "victim");
    assert_eq!(index.caught_up(&market).await.rewinds, 0);
    assert_eq!(store.dump_index().await.unwrap(), replayed(&market, 1).await);
    index.stop().await.unwrap();
}

#[tokio::test]
async fn killed_at_any_moment_it_goes_on_where_it_was() {
    for database in TestDatabase::engines() {
        let emitter = Emitter::start().await;
        is_killed_often(&emitter, StoreConfig::new(database.url())).await;
    }
}
