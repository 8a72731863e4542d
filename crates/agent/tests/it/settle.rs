//! Pay after the end: at once where stake covers it, else an hour later; the agent itself collects what is left.

use market::rules::{ANSWER_WITHIN, DISPUTE_WINDOW};
use market::{Amount, JobId, Seconds, Status};
use testkit::{Need, docker_available, eventually, skip};
use wire::Terms;

use crate::stage::{Ending, LIMIT, PRICE, Stage};

/// A job of a few seconds that ended by itself.
async fn ended(stage: &Stage) -> (JobId, Terms, Ending) {
    let (job, terms) = stage.order(&stage.script("/bin/busybox sleep 2"), 600).await;
    stage.completed(job).await;
    stage.cleaned_up(job).await;
    let ending = stage.ending(job).await;
    assert!(ending.seconds >= Seconds(2), "{ending:?}");
    (job, terms, ending)
}

async fn owner_has(stage: &Stage) -> u128 {
    stage.town.market.token_balance(stage.town.owner.address()).await.unwrap().0
}

async fn becomes_final(stage: &Stage, job: JobId) {
    eventually(LIMIT, async || (stage.town.market.job(job).await.unwrap().status == Status::Final).then_some(())).await;
}

/// Stake of the machine that vouches for a job.
async fn tied(stage: &Stage) -> Amount {
    stage.town.market.resource(stage.gateway.resource()).await.unwrap().unwrap().tied
}

#[tokio::test(flavor = "multi_thread")]
async fn without_stake_all_pay_comes_when_the_agent_finalizes() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    let before = owner_has(&stage).await;
    let (job, terms, ending) = ended(&stage).await;
    let state = stage.town.market.job(job).await.unwrap();
    assert_eq!((state.status, state.cover, state.paid), (Status::Ended, Seconds(0), Seconds(0)));
    assert_eq!(owner_has(&stage).await, before, "nothing vouches for it yet");

    stage.town.advance(Seconds(DISPUTE_WINDOW.0 + 1)).await.unwrap();
    becomes_final(&stage, job).await;
    assert!(owner_has(&stage).await > before);
    stage.money_adds_up(&terms, &ending).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_of_stake_brings_the_pay_with_the_end_and_is_free_again_after_the_window() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let mut stage = Stage::new().await;
    stage.config.stake = Some(Amount(PRICE.0));
    let agent = stage.agent().await;
    let (before, fees) = (owner_has(&stage).await, stage.town.market.fees().await.unwrap());
    let (job, terms, ending) = ended(&stage).await;
    let state = stage.town.market.job(job).await.unwrap();
    let due = terms.stream(Seconds(0), state.fee).settle(ending.seconds, Seconds(0), ending.outcome);
    assert_eq!((state.status, state.paid), (Status::Ended, ending.seconds));
    assert_eq!(owner_has(&stage).await - before, due.paid.0, "paid with the end");
    assert_eq!(stage.town.market.fees().await.unwrap(), fees, "the fee is booked when nobody can dispute it");
    assert!(tied(&stage).await > Amount::ZERO);

    // An agent that was away then does it when it is back.
    agent.stop().await.unwrap();
    stage.town.advance(Seconds(DISPUTE_WINDOW.0 + 1)).await.unwrap();
    assert_eq!(stage.town.market.job(job).await.unwrap().status, Status::Ended);
    let _agent = stage.agent().await;
    becomes_final(&stage, job).await;
    assert_eq!(tied(&stage).await, Amount::ZERO);
    assert_eq!(owner_has(&stage).await - before, due.paid.0);
    assert_eq!(stage.town.market.fees().await.unwrap().0 - fees.0, due.fee.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispute_that_nobody_decides_is_settled_half_and_half() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = Stage::new().await;
    let _agent = stage.agent().await;
    let before = owner_has(&stage).await;
    let (job, terms, ending) = ended(&stage).await;
    let (other, _, _) = ended(&stage).await;
    stage.town.renter.dispute_job(&terms, "no card in it").await.unwrap();
    stage.town.advance(Seconds(DISPUTE_WINDOW.0 + 1)).await.unwrap();
    becomes_final(&stage, other).await;
    let between = owner_has(&stage).await;
    assert_eq!(stage.town.market.job(job).await.unwrap().status, Status::Disputed, "the window does not decide it");

    stage.town.advance(Seconds(ANSWER_WITHIN.0)).await.unwrap();
    becomes_final(&stage, job).await;
    let earned = PRICE.cost(ending.seconds).0;
    assert!(between > before);
    assert_eq!(owner_has(&stage).await - between, earned / 2 - earned / 2 * 200 / 10_000);
}
