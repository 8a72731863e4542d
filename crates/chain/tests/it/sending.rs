//! One key, many transactions: each is mined once, whatever happens on the way.

use std::{collections::BTreeSet, time::Duration};

use alloy::primitives::U256;
use chain::{Account, Chain, ChainConfig, ChainError, Market, SendConfig, Wallet};
use futures_util::future::join_all;
use market::{Amount, PerHour, Status};
use testkit::{TestMarket, TestMarketConfig, eventually};

use crate::pool;

const SECRET: &str = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318";

/// Sends at once what waits long by default.
fn hasty() -> SendConfig {
    SendConfig {
        bump_after: Duration::from_millis(60),
        resend_every: Duration::from_millis(20),
        ..SendConfig::default()
    }
}

/// A key with tokens, gas and the given way of sending.
async fn account(t: &TestMarket, market: Market, config: SendConfig) -> Account {
    let account = Account::new(market, Wallet::from_hex(SECRET).unwrap(), config);
    t.dev.fund(account.address(), U256::from(10).pow(U256::from(20))).await.unwrap();
    t.deployer.mint(account.address(), Amount(1_000_000)).await.unwrap();
    account
}

async fn slow(receipt_timeout: Duration) -> TestMarket {
    TestMarket::with(TestMarketConfig { receipt_timeout, ..TestMarketConfig::default() }).await.unwrap()
}

#[tokio::test]
async fn fifty_at_once_are_mined_once_each() {
    let t = TestMarket::start().await.unwrap();
    let one = account(&t, t.market.clone(), SendConfig::default()).await;
    // An account made anew for the same key and a clone share the lane.
    let other = Account::new(t.market.clone(), Wallet::from_hex(SECRET).unwrap(), SendConfig::default());
    let before = pool::mined(&t, one.address()).await;
    let to = Wallet::random().address();
    let sends = (0..50_u128).map(|i| {
        let account = [&one, &other][usize::try_from(i % 2).unwrap()].clone();
        async move { account.transfer(to, Amount(1 << (i % 10))).await }
    });
    let mined = join_all(sends).await.into_iter().collect::<Result<Vec<_>, _>>().unwrap();
    let hashes: BTreeSet<_> = mined.iter().map(|mined| mined.tx).collect();
    assert_eq!(hashes.len(), 50);
    assert_eq!(pool::mined(&t, one.address()).await, before + 50);
    assert_eq!(t.market.token_balance(to).await.unwrap(), Amount(5 * 1023));
}

/// With lanes of their own the third would take the second's nonce and, paying more, its place.
#[tokio::test]
async fn accounts_of_one_key_share_its_nonces() {
    let t = slow(Duration::from_secs(20)).await;
    let one = account(&t, t.market.clone(), SendConfig::default()).await;
    t.dev.automine(false).await.unwrap();
    let to = Wallet::random().address();
    let second_and_third = async {
        let pool = pool::wait_for(&t, one.address(), 1).await;
        let fee: u128 = pool.first_key_value().unwrap().1.max_fee_per_gas.to();
        let thrifty = SendConfig { max_fee_per_gas: fee * 3 / 4, ..SendConfig::default() };
        let other = Account::new(t.market.clone(), Wallet::from_hex(SECRET).unwrap(), thrifty);
        let third = async {
            pool::wait_for(&t, one.address(), 2).await;
            let mine = async {
                pool::wait_for(&t, one.address(), 3).await;
                t.dev.mine(1).await.unwrap();
            };
            tokio::join!(one.transfer(to, Amount(4)), mine).0.unwrap();
        };
        tokio::join!(other.transfer(to, Amount(2)), third).0.unwrap();
    };
    tokio::join!(one.transfer(to, Amount(1)), second_and_third).0.unwrap();
    assert_eq!(t.market.token_balance(to).await.unwrap(), Amount(7));
}

#[tokio::test]
async fn a_stuck_transaction_is_offered_for_more_until_the_limit() {
    let t = slow(Duration::from_secs(20)).await;
    let sender = account(&t, t.market.clone(), SendConfig { bumps_max: 3, ..hasty() }).await;
    t.dev.automine(false).await.unwrap();
    let to = Wallet::random().address();
    let watch = async {
        let mut offers = Vec::new();
        eventually(pool::LIMIT, async || {
            let pooled = pool::of(&t, sender.address()).await.into_values().next()?;
            if offers.last().is_none_or(|last: &pool::Pooled| last.hash != pooled.hash) {
                offers.push(pooled);
            }
            (offers.len() == 4).then_some(())
        })
        .await;
        for pair in offers.windows(2) {
            for fee in [|p: &pool::Pooled| p.max_fee_per_gas, |p: &pool::Pooled| p.max_priority_fee_per_gas] {
                let (before, after): (u128, u128) = (fee(&pair[0]).to(), fee(&pair[1]).to());
                assert!(after * 8 >= before * 9, "{after} is not an eighth more than {before}");
            }
        }
        // The bound holds: several more waits bring no other offer.
        let mut looks = 0;
        eventually(pool::LIMIT, async || {
            looks += 1;
            (looks == 20).then_some(())
        })
        .await;
        assert_eq!(pool::wait_for(&t, sender.address(), 1).await.into_values().next().unwrap().hash, offers[3].hash);
        t.dev.mine(1).await.unwrap();
        offers[3].hash
    };
    let (mined, last) = tokio::join!(sender.transfer(to, Amount(7)), watch);
    assert_eq!(mined.unwrap().tx, last);
    assert_eq!(t.market.token_balance(to).await.unwrap(), Amount(7), "paid once");
}

