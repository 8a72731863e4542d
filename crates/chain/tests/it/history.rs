//! One job's history, and calls that wallets elsewhere sign, against what streams and accounts do.

use alloy::{
    consensus::Transaction,
    primitives::{Address, B256, Bytes, U256},
    providers::{Provider, RootProvider},
    rpc::client::RpcClient,
};
use chain::{BlockHeader, Chain, ChainConfig, EventStream, Item, Listing, Logged, Market, Mined, StreamConfig, calls};
use market::{Amount, Outcome, PerHour};
use testkit::TestMarket;

use crate::node::Node;

const PRICE: PerHour = PerHour(3_600_000);

/// Everything that a stream tells of the job.
async fn streamed(t: &TestMarket, job: market::JobId) -> Vec<(BlockHeader, Logged)> {
    let mut stream = EventStream::new(t.market.clone(), t.deployment.block, StreamConfig::default());
    let head = t.chain.head().await.unwrap();
    let mut told = Vec::new();
    loop {
        let Item::Block(block) = stream.next().await.unwrap() else { panic!("nothing is taken back here") };
        let header = BlockHeader { number: block.number, hash: block.hash, timestamp: block.timestamp };
        let of_job = block.events.into_iter().filter(|logged| logged.event.job() == Some(job));
        told.extend(of_job.map(|logged| (header, logged)));
        if header.number == head.number {
            return told;
        }
    }
}

#[tokio::test]
async fn a_history_is_what_the_stream_tells_of_the_job() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    let (terms, other) = (t.terms(resource, PRICE), t.terms(resource, PRICE));
    let job = t.market.job_id(&terms);
    t.renter.create_jobs(&[other.clone(), terms.clone()]).await.unwrap();
    t.agent.decline_job(&other, "busy").await.unwrap();
    t.agent.accept_job(&terms).await.unwrap();
    t.dev.mine(3).await.unwrap();
    let (at, signature) = t.ready(&terms, B256::ZERO).await.unwrap();
    let started = t.agent.start_job(&terms, B256::ZERO, at, &signature).await.unwrap();
    t.advance(market::Seconds(60)).await.unwrap();
    t.agent.complete_job(&terms, Outcome::Succeeded, B256::repeat_byte(7)).await.unwrap();
    t.finalize(std::slice::from_ref(&terms)).await.unwrap();

    let told = streamed(&t, job).await;
    assert!(told.len() >= 6, "{told:?}");
    let history = t.market.history(job, t.deployment.block, None).await.unwrap();
    assert_eq!(history, told);
    let later = t.market.history(job, started.block + 1, None).await.unwrap();
    let earlier = t.market.history(job, 0, Some(started.block)).await.unwrap();
    assert_eq!([earlier, later].concat(), told);
    assert_eq!(t.market.history(market::JobId([9; 32]), 0, None).await.unwrap(), []);

    // A node that looks through four blocks at most is asked in pieces.
    let node = Node::start(&t, |method, params| {
        let height = |key: &str| u64::from_str_radix(params[0][key].as_str()?.strip_prefix("0x")?, 16).ok();
        let span = height("toBlock")? - height("fromBlock")?;
        (method == "eth_getLogs" && span >= 4).then(|| "query exceeds the range of blocks".to_owned())
    })
    .await;
    let chain = Chain::connect(ChainConfig::new(node.rpc.parse().unwrap())).await.unwrap();
    let market = Market::open(chain, t.market.address()).await.unwrap();
    assert_eq!(market.history(job, 0, None).await.unwrap(), told);
}

/// The calldata of a mined transaction.
async fn sent(t: &TestMarket, mined: &Mined) -> (Address, Bytes) {
    let provider: RootProvider = RootProvider::new(RpcClient::new_http(t.dev.rpc()));
    let tx = provider.get_transaction_by_hash(mined.tx).await.unwrap().unwrap();
    (tx.to().unwrap(), tx.input().clone())
}

#[tokio::test]
async fn calls_for_wallets_elsewhere_are_what_accounts_send() {
    let t = TestMarket::start().await.unwrap();
    let market = t.market.address();
    let check = async |mined: Mined, to: Address, call: Bytes| assert_eq!(sent(&t, &mined).await, (to, call));

    let (agent, payout) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let registered = t.stranger.register_provider(agent, payout).await.unwrap();
    check(registered, market, calls::register_provider(agent, payout)).await;
    let hardware = market::Hardware {
        model: "a card".into(),
        gpus: 1,
        vram: market::Mebibytes(24_576),
        cpus: 8,
        memory: market::Mebibytes(65_536),
        disk: market::Mebibytes(1_000_000),
        simulated: true,
    };
    let listing = Listing { key: B256::from(U256::from(77)), price: PRICE, hardware, details: "more".into() };
    let listed = t.stranger.register_resource(&listing).await.unwrap();
    let head = t.chain.head().await.unwrap().number;
    let provider: RootProvider = RootProvider::new(RpcClient::new_http(t.dev.rpc()));
    let block = provider.get_block_by_number(head.into()).full().await.unwrap().unwrap();
    let tx = block.transactions.as_transactions().unwrap()[0].clone();
    assert_eq!(*tx.input(), calls::register_resource(&listing).unwrap());
    let updated = t.stranger.update_availability(listed, false).await.unwrap();
    check(updated, market, calls::update_availability(listed, false)).await;
    let priced = t.stranger.update_pricing(listed, PerHour(5)).await.unwrap();
    check(priced, market, calls::update_pricing(listed, PerHour(5)).unwrap()).await;
    assert!(calls::update_pricing(listed, PerHour(1 << 72)).is_err());

    let resource = t.list(PRICE).await.unwrap();
    let (terms, other) = (t.terms(resource, PRICE), t.terms(resource, PRICE));
    let approved = t.renter.approve(Amount(u128::MAX)).await.unwrap();
    check(approved, t.market.token(), calls::approve(market, Amount(u128::MAX))).await;
    let created = t.renter.create_job(&terms).await.unwrap();
    check(created, market, calls::create_job(&terms)).await;
    t.renter.create_job(&other).await.unwrap();
    let cancelled = t.renter.cancel_job(&other).await.unwrap();
    check(cancelled, market, calls::cancel_job(&other)).await;
    let (at, signature) = t.ready(&terms, B256::ZERO).await.unwrap();
    t.agent.start_job(&terms, B256::ZERO, at, &signature).await.unwrap();
    let stopped = t.renter.stop_job(&terms).await.unwrap();
    check(stopped, market, calls::stop_job(&terms)).await;
}
