//! What stands beside a market: addresses that buy a job, tills, scores, versions; and who may do what.

use alloy::primitives::{Address, B256};
use chain::{
    DeployConfig, DepositEvent, Deposits, MarketRevert as R, PenaltyKind, Reputation, Shares, Tills, Totals, Versions,
    WalletTill, calls, deploy,
};
use market::{Amount, BasisPoints, PerHour, Status};
use testkit::TestMarket;

const PRICE: PerHour = PerHour(3_600_000);

#[tokio::test]
async fn money_at_an_address_buys_its_job_or_goes_back() {
    let t = TestMarket::start().await.unwrap();
    let deposits = Deposits::open(t.chain.clone(), t.deployment.deposits).await.unwrap();
    assert_eq!(deposits.market(), t.market.address());
    let resource = t.list(PRICE).await.unwrap();
    let (terms, other) = (t.terms(resource, PRICE), t.terms(resource, PRICE));
    let account = deposits.account(&terms).await.unwrap();
    assert_ne!(account, deposits.account(&other).await.unwrap());
    let sweep = calls::deposits::sweep(deposits.address(), &terms);
    let short = t.stranger.execute(&sweep).await.unwrap_err();
    assert_eq!(short.revert(), Some(&R::Refused("DepositShort".into())), "{short}");
    t.stranger.transfer(account, Amount(3_600_005)).await.unwrap();
    let swept = t.watcher.execute(&sweep).await.unwrap();
    let job = B256::from(t.market.job_id(&terms).0);
    let told: Vec<_> = swept.logs.iter().filter_map(|log| deposits.event(log)).collect();
    assert_eq!(told, [DepositEvent::Swept { job, account, locked: Amount(3_600_000), excess: Amount(5) }]);
    assert_eq!(t.market.job(t.market.job_id(&terms)).await.unwrap().status, Status::Created);

    let account = deposits.account(&other).await.unwrap();
    t.stranger.transfer(account, Amount(9)).await.unwrap();
    let back = t.watcher.execute(&calls::deposits::return_deposit(deposits.address(), &other)).await.unwrap();
    let told: Vec<_> = back.logs.iter().filter_map(|log| deposits.event(log)).collect();
    let [DepositEvent::Returned { amount: Amount(9), token, .. }] = told[..] else { panic!("{told:?}") };
    assert_eq!(token, t.market.token());
}

#[tokio::test]
async fn tills_share_what_arrives() {
    let t = TestMarket::start().await.unwrap();
    let tills = Tills::open(t.chain.clone(), t.deployment.tills).await.unwrap();
    let (till, token) = (tills.till_of(1).await.unwrap(), t.market.token());
    assert_eq!(tills.fee(till).await.unwrap(), None, "not open yet, but it can be paid");
    t.renter.transfer(till, Amount(1000)).await.unwrap();
    t.stranger.execute(&calls::tills::open(tills.address(), 1)).await.unwrap();
    assert_eq!(tills.fee(till).await.unwrap(), Some(BasisPoints(200)));
    assert_eq!(tills.received(till, token).await.unwrap(), Amount(1000));
    let shares = Shares { provider: Amount(980), fee: Amount(20) };
    assert_eq!(tills.shares(till, token).await.unwrap(), shares);
    t.stranger.execute(&calls::tills::pay_provider(till, token)).await.unwrap();
    t.stranger.execute(&calls::tills::pay_fee(till, token)).await.unwrap();
    assert_eq!(tills.shares(till, token).await.unwrap(), Shares::default());
    assert_eq!(tills.fee_payee().await.unwrap(), t.deployer.address());
    let stolen = t.stranger.execute(&calls::tills::claim(till, &[])).await.unwrap_err();
    assert_eq!(stolen.revert(), Some(&R::NotAllowed(t.stranger.address())), "{stolen}");

    let wallet = WalletTill::open(t.chain.clone(), t.deployment.till).await.unwrap();
    assert_eq!((wallet.token(), wallet.treasury()), (token, t.deployer.address()));
    let approve = calls::erc20::approve(token, wallet.address(), Amount(55));
    t.stranger.execute(&approve).await.unwrap();
    let account = B256::repeat_byte(4);
    let paid = t.stranger.execute(&calls::deposits::pay_in(wallet.address(), account, Amount(55))).await.unwrap();
    let [deposit] = wallet.deposits(0, None).await.unwrap()[..] else { panic!("one") };
    assert_eq!((deposit.account, deposit.from, deposit.amount), (account, t.stranger.address(), Amount(55)));
    assert_eq!((deposit.tx, deposit.block.number), (paid.tx, paid.block));
}

