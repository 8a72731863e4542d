//! Only the agent's own, new beats for this job are signs of life, and only a silence that could be heard stops a clock.

use std::process::Command;

use market::{Outcome, Seconds, Status};
use renter::{Ending, Update};
use testkit::eventually;

use crate::stage::{Following, Job, PATIENCE, Stage, completion, wall};

/// Something told between two halves of a silence.
type Sign = fn(&Stage, &Job);

/// Lets 200 s pass after a beat, tells the sign, lets another 100 s pass: more than four beats without the sign.
async fn after(stage: &Stage, sign: Sign) -> (Job, Following) {
    stage.gateway.forget();
    let done = stage.gateway.readies().len();
    let job = stage.place().await;
    let following = stage.follow(&job);
    stage.stand_ready(&job);
    stage.start(&job, done + 1).await;
    following.sees(|update| matches!(update, Update::Started { .. })).await;
    stage.gateway.tell(stage.beat(&job, 5));
    stage.is_heard(&following, "first").await;
    stage.passes(Seconds(200), &job, &following).await;
    sign(stage, &job);
    stage.is_heard(&following, "second").await;
    stage.town.advance(Seconds(100)).await.unwrap();
    (job, following)
}

#[tokio::test]
async fn what_is_no_sign_of_life_does_not_keep_a_clock_running() {
    let stage = Stage::new().await;
    let signs: [(&str, Sign); 6] = [
        ("nothing", |_, _| ()),
        ("forged", |stage, job| {
            let stranger = stage.town.stranger.wallet();
            stage.gateway.tell(stage.beat_of(stranger, vec![job.file.job_id], stage.lately + 6));
        }),
        ("replayed", |stage, job| stage.gateway.tell(stage.beat(job, 5))),
        ("older", |stage, job| stage.gateway.tell(stage.beat(job, 4))),
        ("of another job", |stage, _| {
            let other = alloy_primitives::B256::repeat_byte(8);
            stage.gateway.tell(stage.beat_of(stage.town.agent.wallet(), vec![other], stage.lately + 6));
        }),
        ("of the future", |stage, job| {
            let agent = stage.town.agent.wallet();
            stage.gateway.tell(stage.beat_of(agent, vec![job.file.job_id], wall() + 200));
        }),
    ];
    for (name, sign) in signs {
        let before = stage.money().await;
        let (job, following) = after(&stage, sign).await;
        let ending = following.end().await.unwrap();
        assert_eq!(ending.outcome, Some(Outcome::StoppedByRenter), "{name}");
        assert!(ending.seconds >= Seconds(300) && ending.seconds < Seconds(400), "{name}: {ending:?}");
        let after = stage.money().await;
        assert_eq!(before.renter.saturating_sub(after.renter), ending.paid.saturating_add(ending.due), "{name}");
        assert_eq!(after.owner.saturating_sub(before.owner), ending.paid, "{name}");
        assert_eq!(stage.status(&job).await, Status::Ended, "{name}");
    }
}

#[tokio::test]
async fn a_genuine_beat_keeps_it_running() {
    let stage = Stage::new().await;
    let before = stage.money().await;
    let (job, following) = after(&stage, |stage, job| stage.gateway.tell(stage.beat(job, 6))).await;
    for round in 0..5 {
        stage.passes(Seconds(100), &job, &following).await;
        stage.gateway.tell(stage.beat(&job, 7 + round));
        stage.is_heard(&following, &format!("round {round}")).await;
    }
    let mined = stage.complete(&job, Outcome::Succeeded, &completion(&job, 0)).await;
    let ending: Ending = following.end().await.unwrap();
    assert_eq!(ending.outcome, Some(Outcome::Succeeded));
    stage.settled(before, &ending, &mined.events).await;
}

#[tokio::test]
async fn a_way_that_is_cut_proves_nothing() {
    let stage = Stage::new().await;
    let (job, following) = stage.running().await;
    stage.is_heard(&following, "before").await;
    stage.gateway.close();
    following.notes("lost the gateway").await;
    for _ in 0..3 {
        stage.passes(Seconds(5_000), &job, &following).await;
        assert_eq!(stage.status(&job).await, Status::Running);
    }
    let lost = |update: &Update| matches!(update, Update::Note(note) if note.contains("lost the gateway"));
    assert_eq!(following.count(lost), 1, "told once, however often it is tried");

    stage.gateway.open();
    stage.is_heard(&following, "after").await;
    stage.passes(Seconds(200), &job, &following).await;
    assert_eq!(stage.status(&job).await, Status::Running, "the silence counts from when it can be heard again");
    stage.town.advance(Seconds(50)).await.unwrap();
    assert_eq!(following.end().await.unwrap().outcome, Some(Outcome::StoppedByRenter));
}

