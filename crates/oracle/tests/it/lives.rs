//! What the events tell of a job is what the formulas give for it, however it went.

use market::{Amount, BasisPoints, Outcome, Seconds, Status, Verdict};
use oracle::receipts::{End, Life, Ruling};
use testkit::TestMarket;
use wire::Terms;

use crate::stage::{PRICE, RESULT, Stage};

/// Reads the job that ended, finalizes it where nobody has, and demands that events and formulas agree.
async fn end(stage: &Stage, terms: &Terms) -> (Life, End) {
    let read = async || Life::read(stage.id(terms), &stage.history(terms).await).unwrap();
    let (before, state) = (read().await, stage.t.market.job(stage.id(terms)).await.unwrap());
    if state.status == Status::Ended {
        assert_eq!(before.end.as_ref().unwrap().settled, None);
        stage.t.finalize(std::slice::from_ref(terms)).await.unwrap();
    }
    let life = read().await;
    let end = life.end.clone().unwrap();
    assert_eq!(before.end.unwrap().told, end.told, "the end alone tells what it costs");
    assert_eq!(end.settled, Some(end.told), "and that is what it cost");
    assert_eq!((end.seconds, &end.told), (end.counted, &end.computed), "{life:#?}");
    let sum = end.told.paid.0 + end.told.fee.0 + end.told.refunded.0;
    assert_eq!(sum, life.locked.0);
    assert_eq!(life.locked, terms.stream(life.extra, life.fee).locked());
    (life, end)
}

#[tokio::test]
async fn jobs_that_end_in_every_way() {
    let mut stage = Stage::new().await;
    let pass = async |stage: &Stage, seconds| stage.t.advance(Seconds(seconds)).await.unwrap();

    let terms = stage.start_covered().await;
    pass(&stage, 10).await;
    stage.t.agent.process_payment(&terms).await.unwrap();
    pass(&stage, 10).await;
    stage.t.agent.process_payment(&terms).await.unwrap();
    pass(&stage, 10).await;
    stage.t.agent.complete_job(&terms, Outcome::Failed, RESULT).await.unwrap();
    assert_eq!(end(&stage, &terms).await.1.outcome, Outcome::Failed);

    let terms = stage.start().await;
    pass(&stage, 50).await;
    stage.t.agent.pause_job(&terms).await.unwrap();
    pass(&stage, 500).await;
    stage.t.agent.resume_job(&terms).await.unwrap();
    pass(&stage, 50).await;
    stage.t.renter.stop_job(&terms).await.unwrap();
    let (_, stopped) = end(&stage, &terms).await;
    assert!(stopped.seconds < Seconds(200), "the pause is not billed: {stopped:?}");
    assert_eq!(stopped.outcome, Outcome::StoppedByRenter);

    let terms = stage.start().await;
    pass(&stage, 100).await;
    stage.t.agent.pause_job(&terms).await.unwrap();
    pass(&stage, 100).await;
    stage.t.agent.complete_job(&terms, Outcome::AbortedByProvider, RESULT).await.unwrap();
    assert_eq!(end(&stage, &terms).await.1.outcome, Outcome::AbortedByProvider);

    let terms = stage.start().await;
    pass(&stage, 4000).await;
    stage.t.agent.complete_job(&terms, Outcome::Succeeded, RESULT).await.unwrap();
    assert_eq!(end(&stage, &terms).await.1.seconds, Seconds(3600), "no more than was bought");
}

#[tokio::test]
async fn jobs_whose_provider_falls_silent() {
    let mut stage = Stage::new().await;
    let pass = async |stage: &Stage, seconds| stage.t.advance(Seconds(seconds)).await.unwrap();

    // Heard again, and later not.
    let terms = stage.start().await;
    pass(&stage, 300).await;
    let heard = stage.t.now().await.unwrap();
    pass(&stage, 240).await;
    stage.t.watcher.report_silence(&terms, heard).await.unwrap();
    pass(&stage, 60).await;
    stage.t.agent.resume_job(&terms).await.unwrap();
    pass(&stage, 300).await;
    let heard = stage.t.now().await.unwrap();
    pass(&stage, 240).await;
    stage.t.watcher.report_silence(&terms, heard).await.unwrap();
    pass(&stage, 1000).await;
    stage.t.stranger.close_job(&terms).await.unwrap();
    let (_, silent) = end(&stage, &terms).await;
    assert_eq!(silent.outcome, Outcome::Silent);
    assert!((Seconds(600)..Seconds(700)).contains(&silent.seconds), "{silent:?}");

    // Nobody collects, after a payment and without one.
    for paid in [true, false] {
        let terms = stage.start_covered().await;
        pass(&stage, 200).await;
        if paid {
            stage.t.agent.process_payment(&terms).await.unwrap();
        }
        pass(&stage, 3600 + 2 * 3600).await;
        stage.t.stranger.close_job(&terms).await.unwrap();
        let (life, closed) = end(&stage, &terms).await;
        assert_eq!(closed.told.paid == Amount::ZERO, !paid, "{closed:?}");
        assert_eq!(closed.told.refunded == life.locked, !paid);
    }
}

