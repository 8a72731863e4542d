//! Running a job: to its end, to a failure, detached.

use crate::world::{self, World};

/// Of an hour, in smallest units: what the provider asks unless a test says otherwise.
const PRICE: u128 = 360_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_container_runs_and_is_paid_by_the_second() {
    if world::engine_missing().await {
        return;
    }
    let world = World::start().await;
    std::fs::write(world.path("words"), "one\ntwo\n").unwrap();
    let before = world.balances().await;
    let script =
        "echo reading; wc -l < /inputs/words > /outputs/lines; id -u > /outputs/user; sleep 2; echo progress 100 done";
    let ended = world.job(&["--input", "words=words", "--output", "out"], script).await.with_code(0);

    assert_eq!(ended.answer["outcome"], "succeeded");
    assert_eq!(ended.answer["exitCode"], 0);
    assert_eq!(std::fs::read_to_string(world.path("out/lines")).unwrap().trim(), "2");
    assert_ne!(std::fs::read_to_string(world.path("out/user")).unwrap().trim(), "0", "no job runs as root");
    for step in ["chosen", "price", "pushed", "locked", "accepted", "ready", "started", "reading", "settled", "fetched"]
    {
        assert!(ended.text.contains(step), "no {step} in\n{}", ended.text);
    }

    let (earned, refunded) = (ended.earned(), ended.units("refunded"));
    let seconds = ended.answer["seconds"].as_u64().unwrap();
    assert!(seconds >= 2, "the clock ran while the program did");
    assert_eq!(earned, PRICE * u128::from(seconds) / 3600, "earned by the second");
    assert_eq!(earned + refunded, PRICE, "an hour was locked");
    assert_eq!((ended.units("paid"), ended.units("fee")), (0, 0), "without stake nothing is paid before it is certain");
    let after = world.balances().await;
    assert_eq!(before.0.0 - after.0.0, earned, "the renter lost what was earned");
    assert_eq!(after.1, before.1);

    world.finalized(ended.answer["job"].as_str().unwrap()).await;
    let settled = world.balances().await;
    assert_eq!(settled.0, after.0);
    assert_eq!(settled.1.0 - before.1.0, earned - earned * 200 / 10_000, "the provider got his share");
    assert_eq!(world.market.market.fees().await.unwrap().0, earned * 200 / 10_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_with_an_hour_of_stake_is_paid_at_once() {
    if world::engine_missing().await {
        return;
    }
    let world = World::with(&["--stake", "0.36"]).await;
    let before = world.balances().await;
    let ended = world.job(&[], "sleep 2").await.with_code(0);
    let earned = ended.earned();
    let share = earned - earned * 200 / 10_000;
    assert_eq!((ended.units("paid"), ended.units("due")), (share, earned - share), "only the fee waits");
    assert_eq!(world.balances().await.1.0 - before.1.0, share);
    world.finalized(ended.answer["job"].as_str().unwrap()).await;
    assert_eq!(world.balances().await.1.0 - before.1.0, share, "nothing was left to pay");
    assert_eq!(world.market.market.fees().await.unwrap().0, earned - share);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_fails_is_paid_to_that_second_and_its_log_is_kept() {
    if world::engine_missing().await {
        return;
    }
    let world = World::with(&["--stake", "0.36"]).await;
    let before = world.balances().await;
    let ended = world.job(&[], "echo before the fall; echo half > /outputs/half; exit 7").await.with_code(3);
    assert_eq!(ended.answer["outcome"], "failed");
    assert_eq!(ended.answer["exitCode"], 7);
    assert!(ended.answer["result"].is_string(), "what it wrote is kept");
    let log = ended.answer["log"].as_str().unwrap().to_owned();
    world.verb(&["content", "get", &log, "-o", "log.txt"]).await.with_code(0);
    assert!(std::fs::read_to_string(world.path("log.txt")).unwrap().contains("before the fall"));
    let after = world.balances().await;
    assert_eq!(before.0.0 - after.0.0, ended.earned());
    assert!(ended.units("paid") > 0 && ended.units("refunded") > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detached_job_is_watched_and_stopped_later() {
    if world::engine_missing().await {
        return;
    }
    let world = World::start().await;
    let begun =
        world.job(&["--detach"], "i=0; while true; do i=$((i+1)); echo tick $i; sleep 1; done").await.with_code(0);
    let job = begun.answer["job"].as_str().unwrap().to_owned();

    let status = world.verb(&["status", &job]).await.with_code(0);
    assert_eq!(status.answer["status"], "running");
    let mut command = world.bourse();
    command.args(["logs", "-f", &job[..12]]);
    let mut logs = world::Process::spawn(command);
    logs.says("tick 3").await;
    let stopped = world.verb(&["stop", &job[..12]]).await.with_code(0);
    assert_eq!(stopped.answer["status"], "ended");
    assert!(stopped.units("refunded") > 0);
    logs.ended().await.with_code(0);
    let listed = world.verb(&["ps"]).await.with_code(0);
    assert_eq!(listed.answer["items"][0]["outcome"], "stoppedByRenter");
    // The resource is free again: the next job finds it.
    world.job(&[], "true").await.with_code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_left_alone_is_watched_again_and_its_result_fetched_whenever() {
    if world::engine_missing().await {
        return;
    }
    let world = World::with(&["--stake", "0.36"]).await;
    let begun = world.job(&["--detach"], "sleep 5; echo kept > /outputs/kept").await.with_code(0);
    let job = &begun.answer["job"].as_str().unwrap()[..12];
    let watched = world.verb(&["watch", job, "-o", "first"]).await.with_code(0);
    assert_eq!(watched.answer["outcome"], "succeeded");
    let later = world.verb(&["result", job, "-o", "second"]).await.with_code(0);
    assert!(watched.units("paid") > 0);
    assert_eq!((later.units("paid"), later.units("due")), (watched.units("paid"), watched.units("due")));
    assert_eq!(later.answer["result"], watched.answer["result"]);
    for place in ["first/kept", "second/kept"] {
        assert_eq!(std::fs::read_to_string(world.path(place)).unwrap(), "kept\n");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_stops_its_job_and_settles() {
    if world::engine_missing().await {
        return;
    }
    let world = World::start().await;
    let mut job = world.begin(&[], "while true; do echo tick; sleep 1; done");
    job.says("│ tick").await;
    job.interrupt();
    let ended = job.ended().await.with_code(3);
    assert_eq!(ended.answer["outcome"], "stoppedByRenter");
    assert!(ended.units("refunded") > 300_000, "{}", ended.text);
}