#[tokio::test]
async fn handing_in_again_changes_nothing() {
    let t = slow(Duration::from_secs(20)).await;
    let config = SendConfig { bump_after: Duration::from_secs(60), ..hasty() };
    let sender = account(&t, t.market.clone(), config).await;
    t.dev.automine(false).await.unwrap();
    let to = Wallet::random().address();
    let lose_it_twice = async {
        let first = pool::wait_for(&t, sender.address(), 1).await;
        for _ in 0..2 {
            t.dev.drop_pending().await.unwrap();
            // It comes back with the same bytes.
            let again = pool::wait_for(&t, sender.address(), 1).await;
            assert_eq!(again.values().next().unwrap().hash, first.values().next().unwrap().hash);
        }
        t.dev.mine(1).await.unwrap();
    };
    let (mined, ()) = tokio::join!(sender.transfer(to, Amount(7)), lose_it_twice);
    mined.unwrap();
    assert_eq!(t.market.token_balance(to).await.unwrap(), Amount(7), "paid once");
}

#[tokio::test]
async fn an_unknown_outcome_is_told_and_can_be_looked_up() {
    let t = slow(Duration::from_millis(300)).await;
    let price = PerHour(3_600_000);
    let terms = t.terms(t.list(price).await.unwrap(), price);
    t.dev.automine(false).await.unwrap();
    let error = t.renter.create_job(&terms).await.unwrap_err();
    let ChainError::NotMined { tx, .. } = error else { panic!("{error}") };
    assert!(!error.is_retryable(), "sending again is not the answer");
    assert_eq!(t.renter.outcome(tx).await.unwrap(), None);
    t.dev.mine(1).await.unwrap();
    let mined = t.renter.outcome(tx).await.unwrap().unwrap();
    assert_eq!((mined.tx, mined.events.len()), (tx, 1));
    assert_eq!(t.market.job(t.market.job_id(&terms)).await.unwrap().status, Status::Created);
    // The key goes on with the next nonce.
    t.dev.automine(true).await.unwrap();
    t.renter.cancel_job(&terms).await.unwrap();
}

/// Before it is out an outage invites to try again; after that nothing may.
#[tokio::test]
async fn an_outage_in_the_middle_is_an_unknown_outcome() {
    let t = slow(Duration::from_millis(800)).await;
    let sender = account(&t, t.market.clone(), hasty()).await;
    t.dev.automine(false).await.unwrap();
    let sending = tokio::spawn({
        let sender = sender.clone();
        async move { sender.transfer(Wallet::random().address(), Amount(1)).await }
    });
    pool::wait_for(&t, sender.address(), 1).await;
    let TestMarket { dev, .. } = t;
    dev.kill().await.unwrap();
    let error = sending.await.unwrap().unwrap_err();
    assert!(matches!(error, ChainError::NotMined { .. }), "{error}");
    let error = sender.transfer(Wallet::random().address(), Amount(1)).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
}

#[tokio::test]
async fn a_transaction_lost_for_good_leaves_no_gap() {
    let t = slow(Duration::from_millis(300)).await;
    let to = Wallet::random().address();
    t.dev.automine(false).await.unwrap();
    let lost = t.renter.transfer(to, Amount(1)).await.unwrap_err();
    assert!(matches!(lost, ChainError::NotMined { .. }), "{lost}");
    t.dev.drop_pending().await.unwrap();
    t.dev.automine(true).await.unwrap();
    t.renter.transfer(to, Amount(2)).await.unwrap();
    assert_eq!(t.market.token_balance(to).await.unwrap(), Amount(2));
}

