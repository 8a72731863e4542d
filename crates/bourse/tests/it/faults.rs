//! One party after the other is lost in the middle of a job: it ends as the protocol says and the money adds up.

use std::path::{Path, PathBuf};

use testkit::eventually;
use tokio::process::Command;

use crate::{
    engine::Engine,
    world::{self, Ended, LIMIT, World},
};

/// Counts starts where a second start would be seen, then works for some seconds.
const COUNTED: &str =
    "echo start >> /outputs/starts; for i in 1 2 3 4 5 6 7 8 9 10; do echo tick $i; sleep 1; done; echo end";

/// What was earned and what came back are the lock, the renter's wallet lost exactly the first, and the contract holds what
/// is due of it.
async fn adds_up_so_far(world: &World, before: u128, ended: &Ended) {
    let (earned, refunded) = (ended.earned(), ended.units("refunded"));
    assert_eq!(earned + refunded, 360_000, "{}", ended.text);
    assert_eq!(before - world.balances().await.0.0, earned, "{}", ended.text);
    let market = &world.market.market;
    let held = market.token_balance(market.address()).await.unwrap();
    assert_eq!(held.0, ended.units("due"), "{}", ended.text);
}

/// The same, and once nobody can dispute it any more everybody has what is his. Chain time leaves the clocks behind: for
/// the end of a test.
async fn adds_up(world: &World, before: u128, ended: &Ended) {
    adds_up_so_far(world, before, ended).await;
    let (market, earned) = (&world.market.market, ended.earned());
    world.finalized(ended.answer["job"].as_str().unwrap()).await;
    assert_eq!(before - world.balances().await.0.0, earned, "{}", ended.text);
    assert_eq!(market.fees().await.unwrap().0, earned * 200 / 10_000);
    let held = market.token_balance(market.address()).await.unwrap();
    assert_eq!(held, market.fees().await.unwrap(), "the contract holds its fees and nothing else");
}