#[tokio::test]
async fn a_least_charge_is_waived_for_who_gave_up_without_having_been_paid() {
    let mut stage = Stage::new().await;
    for (outcome, waived) in [(Outcome::Succeeded, false), (Outcome::AbortedByProvider, true)] {
        let resource = stage.t.list(PRICE).await.unwrap();
        let terms = Terms { minCharge: "500000".parse().unwrap(), ..stage.t.terms(resource, PRICE) };
        stage.t.renter.create_job(&terms).await.unwrap();
        stage.begin(&terms).await;
        stage.t.advance(Seconds(5)).await.unwrap();
        stage.t.agent.complete_job(&terms, outcome, RESULT).await.unwrap();
        stage.jobs.push(terms.clone());
        let (_, end) = end(&stage, &terms).await;
        assert_eq!(end.told.paid.0 + end.told.fee.0 < 500_000, waived, "{end:?}");
    }
}

/// Reads the dispute of a job, decided or settled, and demands that events and formulas agree.
async fn ruling(stage: &Stage, terms: &Terms) -> Ruling {
    let life = Life::read(stage.id(terms), &stage.history(terms).await).unwrap();
    let ruling = life.ruling.clone().unwrap();
    assert_eq!((ruling.pot, ruling.told), (ruling.pot_computed, ruling.computed), "{life:#?}");
    let told = ruling.told;
    assert_eq!(told.paid.0 + told.fee.0 + told.refunded.0, life.locked.0);
    assert_eq!(life.end.unwrap().settled, None, "it was not settled without a verdict");
    ruling
}

#[tokio::test]
async fn jobs_that_were_disputed_in_every_way() {
    let mut stage = Stage::new().await;
    for (covered, verdict) in Verdict::ALL.into_iter().flat_map(|verdict| [(true, verdict), (false, verdict)]) {
        let terms = if covered { stage.start_covered().await } else { stage.start().await };
        stage.t.advance(Seconds(400)).await.unwrap();
        if covered {
            stage.t.agent.process_payment(&terms).await.unwrap();
        }
        stage.t.advance(Seconds(200)).await.unwrap();
        stage.t.renter.dispute_job(&terms, "slow").await.unwrap();
        let share: BasisPoints = verdict.share();
        stage.t.judge.resolve_dispute(&terms, share, "bafkreievidence").await.unwrap();
        let found = ruling(&stage, &terms).await;
        assert_eq!((found.provider, found.evidence.as_str()), (share, "bafkreievidence"));
        assert!(found.pot > Amount::ZERO, "{found:?}");
        assert_eq!(found.from_cover > Amount::ZERO, covered && verdict != Verdict::Provider, "{found:?}");
        assert_eq!(found.told.paid == Amount::ZERO, verdict == Verdict::Renter, "{found:?}");
    }
    // After its end, and decided by nobody.
    let terms = stage.job().await;
    stage.t.advance(Seconds(1800)).await.unwrap();
    stage.t.renter.dispute_job(&terms, "slow").await.unwrap();
    stage.t.advance(Seconds(market::rules::ANSWER_WITHIN.0 + 1)).await.unwrap();
    stage.t.stranger.settle_dispute(&terms).await.unwrap();
    let found = ruling(&stage, &terms).await;
    assert_eq!((found.provider, found.evidence.as_str()), (Verdict::Split.share(), ""));
}

#[tokio::test]
async fn an_extension_counts_for_the_lock() {
    let mut stage = Stage::new().await;
    let terms = stage.start().await;
    let extra = Seconds(600);
    let expiry = stage.t.now().await.unwrap().after(Seconds(100));
    let statement = wire::signed::Extend {
        jobId: stage.id(&terms).0.into(),
        extraSeconds: "600".parse().unwrap(),
        expiry: expiry.0.to_string().parse().unwrap(),
    };
    let signature = stage.t.agent.wallet().sign(&stage.t.market.domain(), &statement).unwrap();
    stage.t.renter.extend_job(&terms, extra, expiry, &signature).await.unwrap();
    stage.t.advance(Seconds(5000)).await.unwrap();
    stage.t.agent.complete_job(&terms, Outcome::Succeeded, RESULT).await.unwrap();
    let (life, end) = end(&stage, &terms).await;
    assert_eq!((life.extra, end.seconds, end.told.refunded), (extra, Seconds(4200), Amount::ZERO));
}

#[tokio::test]
async fn a_job_that_never_ran_has_no_end() {
    let mut stage = Stage::new().await;
    let terms = stage.order().await;
    stage.t.renter.cancel_job(&terms).await.unwrap();
    let life = Life::read(stage.id(&terms), &stage.history(&terms).await).unwrap();
    assert_eq!((life.end, life.started_at), (None, None));
    let t: &TestMarket = &stage.t;
    assert_eq!(Life::read(market::JobId([9; 32]), &stage.history(&terms).await), None, "{t:?}");
}
