//! Every way in which the contracts say no, as the domain's words.

use std::time::Duration;

use alloy::primitives::{Address, B256, U256, keccak256};
use chain::{ChainError, Listing, MarketEvent, MarketRevert as R, Mined};
use market::{Amount, BasisPoints, Outcome, PerHour, Seconds, Status, Timestamp};
use testkit::{TestMarket, TestMarketConfig};

const PRICE: PerHour = PerHour(3_600_000);

#[track_caller]
fn check<T: std::fmt::Debug>(result: Result<T, ChainError>, expected: &R) {
    let error = result.unwrap_err();
    assert_eq!(error.revert(), Some(expected), "{error}");
    assert!(!error.is_retryable(), "a refusal is final");
}

#[tokio::test]
async fn orders_that_cannot_be_paid_or_do_not_fit_the_listing() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    let terms = t.terms(resource, PRICE);
    let job = t.market.job_id(&terms);
    let needed = Amount(PRICE.0);

    let no_allowance = R::InsufficientAllowance { spender: t.market.address(), allowance: Amount(0), needed };
    check(t.stranger.create_job(&terms).await, &no_allowance);
    let poor = t.newcomer().await.unwrap();
    poor.approve(Amount(u128::MAX)).await.unwrap();
    let balance = t.market.token_balance(poor.address()).await.unwrap();
    poor.transfer(t.owner.address(), balance.saturating_sub(Amount(5))).await.unwrap();
    let no_money = R::InsufficientBalance { account: poor.address(), balance: Amount(5), needed };
    check(poor.create_job(&terms).await, &no_money);

    let cheap = t.terms(resource, PerHour(1));
    check(t.renter.create_job(&cheap).await, &R::PriceTooLow { offered: PerHour(1), listed: PRICE });
    let unknown = market::ResourceId([9; 32]);
    check(t.renter.create_job(&t.terms(unknown, PRICE)).await, &R::UnknownResource(unknown));
    let mut greedy = t.terms(resource, PRICE);
    greedy.minCharge = greedy.pricePerHour;
    check(t.renter.create_job(&greedy).await, &R::BadTerms("minCharge".into()));

    t.renter.create_job(&terms).await.unwrap();
    check(t.renter.create_job(&terms).await, &R::JobExists(job));
    let both = [t.terms(resource, PRICE), terms.clone()];
    check(t.renter.create_jobs(&both).await, &R::JobExists(job));
    let first = t.market.job(t.market.job_id(&both[0])).await.unwrap();
    assert_eq!(first.status, Status::None, "all or nothing");

    t.agent.accept_job(&terms).await.unwrap();
    check(t.renter.create_job(&t.terms(resource, PRICE)).await, &R::ResourceBusy(resource));
    t.owner.update_availability(resource, false).await.unwrap();
    check(t.renter.create_job(&t.terms(resource, PRICE)).await, &R::ResourceUnavailable(resource));
    t.deployer.pause_market().await.unwrap();
    check(t.renter.create_job(&t.terms(resource, PRICE)).await, &R::MarketPaused);
    let cancelled = t.renter.cancel_job(&terms).await.unwrap();
    let expected = MarketEvent::JobCancelled { job, by: t.renter.address(), refunded: needed };
    assert_eq!(cancelled.events, [expected]);
}

#[tokio::test]
async fn steps_by_the_wrong_key_at_the_wrong_time() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    let mut terms = t.terms(resource, PRICE);
    terms.minCharge = "500000".parse().unwrap();
    let job = t.market.job_id(&terms);
    let wrong = |status| R::WrongStatus { job, status };
    let record = B256::repeat_byte(1);

    check(t.agent.accept_job(&terms).await, &wrong(Status::None));
    t.renter.create_job(&terms).await.unwrap();
    check(t.stranger.accept_job(&terms).await, &R::NotAllowed(t.stranger.address()));
    check(t.stranger.cancel_job(&terms).await, &R::NotAllowed(t.stranger.address()));
    check(t.agent.process_payment(&terms).await, &wrong(Status::Created));
    let since = t.market.job(job).await.unwrap().since;
    check(t.stranger.close_job(&terms).await, &R::TooEarly(since.after(Seconds(600))));

    let (at, signature) = t.ready(&terms, record).await.unwrap();
    check(t.agent.start_job(&terms, record, at - 500, &signature).await, &R::ReadyExpired(Timestamp(at - 500)));
    let mut later = terms.clone();
    later.notBefore = (at + 5000).try_into().unwrap();
    t.renter.create_job(&later).await.unwrap();
    check(t.agent.start_job(&later, record, at, &signature).await, &R::TooEarly(Timestamp(at + 5000)));
    let forged = t.agent.start_job(&terms, B256::repeat_byte(2), at, &signature).await.unwrap_err();
    assert!(matches!(forged.revert(), Some(R::BadSignature(_))), "{forged}");

    t.agent.start_job(&terms, record, at, &signature).await.unwrap();
    check(t.agent.process_payment(&terms).await, &R::NothingDue);
    check(t.agent.complete_job(&terms, Outcome::Silent, B256::ZERO).await, &R::BadOutcome(Outcome::Silent));
    check(t.stranger.report_silence(&terms, Timestamp(at)).await, &R::NotAllowed(t.stranger.address()));
    check(t.watcher.report_silence(&terms, Timestamp(at - 5000)).await, &R::BadLastSeen(Timestamp(at - 5000)));
    check(t.agent.resume_job(&terms).await, &wrong(Status::Running));
    t.renter.stop_job(&terms).await.unwrap();
    check(t.renter.stop_job(&terms).await, &wrong(Status::Ended));
    check(t.owner.withdraw_credit(t.owner.address()).await, &R::NothingDue);
}