/// Others wait above a transaction whose sender gave up and which the node forgot: they bring it back.
#[tokio::test]
async fn a_gap_below_is_filled_by_those_who_wait_above() {
    let t = slow(Duration::from_millis(1500)).await;
    let config = SendConfig { bump_after: Duration::from_secs(60), ..hasty() };
    let sender = account(&t, t.market.clone(), config).await;
    let (low, high) = (Wallet::random().address(), Wallet::random().address());
    t.dev.automine(false).await.unwrap();
    let given_up = tokio::spawn({
        let sender = sender.clone();
        async move { sender.transfer(low, Amount(1)).await }
    });
    pool::wait_for(&t, sender.address(), 1).await;
    let above = async {
        let done = sender.transfer(high, Amount(2)).await;
        done.map(|mined| mined.tx)
    };
    let lose = async {
        pool::wait_for(&t, sender.address(), 2).await;
        given_up.abort();
        t.dev.drop_pending().await.unwrap();
        pool::wait_for(&t, sender.address(), 2).await;
        t.dev.mine(1).await.unwrap();
    };
    let (done, ()) = tokio::join!(above, lose);
    done.unwrap();
    assert_eq!(t.market.token_balance(low).await.unwrap(), Amount(1));
    assert_eq!(t.market.token_balance(high).await.unwrap(), Amount(2));
}

/// Another program with the same key, while this one is idle and while it waits.
#[tokio::test]
async fn the_key_may_be_used_elsewhere() {
    let t = slow(Duration::from_secs(20)).await;
    let here = account(&t, t.market.clone(), SendConfig::default()).await;
    let elsewhere = Chain::connect(ChainConfig::local(t.dev.rpc())).await.unwrap();
    let elsewhere = Market::open(elsewhere, t.market.address()).await.unwrap();
    let there = account(&t, elsewhere, SendConfig::default()).await;
    let to = Wallet::random().address();
    here.transfer(to, Amount(1)).await.unwrap();
    there.transfer(to, Amount(2)).await.unwrap();
    here.transfer(to, Amount(4)).await.unwrap();

    t.dev.automine(false).await.unwrap();
    let begun = pool::mined(&t, here.address()).await;
    let in_turn = async {
        pool::wait_for(&t, here.address(), 1).await;
        let second = async {
            pool::wait_for(&t, here.address(), 2).await;
            let third = async {
                pool::wait_for(&t, here.address(), 3).await;
                t.dev.mine(1).await.unwrap();
            };
            tokio::join!(here.transfer(to, Amount(32)), third).0.unwrap();
        };
        tokio::join!(there.transfer(to, Amount(16)), second).0.unwrap();
    };
    tokio::join!(here.transfer(to, Amount(8)), in_turn).0.unwrap();
    assert_eq!(pool::mined(&t, here.address()).await, begun + 3);
    assert_eq!(t.market.token_balance(to).await.unwrap(), Amount(63));
}

#[tokio::test]
async fn a_transaction_whose_place_was_taken_is_told_apart() {
    let t = slow(Duration::from_secs(20)).await;
    let config = SendConfig { bump_after: Duration::from_secs(60), ..hasty() };
    let here = account(&t, t.market.clone(), config).await;
    let to = Wallet::random().address();
    t.dev.automine(false).await.unwrap();
    let take_its_place = async {
        let pooled = pool::wait_for(&t, here.address(), 1).await;
        let (&nonce, ours) = pooled.first_key_value().unwrap();
        pool::replace(&t, SECRET, nonce, ours.max_fee_per_gas.to::<u128>() * 10).await;
        t.dev.mine(1).await.unwrap();
        ours.hash
    };
    let (lost, ours) = tokio::join!(here.transfer(to, Amount(1)), take_its_place);
    let error = lost.unwrap_err();
    assert!(matches!(error, ChainError::Replaced { tx } if tx == ours), "{error}");
    assert!(!error.is_retryable(), "the caller looks first");
    t.dev.automine(true).await.unwrap();
    here.transfer(to, Amount(2)).await.unwrap();
    assert_eq!(t.market.token_balance(to).await.unwrap(), Amount(2));
}

/// The chain begins again from nothing: nonces are asked for anew.
#[tokio::test]
async fn a_chain_that_was_reset_is_taken_as_it_is() {
    let t = TestMarket::start().await.unwrap();
    let to = Wallet::random().address();
    for _ in 0..3 {
        t.renter.transfer(to, Amount(1)).await.unwrap();
    }
    let TestMarket { dev, chain, renter, deployer, market, .. } = t;
    let port = dev.rpc().port().unwrap();
    dev.kill().await.unwrap();
    let error = chain.head().await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    let config = chain::DevChainConfig { port, ..chain::DevChainConfig::new(testkit::anvil_path()) };
    let dev = chain::DevChain::start(config).await.unwrap();
    for account in [&deployer, &renter] {
        dev.fund(account.address(), U256::from(10).pow(U256::from(20))).await.unwrap();
    }
    let mint = vec![(renter.address(), Amount(10))];
    let again = chain::deploy(&chain, deployer.wallet(), chain::DeployConfig { mint, ..Default::default() });
    assert_eq!(again.await.unwrap().market, market.address(), "the same key deploys to the same place");
    renter.transfer(to, Amount(4)).await.unwrap();
    assert_eq!(market.token_balance(to).await.unwrap(), Amount(4));
}