/// Every line of the program came through once, in order.
fn all_ticks(text: &str) {
    let ticks: Vec<_> = text.lines().filter(|line| line.contains("│ tick")).collect();
    let expected: Vec<_> = (1..=10).map(|i| format!("  │ tick {i}")).collect();
    assert_eq!(ticks, expected, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_agent_comes_back_to_its_running_container() {
    if world::engine_missing().await {
        return;
    }
    let mut world = World::start().await;
    let before = world.balances().await.0.0;
    let mut job = world.begin(&["--output", "out"], COUNTED);
    job.says("tick 2").await;
    world.kill_agent().await;
    world.start_agent().await;
    let ended = job.ended().await.with_code(0);
    assert_eq!(std::fs::read_to_string(world.path("out/starts")).unwrap(), "start\n", "a program never starts twice");
    all_ticks(&ended.text);
    assert!(ended.answer["seconds"].as_u64().unwrap() >= 10, "no gap in the bill");
    adds_up(&world, before, &ended).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_stays_away_is_paid_no_longer() {
    if world::engine_missing().await {
        return;
    }
    let mut world = World::start().await;
    let before = world.balances().await.0.0;
    let mut job = world.begin(&[], "while true; do echo tick; sleep 1; done");
    job.says("│ tick").await;
    world.kill_agent().await;
    let ended = job.ended().await.with_code(3);
    assert_eq!(ended.answer["outcome"], "stoppedByRenter");
    assert!(ended.text.contains("missed its beats"), "{}", ended.text);
    assert!(ended.answer["seconds"].as_u64().unwrap() < 60);
    adds_up_so_far(&world, before, &ended).await;
    // The provider's machine comes back and cleans up: the next job finds it free.
    world.start_agent().await;
    world.job(&[], "true").await.with_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_gateway_ends_no_job_and_no_news() {
    if world::engine_missing().await {
        return;
    }
    let mut world = World::start().await;
    let before = world.balances().await.0.0;
    let mut job = world.begin(&["--output", "out"], COUNTED);
    job.says("tick 2").await;
    world.stop_gateway().await;
    job.says("lost the gateway").await;
    world.start_gateway().await;
    let ended = job.ended().await.with_code(0);
    all_ticks(&ended.text);
    adds_up(&world, before, &ended).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_that_restarts_with_its_state_settles_all_the_same() {
    if world::engine_missing().await {
        return;
    }
    let world = World::start().await;
    let before = world.balances().await.0.0;
    let mut job = world.begin(&["--output", "out"], COUNTED);
    job.says("tick 2").await;
    let world = world.restart_chain().await;
    let ended = job.ended().await.with_code(0);
    assert_eq!(std::fs::read_to_string(world.path("out/starts")).unwrap(), "start\n");
    all_ticks(&ended.text);
    adds_up(&world, before, &ended).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_engine_that_stops_mid_job_costs_the_renter_no_more() {
    if world::engine_missing().await {
        return;
    }
    let mut engine = Engine::start().await;
    let socket = engine.socket().display().to_string();
    let mut world = World::without_agent(&["--docker", &socket]).await;
    // Long enough that the agent, not the renter's patience, finds out what became of the container.
    world.heartbeat_s = 30;
    world.start_agent().await;
    let before = world.balances().await.0.0;
    let mut job = world.begin(&[], "while true; do echo tick; sleep 1; done");
    job.says("│ tick").await;
    engine.down().await;
    engine.up().await;
    let ended = job.ended().await;
    assert_ne!(ended.answer["outcome"], "succeeded", "{}", ended.text);
    assert_eq!(ended.answer["outcome"], "abortedByProvider", "{}", ended.text);
    adds_up_so_far(&world, before, &ended).await;
    world.job(&[], "true").await.with_code(0);
    // Before its engine.
    world.agent.take();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_with_a_full_disk_declines_and_everything_comes_back() {
    if world::engine_missing().await {
        return;
    }
    let mut world = World::without_agent(&[]).await;
    let disk = SmallDisk::mount(&world.path("agent"), 200).await;
    world.start_agent().await;
    let before = world.balances().await;
    disk.leave_mib(8);
    let ended = world.job(&["--input", &large_input(&world)], "true").await.with_code(5);
    assert!(ended.text.contains("declined"), "{}", ended.text);
    assert_eq!(world.balances().await, before, "a full refund");
    disk.clear();
    world.job(&["--input", &large_input(&world)], "true").await.with_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn content_beyond_an_agents_own_limit_is_declined() {
    if world::engine_missing().await {
        return;
    }
    let world = World::with(&["--store-limit", "16"]).await;
    let before = world.balances().await;
    let ended = world.job(&["--input", &large_input(&world)], "true").await.with_code(5);
    assert!(ended.text.contains("declined"), "{}", ended.text);
    assert_eq!(world.balances().await, before, "a full refund");
    world.job(&[], "true").await.with_code(0);
}

/// 40 MiB that no two blocks share.
fn large_input(world: &World) -> String {
    let bytes: Vec<u8> = (0..40 << 15).flat_map(|_| rand::random::<[u8; 32]>()).collect();
    std::fs::write(world.path("large"), bytes).unwrap();
    "large=large".into()
}

/// A file system of its own for the agent, so that it can run full.
struct SmallDisk {
    at: PathBuf,
    mib: u64,
}

impl SmallDisk {
    async fn mount(at: &Path, mib: u64) -> Self {
        std::fs::create_dir_all(at).unwrap();
        let size = format!("size={mib}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).status().await;
        assert!(mounted.unwrap().success());
        Self { at: at.to_owned(), mib }
    }

    fn leave_mib(&self, left: u64) {
        std::fs::write(self.at.join("filler"), vec![0; usize::try_from(self.mib << 20).unwrap()]).unwrap_err();
        let full = std::fs::metadata(self.at.join("filler")).unwrap().len();
        std::fs::File::options()
            .write(true)
            .open(self.at.join("filler"))
            .unwrap()
            .set_len(full - (left << 20))
            .unwrap();
    }

    fn clear(&self) {
        std::fs::remove_file(self.at.join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        std::process::Command::new("umount").arg("-l").arg(&self.at).status().ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn content_that_nobody_has_is_declined_with_a_full_refund() {
    if world::engine_missing().await {
        return;
    }
    let world = World::start().await;
    let before = world.balances().await;
    let unknown = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
    let ended = world.verb(&["run", unknown, "-y"]).await.with_code(5);
    assert!(ended.text.contains(unknown), "the reason names what is missing: {}", ended.text);
    assert_eq!(world.balances().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_writes_beyond_its_disk_is_contained() {
    if world::engine_missing().await {
        return;
    }
    let world = World::start().await;
    let before = world.balances().await.0.0;
    let script = "dd if=/dev/zero of=/outputs/big bs=1M count=200 || echo contained; sync; exit 1";
    let ended = world.job(&[], script).await.with_code(3);
    assert!(ended.text.contains("contained") || ended.text.contains("disk"), "{}", ended.text);
    adds_up(&world, before, &ended).await;
    eventually(LIMIT, async || {
        let mounts = std::fs::read_to_string("/proc/mounts").unwrap();
        (!mounts.contains(&*world.dir().to_string_lossy())).then_some(())
    })
    .await;
}