#[tokio::test]
async fn listings_and_roles() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    let (owner, stranger) = (t.owner.address(), t.stranger.address());
    check(t.owner.register_provider(stranger, owner).await, &R::AlreadyRegistered(1));
    check(t.stranger.register_provider(Address::ZERO, stranger).await, &R::ZeroAddress);
    check(t.owner.set_payout(t.market.address()).await, &R::BadPayout(t.market.address()));
    check(t.owner.set_payout(t.market.token()).await, &R::BadPayout(t.market.token()));
    check(t.stranger.set_agent(owner).await, &R::UnknownProvider(stranger));
    check(t.stranger.update_pricing(resource, PRICE).await, &R::NotAllowed(stranger));
    check(t.owner.update_pricing(resource, PerHour(0)).await, &R::ZeroPrice);
    let hardware = market::Hardware {
        model: "again".into(),
        gpus: 1,
        vram: market::Mebibytes(1),
        cpus: 1,
        memory: market::Mebibytes(1),
        disk: market::Mebibytes(1),
        simulated: true,
    };
    let key = B256::from(U256::from(1));
    let again = Listing { key, price: PRICE, hardware, details: String::new() };
    check(t.owner.register_resource(&again).await, &R::ResourceExists(resource));
    let too_dear = t.owner.update_pricing(resource, PerHour(1 << 72)).await.unwrap_err();
    assert!(matches!(too_dear, ChainError::Refused { .. }), "{too_dear}");

    check(t.stranger.pause_market().await, &R::MissingRole(stranger));
    check(t.stranger.mint(stranger, Amount(1)).await, &R::MissingRole(stranger));
    check(t.deployer.set_fee(BasisPoints(501)).await, &R::FeeTooHigh(BasisPoints(501)));
    t.deployer.set_fee(BasisPoints(500)).await.unwrap();
    t.deployer.set_watcher(stranger, true).await.unwrap();
    assert!(t.market.is_watcher(stranger).await.unwrap());
    t.deployer.set_oracle(stranger, true).await.unwrap();
    assert!(t.market.is_oracle(stranger).await.unwrap());
    t.deployer.set_oracle(stranger, false).await.unwrap();
    assert!(!t.market.is_oracle(stranger).await.unwrap());
}

/// A day of pauses to the very second cannot be had on a chain whose time passes.
#[test]
fn a_day_of_pauses_is_named() {
    let job = market::JobId([7; 32]);
    let data = [&keccak256("NoPauseLeft(bytes32)")[..4], &job.0].concat();
    assert_eq!(R::decode(&data), R::NoPauseLeft(job));
}

#[tokio::test]
async fn a_key_without_coin_is_told_so() {
    let t = TestMarket::start().await.unwrap();
    t.dev.fund(t.stranger.address(), U256::from(7)).await.unwrap();
    let error = t.stranger.transfer(t.owner.address(), Amount(1)).await.unwrap_err();
    let expected = (t.stranger.address(), U256::from(7));
    assert!(
        matches!(error, ChainError::InsufficientGas { account, balance } if (account, balance) == expected),
        "{error}"
    );
    t.dev.fund(t.stranger.address(), U256::from(10).pow(U256::from(18))).await.unwrap();
    t.stranger.transfer(t.owner.address(), Amount(1)).await.unwrap();
}

/// What simulation could not see: the call was in time when it was sent and too late when it was mined.
#[tokio::test]
async fn a_revert_in_a_block_is_explained_too() {
    let config = TestMarketConfig { receipt_timeout: Duration::from_secs(20), ..TestMarketConfig::default() };
    let t = TestMarket::with(config).await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    let terms = t.terms(resource, PRICE);
    let created = t.renter.create_job(&terms).await.unwrap();
    t.dev.automine(false).await.unwrap();
    let late = async {
        super::pool::wait_for(&t, t.agent.address(), 1).await;
        t.advance(Seconds(601)).await.unwrap();
    };
    let (accepted, ()) = tokio::join!(t.agent.accept_job(&terms), late);
    check::<Mined>(accepted, &R::TooLate(created.timestamp.after(Seconds(600))));
}
