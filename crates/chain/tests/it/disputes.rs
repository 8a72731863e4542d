//! Disputes and their verdicts; orders that others fill.

use alloy::primitives::{B256, U256};
use chain::{ChainError, MarketEvent as E, MarketRevert as R, Mined, Order, calls};
use market::{Amount, BasisPoints, Outcome, PerHour, Seconds, Status, rules};
use testkit::TestMarket;
use wire::Terms;

const PRICE: PerHour = PerHour(3_600_000);

fn check(done: Result<Mined, ChainError>, expected: &R) {
    let error = done.unwrap_err();
    assert_eq!(error.revert(), Some(expected), "{error}");
}

/// A job of the renter's whose clock runs, and the time at which it began to.
async fn running(t: &TestMarket) -> (Terms, market::Timestamp) {
    let terms = t.terms(t.list(PRICE).await.unwrap(), PRICE);
    t.renter.create_job(&terms).await.unwrap();
    let started = t.start_job(&terms).await.unwrap().timestamp;
    (terms, started)
}

#[tokio::test]
async fn a_verdict_shares_out_what_is_disputed() {
    let t = TestMarket::start().await.unwrap();
    let (terms, started) = running(&t).await;
    let job = t.market.job_id(&terms);
    assert_eq!(t.market.dispute(job).await.unwrap(), None);
    t.advance(Seconds(600)).await.unwrap();
    check(t.stranger.dispute_job(&terms, "me too").await, &R::NotAllowed(t.stranger.address()));
    let before = t.market.token_balance(t.renter.address()).await.unwrap();
    let disputed = t.renter.dispute_job(&terms, "no card in it").await.unwrap();
    let ran = disputed.timestamp.since(started);
    let pot = PRICE.cost(ran);
    let bond = market::bond(pot, Amount::ZERO);
    let reason = "no card in it".to_owned();
    let [E::JobEnded { outcome: Outcome::Disputed, refunded, .. }, told] = &disputed.events[..] else {
        panic!("{:?}", disputed.events)
    };
    assert_eq!(*told, E::JobDisputed { job, opener: t.renter.address(), pot, bond, reason });
    let dispute = t.market.dispute(job).await.unwrap().unwrap();
    assert_eq!((dispute.opener, dispute.opened_at), (t.renter.address(), disputed.timestamp));
    assert_eq!((dispute.pot, dispute.bond), (pot, bond));
    assert_eq!(t.market.job(job).await.unwrap().status, Status::Disputed);

    let half = BasisPoints(5000);
    check(t.prosecutor.resolve_dispute(&terms, half, "e").await, &R::MissingRole(t.prosecutor.address()));
    check(t.judge.resolve_dispute(&terms, BasisPoints(1), "e").await, &R::BadVerdict(BasisPoints(1)));
    let resolved = t.judge.resolve_dispute(&terms, half, "bafyverdict").await.unwrap();
    let returned = pot.saturating_sub(half.of(pot));
    let (by, evidence) = (t.judge.address(), "bafyverdict".to_owned());
    let told = E::DisputeResolved { job, by, provider: half, returned, from_cover: Amount::ZERO, evidence };
    assert!(resolved.events.contains(&told), "{:?}", resolved.events);
    let fee = BasisPoints(200).of(half.of(pot));
    let paid = half.of(pot).saturating_sub(fee);
    assert!(resolved.events.contains(&E::JobFinalized { job, paid, fee }), "{:?}", resolved.events);
    let back = t.market.token_balance(t.renter.address()).await.unwrap().saturating_sub(before);
    assert_eq!(back, refunded.saturating_add(returned), "with its bond");
    assert_eq!(t.market.job(job).await.unwrap().status, Status::Final);
}

#[tokio::test]
async fn a_dispute_that_nobody_judges_is_split() {
    let t = TestMarket::start().await.unwrap();
    t.deployer.set_min_bond(Amount(1234)).await.unwrap();
    assert_eq!(t.market.min_bond().await.unwrap(), Amount(1234));
    let (terms, _) = running(&t).await;
    t.advance(Seconds(10)).await.unwrap();
    t.agent.complete_job(&terms, Outcome::Succeeded, B256::ZERO).await.unwrap();
    t.owner.approve(Amount(u128::MAX)).await.unwrap();
    t.owner.dispute_job(&terms, "they lie").await.unwrap();
    let dispute = t.market.dispute(t.market.job_id(&terms)).await.unwrap().unwrap();
    assert_eq!(dispute.bond, market::bond(dispute.pot, Amount(1234)));
    let until = dispute.opened_at.after(rules::ANSWER_WITHIN);
    check(t.stranger.settle_dispute(&terms).await, &R::TooEarly(until));
    t.advance(Seconds(rules::ANSWER_WITHIN.0 + 1)).await.unwrap();
    let call = calls::dispute::settle_dispute(t.market.address(), &terms);
    let settled = t.stranger.execute(&call).await.unwrap();
    let half = |event: &E| matches!(event, E::DisputeResolved { provider: BasisPoints(5000), .. });
    assert!(settled.events.iter().any(half), "{:?}", settled.events);
    check(
        t.stranger.settle_dispute(&terms).await,
        &R::WrongStatus { job: t.market.job_id(&terms), status: Status::Final },
    );
}

#[tokio::test]
async fn an_order_is_filled_by_its_matcher_within_its_budget() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    let terms = t.terms(resource, PRICE);
    let order = Order {
        renter: t.renter.address(),
        matcher: t.stranger.address(),
        controller: terms.controller,
        specDigest: terms.specDigest,
        needsDigest: B256::repeat_byte(1),
        maxPrice: terms.pricePerHour,
        maxMinCharge: terms.minCharge,
        maxDuration: terms.maxDuration,
        budget: 5_000_000,
        expiry: t.now().await.unwrap().after(Seconds(600)).0.try_into().unwrap(),
        nonce: U256::from(7),
    };
    let signature = t.renter.wallet().sign(&t.market.domain(), &order).unwrap();
    let forged = t.stranger.wallet().sign(&t.market.domain(), &order).unwrap();
    check(t.watcher.create_job_for(&order, &signature, &terms).await, &R::NotAllowed(t.watcher.address()));
    let error = t.stranger.create_job_for(&order, &forged, &terms).await.unwrap_err();
    assert!(matches!(error.revert(), Some(R::BadSignature(_))), "{error}");
    let dearer = Terms { pricePerHour: "3600001".parse().unwrap(), ..terms.clone() };
    let error = t.stranger.create_job_for(&order, &signature, &dearer).await.unwrap_err();
    assert!(matches!(error.revert(), Some(R::BadOrder(_))), "{error}");
    let filled = t.stranger.create_job_for(&order, &signature, &terms).await.unwrap();
    let (job, spent) = (t.market.job_id(&terms), Amount(3_600_000));
    let told = E::OrderFilled { job, renter: t.renter.address(), nonce: order.nonce, spent };
    assert!(filled.events.contains(&told), "{:?}", filled.events);
    assert_eq!(t.market.order_spent(t.renter.address(), order.nonce).await.unwrap(), spent);
    let (other, left) = (t.list(PRICE).await.unwrap(), Amount(1_400_000));
    let error = t.stranger.create_job_for(&order, &signature, &t.terms(other, PRICE)).await;
    check(error, &R::OverBudget { needed: spent, left });
    assert_ne!(t.market.court().await.unwrap(), t.market.address());
}
