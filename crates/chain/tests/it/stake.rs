//! Stake: put down, tied, asked back, taken; reservations that cost something to cancel.

use alloy::primitives::Address;
use chain::{ChainError, MarketEvent as E, MarketRevert as R, Mined, SlashStatus};
use market::{Amount, BasisPoints, PerHour, ResourceId, Seconds, rules};
use testkit::TestMarket;
use wire::Terms;

const PRICE: PerHour = PerHour(3_600_000);

fn check(done: Result<Mined, ChainError>, expected: &R) {
    let error = done.unwrap_err();
    assert_eq!(error.revert(), Some(expected), "{error}");
}

async fn state(t: &TestMarket, resource: ResourceId) -> chain::ResourceState {
    t.market.resource(resource).await.unwrap().unwrap()
}

#[tokio::test]
async fn stake_is_tied_to_a_job_and_comes_back_after_fourteen_days() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    let staked = t.stake(resource, Amount(5_000_000)).await.unwrap();
    let (from, amount) = (t.owner.address(), Amount(5_000_000));
    assert_eq!(staked.events, [E::Staked { resource, from, amount, stake: amount }]);
    let terms = t.terms(resource, PRICE);
    t.renter.create_job(&terms).await.unwrap();
    let accepted = t.agent.accept_job(&terms).await.unwrap();
    let job = t.market.job_id(&terms);
    assert_eq!(accepted.events, [E::JobAccepted { job, cover: Seconds(3600) }]);
    let found = state(&t, resource).await;
    assert_eq!((found.stake, found.tied, found.free()), (amount, Amount(3_600_000), Amount(1_400_000)));

    let asked = Amount(1_400_001);
    check(t.owner.unstake(resource, asked).await, &R::NotEnoughStake { asked, free: Amount(1_400_000) });
    check(t.stranger.unstake(resource, Amount(1)).await, &R::NotAllowed(t.stranger.address()));
    let unstaked = t.owner.unstake(resource, Amount(1_400_000)).await.unwrap();
    let [E::UnstakeRequested { unbonding: Amount(1_400_000), available_at, .. }] = unstaked.events[..] else {
        panic!("{:?}", unstaked.events)
    };
    assert_eq!(available_at, unstaked.timestamp.after(rules::UNBONDING));
    assert_eq!(state(&t, resource).await.free(), Amount::ZERO);
    let to = Address::repeat_byte(0x77);
    check(t.owner.withdraw_stake(resource, to).await, &R::TooEarly(available_at));
    t.advance(rules::UNBONDING).await.unwrap();
    let taken = t.owner.withdraw_stake(resource, to).await.unwrap();
    assert_eq!(taken.events, [E::Unstaked { resource, to, amount: Amount(1_400_000), stake: Amount(3_600_000) }]);
    assert_eq!(t.market.token_balance(to).await.unwrap(), Amount(1_400_000));
    check(t.owner.withdraw_stake(resource, to).await, &R::NothingDue);
}

#[tokio::test]
async fn who_proposes_a_slash_does_not_decide_it() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    t.stake(resource, Amount(1_000_000)).await.unwrap();
    let harmed = t.renter.address();
    let propose = async |who: &chain::Account, amount| {
        who.propose_slash(resource, harmed, Amount(amount), Amount(50_000), "bafyevidence").await
    };
    check(propose(&t.judge, 200_000).await, &R::MissingRole(t.judge.address()));
    let (asked, most) = (Amount(200_001), Amount(200_000));
    check(propose(&t.prosecutor, 200_001).await, &R::SlashTooHigh { asked, most });
    let proposed = propose(&t.prosecutor, 200_000).await.unwrap();
    let contestable_until = proposed.timestamp.after(rules::CONTEST_WITHIN);
    let evidence = "bafyevidence".to_owned();
    let (amount, loss) = (Amount(200_000), Amount(50_000));
    let told = E::SlashProposed { proposal: 1, resource, harmed, amount, loss, contestable_until, evidence };
    assert_eq!(proposed.events, [told]);
    let found = t.market.slash(1).await.unwrap().unwrap();
    assert_eq!((found.status, found.amount, found.loss), (SlashStatus::Proposed, amount, loss));
    assert_eq!((found.resource, found.harmed, found.contestable_until), (resource, harmed, contestable_until));
    assert_eq!(t.market.slash(2).await.unwrap(), None);
    assert_eq!(state(&t, resource).await.free(), Amount(800_000));

    check(t.judge.decide_slash(1, true).await, &R::WrongSlashStatus { proposal: 1, status: SlashStatus::Proposed });
    check(t.renter.contest_slash(1, "no").await, &R::NotAllowed(harmed));
    t.owner.contest_slash(1, "bafydefence").await.unwrap();
    check(t.prosecutor.decide_slash(1, true).await, &R::MissingRole(t.prosecutor.address()));
    let before = t.market.token_balance(harmed).await.unwrap();
    let decided = t.judge.decide_slash(1, true).await.unwrap();
    let (to_harmed, burned) = (loss, Amount(150_000));
    assert_eq!(decided.events.last(), Some(&E::SlashSettled { proposal: 1, slashed: true, to_harmed, burned }));
    assert_eq!(t.market.token_balance(harmed).await.unwrap(), before.saturating_add(loss));

    // Nobody contests the next one.
    propose(&t.prosecutor, 1).await.unwrap();
    check(t.stranger.execute_slash(2).await, &R::TooEarly(t.market.slash(2).await.unwrap().unwrap().contestable_until));
    t.advance(Seconds(rules::CONTEST_WITHIN.0 + 1)).await.unwrap();
    t.stranger.execute_slash(2).await.unwrap();
    assert_eq!(t.market.slash(2).await.unwrap().unwrap().status, SlashStatus::Executed);
    assert_eq!(state(&t, resource).await.stake, Amount(799_999));
}

#[tokio::test]
async fn a_reservation_can_cost_something_to_cancel() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    check(t.owner.set_cancel_fee(resource, BasisPoints(1003)).await, &R::BadCancelFee(BasisPoints(1003)));
    let cancel_fee = BasisPoints(1000);
    let changed = t.owner.set_cancel_fee(resource, cancel_fee).await.unwrap();
    assert_eq!(changed.events, [E::CancelFeeChanged { resource, cancel_fee }]);
    assert_eq!(state(&t, resource).await.cancel_fee, cancel_fee);
    let not_before = t.now().await.unwrap().after(Seconds(7200)).0.try_into().unwrap();
    let terms = Terms {
        controller: t.watcher.address(),
        notBefore: not_before,
        cancelFeeBps: 1000,
        ..t.terms(resource, PRICE)
    };
    assert!(t.market.can_create(&terms).await.unwrap());
    let session_key = Terms { controller: t.controller.address(), ..terms.clone() };
    assert!(!t.market.can_create(&session_key).await.unwrap(), "only for jobs that a watcher controls");
    t.renter.create_job(&terms).await.unwrap();
    t.agent.accept_job(&terms).await.unwrap();
    let cancelled = t.renter.cancel_job(&terms).await.unwrap();
    let job = t.market.job_id(&terms);
    // A tenth of the lock counts as earned: 352,800 for the provider, 7,200 for the platform.
    let split = terms.stream(Seconds(0), BasisPoints(200)).cancelled(cancel_fee);
    assert!(cancelled.events.contains(&E::CancelFeePaid { job, paid: split.paid, fee: split.fee }));
    assert_eq!((split.paid, split.fee, split.refunded), (Amount(352_800), Amount(7_200), Amount(3_240_000)));
}