/// Block time goes on in so many steps of 10 s, each a block.
async fn blocks(stage: &Stage, count: u32) {
    for _ in 0..count {
        stage.town.advance(Seconds(10)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_late_decides_nothing_about_the_past() {
    let stage = Stage::new().await;
    let job = stage.place().await;
    stage.town.agent.accept_job(&job.terms).await.unwrap();
    blocks(&stage, 55).await;
    let first = stage.follow(&job);
    stage.stand_ready(&job);
    stage.start(&job, 1).await;
    first.leave().await;
    blocks(&stage, 55).await;

    // The gateway is heard for the first time while the blocks after the acceptance are still to be read.
    stage.gateway.close();
    let (release, wait) = std::sync::mpsc::channel();
    let wait = std::sync::Mutex::new(wait);
    let late = stage.follow_with(&job, true, move |update| {
        if matches!(update, Update::Accepted { .. }) {
            tokio::task::block_in_place(|| wait.lock().unwrap().recv_timeout(PATIENCE).unwrap());
        }
    });
    late.sees(|update| matches!(update, Update::Accepted { .. })).await;
    let served = stage.gateway.served();
    stage.gateway.open();
    eventually(PATIENCE, async || (stage.gateway.served() > served).then_some(())).await;
    release.send(()).unwrap();
    stage.passes(Seconds(1), &job, &late).await;
    stage.is_heard(&late, "caught up").await;
    assert_eq!(stage.gateway.readies().len(), 1, "the clock runs already: there is nothing to agree to");
    assert_eq!(stage.status(&job).await, Status::Running);
    stage.complete(&job, Outcome::Succeeded, &completion(&job, 0)).await;
    assert_eq!(late.end().await.unwrap().outcome, Some(Outcome::Succeeded));
}

#[tokio::test]
async fn beats_count_while_the_chain_does_not_answer() {
    let stage = Stage::with(|follow| follow.heartbeat = Seconds(1)).await;
    let (job, following) = stage.running().await;
    let anvil = stage.town.dev.pid().unwrap().to_string();
    let signal = |signal: &str| assert!(Command::new("kill").args([signal, &anvil]).status().unwrap().success());
    let outage = stage.town.now().await.unwrap().0.max(wall());

    signal("-STOP");
    let mut beats = 0;
    eventually(PATIENCE, async || {
        beats += 1;
        stage.gateway.tell(stage.beat(&job, beats));
        stage.is_heard(&following, &format!("beat {beats}")).await;
        (wall() > outage + 6).then_some(())
    })
    .await;
    signal("-CONT");
    stage.passes(Seconds(1), &job, &following).await;
    stage.complete(&job, Outcome::Succeeded, &completion(&job, 0)).await;
    assert_eq!(following.end().await.unwrap().outcome, Some(Outcome::Succeeded));
}

#[tokio::test]
async fn a_way_that_opens_again_forgives_no_silence() {
    let stage = Stage::new().await;
    let (job, following) = stage.running().await;
    stage.is_heard(&following, "before").await;
    stage.passes(Seconds(150), &job, &following).await;
    stage.gateway.close();
    following.notes("lost the gateway").await;
    stage.passes(Seconds(5_000), &job, &following).await;
    stage.gateway.open();
    stage.is_heard(&following, "after").await;
    stage.passes(Seconds(50), &job, &following).await;
    assert_eq!(stage.status(&job).await, Status::Running, "150 s before and 50 s after");
    stage.town.advance(Seconds(50)).await.unwrap();
    assert_eq!(following.end().await.unwrap().outcome, Some(Outcome::StoppedByRenter));
}

#[tokio::test]
async fn a_beat_that_was_kept_back_for_long_is_no_sign_of_life() {
    let stage = Stage::new().await;
    let (job, following) = stage.running().await;
    stage.is_heard(&following, "before").await;
    stage.passes(Seconds(200), &job, &following).await;
    let agent = stage.town.agent.wallet();
    stage.gateway.tell(stage.beat_of(agent, vec![job.file.job_id], wall() - 700));
    stage.is_heard(&following, "kept back").await;
    stage.town.advance(Seconds(100)).await.unwrap();
    assert_eq!(following.end().await.unwrap().outcome, Some(Outcome::StoppedByRenter));
}

#[tokio::test]
async fn a_beat_from_a_clock_that_is_ahead_does_not_hide_those_after_it() {
    let stage = Stage::new().await;
    let ahead = |stage: &Stage, job: &Job, by: u64| {
        stage.gateway.tell(stage.beat_of(stage.town.agent.wallet(), vec![job.file.job_id], wall() + by));
    };
    let (job, following) = stage.running().await;
    ahead(&stage, &job, 100);
    stage.is_heard(&following, "dated ahead").await;
    stage.passes(Seconds(200), &job, &following).await;
    ahead(&stage, &job, 10);
    stage.is_heard(&following, "dated less far ahead").await;
    stage.passes(Seconds(200), &job, &following).await;
    assert_eq!(stage.status(&job).await, Status::Running);
    stage.complete(&job, Outcome::Succeeded, &completion(&job, 0)).await;
    assert_eq!(following.end().await.unwrap().outcome, Some(Outcome::Succeeded));
}

#[tokio::test]
async fn a_chain_that_stood_still_before_the_renter_came_tells_of_no_silence() {
    let stage = Stage::new().await;
    let (job, first) = stage.running().await;
    first.leave().await;
    let late = stage.follow(&job);
    stage.is_heard(&late, "here").await;
    stage.passes(Seconds(500), &job, &late).await;
    stage.passes(Seconds(200), &job, &late).await;
    assert_eq!(stage.status(&job).await, Status::Running, "the head may have been old; the first new block tells");
    stage.town.advance(Seconds(50)).await.unwrap();
    assert_eq!(late.end().await.unwrap().outcome, Some(Outcome::StoppedByRenter));
}
