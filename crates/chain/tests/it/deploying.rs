//! Putting a market on a chain, and the chain itself.

use std::time::Duration;

use alloy::primitives::{Address, U256};
use chain::{
    Account, Chain, ChainConfig, ChainError, DeployConfig, DevChain, DevChainConfig, Market, MarketRevert, SendConfig,
    Wallet, deploy,
};
use market::{Amount, BasisPoints, PerHour, Seconds, Timestamp};
use testkit::TestMarket;

use crate::pool;

#[tokio::test]
async fn roles_are_given_to_those_named_and_nobody_else() {
    let t = TestMarket::start().await.unwrap();
    let [deployer, operator, guardian, oracle] = std::array::from_fn(|_| Wallet::random());
    for wallet in [&deployer, &operator, &guardian] {
        t.dev.fund(wallet.address(), U256::from(10).pow(U256::from(20))).await.unwrap();
    }
    let config = DeployConfig {
        fee: BasisPoints(123),
        mint: vec![(oracle.address(), Amount(5)), (operator.address(), Amount(6))],
        oracles: vec![oracle.address()],
        guardians: vec![guardian.address()],
        operators: vec![operator.address()],
        ..DeployConfig::default()
    };
    let deployment = deploy(&t.chain, &deployer, config).await.unwrap();
    let market = Market::open(t.chain.clone(), deployment.market).await.unwrap();
    assert_eq!((market.token(), market.decimals(), market.symbol()), (deployment.token, 6, "GPU"));
    assert_eq!(market.fee().await.unwrap(), BasisPoints(123));
    assert_eq!(market.token_balance(oracle.address()).await.unwrap(), Amount(5));
    let account = |wallet: Wallet| Account::new(market.clone(), wallet, SendConfig::default());
    // Nothing but that the job is unknown speaks against the report.
    let terms = t.terms(market::ResourceId([7; 32]), PerHour(3600));
    let error = account(oracle).report_silence(&terms, Timestamp(0)).await.unwrap_err();
    assert!(matches!(error, ChainError::Reverted(MarketRevert::WrongStatus { .. })), "{error}");
    let guardian = account(guardian);
    let error = guardian.unpause_market().await.unwrap_err();
    assert!(matches!(error, ChainError::Reverted(MarketRevert::MissingRole(_))), "{error}");
    let error = account(operator.clone()).pause_market().await.unwrap_err();
    assert!(matches!(error, ChainError::Reverted(MarketRevert::MissingRole(_))), "{error}");
    for wallet in [deployer, operator] {
        let account = account(wallet);
        guardian.pause_market().await.unwrap();
        assert!(market.is_paused().await.unwrap());
        account.unpause_market().await.unwrap();
        account.mint(Address::repeat_byte(1), Amount(1)).await.unwrap();
        account.set_watcher(Address::repeat_byte(1), true).await.unwrap();
        account.set_fee(BasisPoints(0)).await.unwrap();
    }
    let elsewhere = Account::new(market.clone(), t.deployer.wallet().clone(), SendConfig::default());
    assert!(elsewhere.pause_market().await.is_err());
}

/// With a delay every act of administration is seen coming, giving roles included; only the pause is not.
#[tokio::test]
async fn operators_wait_when_a_delay_is_set() {
    let t = TestMarket::start().await.unwrap();
    let (deployer, oracle) = (t.stranger.wallet(), Wallet::random());
    let config = DeployConfig {
        mint: vec![(deployer.address(), Amount(5))],
        oracles: vec![oracle.address()],
        admin_delay: Seconds(172_800),
        ..DeployConfig::default()
    };
    let deployment = deploy(&t.chain, deployer, config).await.unwrap();
    let market = Market::open(t.chain.clone(), deployment.market).await.unwrap();
    assert_eq!(market.token_balance(deployer.address()).await.unwrap(), Amount(5));
    let account = Account::new(market.clone(), deployer.clone(), SendConfig::default());
    account.pause_market().await.unwrap();
    assert!(market.is_paused().await.unwrap());
    account.mint(deployer.address(), Amount(1)).await.unwrap();
    let delayed = [
        account.unpause_market().await,
        account.set_fee(BasisPoints(1)).await,
        account.set_watcher(oracle.address(), true).await,
        account.withdraw_fees(deployer.address()).await,
    ];
    for refused in delayed {
        let error = refused.unwrap_err();
        assert!(matches!(error, ChainError::Reverted(MarketRevert::NotScheduled)), "{error}");
    }
}

/// With a second between blocks every further round of waiting would be felt at each start.
#[tokio::test]
async fn a_market_is_there_after_two_blocks() {
    let t = TestMarket::start().await.unwrap();
    t.dev.automine(false).await.unwrap();
    let config = DeployConfig { mint: vec![(Address::repeat_byte(1), Amount(1)); 3], ..DeployConfig::default() };
    let mine = async {
        // Ten contracts; then the roles, the list of versions and three times money.
        for together in [10, 5] {
            pool::wait_for(&t, t.stranger.address(), together).await;
            t.dev.mine(1).await.unwrap();
        }
    };
    let (deployed, ()) = tokio::join!(deploy(&t.chain, t.stranger.wallet(), config), mine);
    let head = t.chain.head().await.unwrap().number;
    assert_eq!(deployed.unwrap().block + 1, head);
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let t = TestMarket::start().await.unwrap();
    let nowhere = Address::repeat_byte(0x99);
    for address in [nowhere, t.market.token()] {
        let error = Market::open(t.chain.clone(), address).await.unwrap_err();
        assert!(matches!(error, ChainError::NoMarket { .. }), "{error}");
    }
    let other = ChainConfig { chain_id: Some(1), ..ChainConfig::local(t.dev.rpc()) };
    let error = Chain::connect(other).await.unwrap_err();
    assert!(matches!(error, ChainError::WrongChain { expected: 1, found: 31337 }), "{error}");
    let nobody: url::Url = "http://127.0.0.1:1/".parse().unwrap();
    let error = Chain::connect(ChainConfig::local(nobody)).await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains("127.0.0.1:1"), "{error}");
}

#[tokio::test]
async fn a_chain_is_not_taken_for_another_on_its_port() {
    let t = TestMarket::start().await.unwrap();
    let config = DevChainConfig { port: t.port(), ..DevChainConfig::new(testkit::anvil_path()) };
    let error = DevChain::start(config).await.unwrap_err().to_string();
    assert!(error.contains(&t.port().to_string()), "{error}");
    let error = DevChain::start(DevChainConfig::new("/nowhere/anvil".into())).await.unwrap_err().to_string();
    assert!(error.contains("/nowhere/anvil"), "{error}");
}

/// No chain outlives whoever started it.
#[tokio::test]
async fn a_dropped_chain_is_gone() {
    let dev = DevChain::start(DevChainConfig::new(testkit::anvil_path())).await.unwrap();
    let chain = dev.chain().clone();
    drop(dev);
    testkit::eventually(Duration::from_secs(10), async || chain.head().await.is_err().then_some(())).await;
}