#[tokio::test]
async fn scores_follow_from_what_a_reporter_counts() {
    let t = TestMarket::start().await.unwrap();
    let scores = Reputation::open(t.chain.clone(), t.deployment.reputation).await.unwrap();
    let new = scores.score(1).await.unwrap();
    assert_eq!((new.score, new.provisional, new.totals), (1000, true, Totals::default()));
    let totals = Totals { seen: 90, listed: 100, started: 10, lost: 1, ..Totals::default() };
    let report = calls::reputation::report(scores.address(), 1, &totals).unwrap();
    let refused = t.watcher.execute(&report).await.unwrap_err();
    assert_eq!(refused.revert(), Some(&R::MissingRole(t.watcher.address())), "{refused}");
    t.reporter.execute(&report).await.unwrap();
    // 0.4·0.9 + 0.2·1 + 0.3·0.9 + 0.1·0.9
    let found = scores.score(1).await.unwrap();
    assert_eq!((found.score, found.provisional, found.totals), (920, false, totals));
    let soon = t.reporter.execute(&report).await.unwrap_err();
    assert_eq!(soon.revert(), Some(&R::Refused("TooSoon".into())), "{soon}");
    let penalty = calls::reputation::penalise(scores.address(), 1, PenaltyKind::DataFraud, "bafyproof");
    t.reporter.execute(&penalty).await.unwrap();
    let found = scores.score(1).await.unwrap();
    assert_eq!((found.score, found.formula, found.penalties), (720, 920, 200));
    t.reporter.execute(&calls::reputation::reward(scores.address(), 1, 500, "bafyamends")).await.unwrap();
    assert_eq!(scores.score(1).await.unwrap().score, 920, "no more than was taken");
}

#[tokio::test]
async fn versions_name_the_successor() {
    let t = TestMarket::start().await.unwrap();
    let versions = Versions::open(t.chain.clone(), t.deployment.versions).await.unwrap();
    let first = versions.latest().await.unwrap().unwrap();
    assert_eq!((first.number, first.market, first.name.as_str()), (1, t.market.address(), "1"));
    let publish = calls::reputation::publish(versions.address(), t.market.token(), "2");
    assert!(t.stranger.execute(&publish).await.is_err());
    t.deployer.execute(&publish).await.unwrap();
    assert_eq!(versions.latest().await.unwrap().unwrap().market, t.market.token());
    assert_eq!(versions.version(1).await.unwrap(), Some(first));
    assert_eq!(versions.version(3).await.unwrap(), None);
}

#[tokio::test]
async fn nobody_judges_what_he_brought_up() {
    let t = TestMarket::start().await.unwrap();
    let key = Address::repeat_byte(5);
    let config = DeployConfig { judges: vec![key], ..DeployConfig::default() };
    let both = [
        DeployConfig { prosecutors: vec![key], ..config.clone() },
        DeployConfig { oracles: vec![key], ..config.clone() },
        DeployConfig { reporters: vec![key], ..config },
    ];
    for config in both {
        let error = deploy(&t.chain, t.stranger.wallet(), config).await.unwrap_err();
        assert!(matches!(error, chain::ChainError::BadSetup(_)), "{error}");
    }
    assert_eq!(t.chain.code(t.stranger.address().create(0)).await.unwrap().len(), 0, "nothing was created");
}
