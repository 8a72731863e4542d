//! A job from its order to its settlement.

use std::time::Duration;

use alloy::primitives::B256;
use chain::MarketEvent;
use market::{Amount, Outcome, PerHour, Seconds, Status};
use testkit::TestMarket;

#[tokio::test]
async fn a_job_runs_and_is_settled_to_the_unit() {
    let t = TestMarket::start().await.unwrap();
    let price = PerHour(3_600_000);
    let resource = t.list(price).await.unwrap();
    let terms = t.terms(resource, price);
    let job = t.market.job_id(&terms);
    // Stake of an hour's price: every second is paid at once.
    t.stake(resource, Amount(3_600_000)).await.unwrap();
    let before = t.market.token_balance(t.renter.address()).await.unwrap();
    let provider_before = t.market.token_balance(t.owner.address()).await.unwrap();

    let created = t.renter.create_job(&terms).await.unwrap();
    let [MarketEvent::JobCreated { job: named, terms: logged, .. }] = &created.events[..] else {
        panic!("{:?}", created.events)
    };
    assert_eq!((*named, &**logged), (job, &terms));
    let locked = before.saturating_sub(t.market.token_balance(t.renter.address()).await.unwrap());
    assert_eq!(locked, Amount(3_600_000));

    t.agent.accept_job(&terms).await.unwrap();
    assert!(t.market.resource(resource).await.unwrap().unwrap().busy);
    let record = B256::repeat_byte(9);
    let (at, signature) = t.ready(&terms, record).await.unwrap();
    let started = t.agent.start_job(&terms, record, at, &signature).await.unwrap();
    // What is payable grows with time, not with blocks.
    let head = t.chain.head().await.unwrap();
    let two_seconds = async || (t.market.payable_now(&terms).await.unwrap() >= Amount(980 * 2)).then_some(());
    testkit::eventually(Duration::from_secs(20), two_seconds).await;
    assert_eq!(t.chain.head().await.unwrap(), head);
    t.advance(Seconds(100)).await.unwrap();
    assert!(t.market.payable_now(&terms).await.unwrap() >= Amount(980 * 100));
    t.agent.process_payment(&terms).await.unwrap();
    t.advance(Seconds(200)).await.unwrap();
    let done = t.agent.complete_job(&terms, Outcome::Succeeded, B256::repeat_byte(7)).await.unwrap();

    let ran = done.timestamp.since(started.timestamp);
    let state = t.market.job(job).await.unwrap();
    assert_eq!((state.status, state.outcome, state.paid), (Status::Ended, Outcome::Succeeded, ran));
    let split = terms.stream(Seconds(0), state.fee).settle(ran, Seconds(0), Outcome::Succeeded);
    let paid = t.market.token_balance(t.owner.address()).await.unwrap().saturating_sub(provider_before);
    assert_eq!(paid, split.paid);
    assert_eq!(t.market.fees().await.unwrap(), Amount::ZERO, "booked once the job is final");
    let left = t.market.token_balance(t.renter.address()).await.unwrap();
    assert_eq!(left, before.saturating_sub(locked).saturating_add(split.refunded));
    let enders: Vec<_> = done
        .events
        .iter()
        .filter_map(|event| match event {
            MarketEvent::JobEnded { by, .. } => Some(*by),
            _ => None,
        })
        .collect();
    assert_eq!(enders, [t.agent.address()]);
    assert_eq!(state.cover, Seconds(3600));
    assert_eq!(t.market.resource(resource).await.unwrap().unwrap().free(), Amount::ZERO);

    let refused = t.stranger.finalize(std::slice::from_ref(&terms)).await.unwrap_err();
    assert!(matches!(refused.revert(), Some(chain::MarketRevert::TooEarly(_))), "{refused}");
    let finalized = t.finalize(std::slice::from_ref(&terms)).await.unwrap();
    assert_eq!(finalized.events, [MarketEvent::JobFinalized { job, paid: split.paid, fee: split.fee }]);
    assert_eq!(t.market.fees().await.unwrap(), split.fee);
    assert_eq!(t.market.job(job).await.unwrap().status, Status::Final);
    assert_eq!(t.market.resource(resource).await.unwrap().unwrap().free(), Amount(3_600_000));
}
