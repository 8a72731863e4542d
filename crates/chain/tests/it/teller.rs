//! Calls as bytes that the caller keeps, where answers get lost; and keys that everybody has.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use alloy::primitives::{Address, B256};
use chain::{
    Account, Call, Chain, ChainConfig, ChainError, Erc20, MarketRevert, NonceAt, SendConfig, Teller, Transfer, Wallet,
    calls,
};
use market::Amount;
use testkit::{TestMarket, eventually};

use crate::{node::Node, pool};

const TO: Address = Address::repeat_byte(0x70);

async fn through(node: &Node) -> Chain {
    let config = ChainConfig { ws: None, ..ChainConfig::local(node.rpc.parse().unwrap()) };
    Chain::connect(config).await.unwrap()
}

fn payment(t: &TestMarket, amount: u128) -> Call {
    calls::erc20::transfer(t.market.token(), TO, Amount(amount))
}

#[tokio::test]
async fn kept_bytes_move_money_once() {
    let t = TestMarket::start().await.unwrap();
    let teller = Teller::new(t.chain.clone(), t.stranger.wallet().clone());
    let nonce = teller.nonce(NonceAt::Latest).await.unwrap();
    let prepared = teller.prepare(&payment(&t, 5), nonce).await.unwrap();
    assert_eq!(teller.receipt(prepared.tx).await.unwrap(), None);
    teller.send(&prepared.raw).await.unwrap();
    // The node answers before it has mined.
    let receipt = eventually(pool::LIMIT, async || teller.look_up(prepared.tx).await.unwrap()).await;
    assert!(receipt.inclusion.succeeded);
    assert_eq!(teller.receipt(prepared.tx).await.unwrap(), Some(receipt.inclusion));
    let [transfer] = receipt.logs.iter().filter_map(Transfer::read).collect::<Vec<_>>()[..] else { panic!("one") };
    assert_eq!((transfer.from, transfer.to, transfer.amount), (teller.address(), TO, Amount(5)));
    let again = teller.send(&prepared.raw).await.unwrap_err();
    assert!(matches!(again, ChainError::NonceUsed { tx } if tx == prepared.tx), "{again}");
    let rival = teller.prepare(&payment(&t, 6), nonce).await.unwrap();
    assert!(matches!(teller.send(&rival.raw).await, Err(ChainError::NonceUsed { .. })));
    let token = Erc20::open(t.chain.clone(), t.market.token()).await.unwrap();
    assert_eq!(token.transfers_to(TO, 0, None).await.unwrap(), [transfer]);
    assert_eq!(token.balance_of(TO).await.unwrap(), Amount(5));

    // What would revert is not signed, with gas of one's own or without.
    let much = payment(&t, u128::MAX);
    for call in [much.clone(), much.with_gas(100_000)] {
        let error = teller.prepare(&call, nonce + 1).await.unwrap_err();
        assert!(matches!(error.revert(), Some(MarketRevert::InsufficientBalance { .. })), "{error}");
        let error = t.chain.simulate(teller.address(), &call).await.unwrap_err();
        assert!(matches!(error.revert(), Some(MarketRevert::InsufficientBalance { .. })), "{error}");
    }
    let other = Teller::new(t.chain.clone(), t.renter.wallet().clone());
    assert!(other.prepare_dearer(&prepared.raw).await.is_err(), "the bytes are another key's");
}

/// The node has the bytes, but nobody says so.
#[tokio::test]
async fn a_lost_answer_is_asked_for_with_the_same_bytes() {
    let t = TestMarket::start().await.unwrap();
    let lost = Arc::new(AtomicBool::new(false));
    let (sees, cuts) = (lost.clone(), lost.clone());
    let sent = move |method: &str, _: &serde_json::Value| {
        sees.store(method == "eth_sendRawTransaction", Ordering::SeqCst);
        None
    };
    let cut = move |answer: String| if cuts.load(Ordering::SeqCst) { String::new() } else { answer };
    let node = Node::between(&t, Arc::new(sent), Arc::new(cut)).await;
    let teller = Teller::new(through(&node).await, t.stranger.wallet().clone());
    t.dev.automine(false).await.unwrap();
    let nonce = teller.nonce(NonceAt::Pending).await.unwrap();
    let prepared = teller.prepare(&payment(&t, 5), nonce).await.unwrap();
    for _ in 0..2 {
        let error = teller.send(&prepared.raw).await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
    }
    assert_eq!(teller.nonce(NonceAt::Pending).await.unwrap(), nonce + 1, "the node has them");
    let dearer = teller.prepare_dearer(&prepared.raw).await.unwrap();
    assert_eq!(dearer.nonce, nonce);
    assert!(teller.send(&dearer.raw).await.unwrap_err().is_retryable());
    t.dev.mine(1).await.unwrap();
    assert_eq!(teller.receipt(prepared.tx).await.unwrap(), None);
    assert!(teller.receipt(dearer.tx).await.unwrap().unwrap().succeeded, "one of the two, never both");
    assert_eq!(t.market.token_balance(TO).await.unwrap(), Amount(5));
}

/// A call that the chain takes and then refuses has a reason.
#[tokio::test]
async fn a_reverted_call_is_explained() {
    let t = TestMarket::start().await.unwrap();
    let teller = Teller::new(t.chain.clone(), t.stranger.wallet().clone());
    let all = t.market.token_balance(teller.address()).await.unwrap();
    let nonce = teller.nonce(NonceAt::Latest).await.unwrap();
    t.dev.automine(false).await.unwrap();
    let first = teller.prepare(&payment(&t, all.0), nonce).await.unwrap();
    let second = teller.prepare(&payment(&t, all.0).with_gas(100_000), nonce + 1).await.unwrap();
    teller.send(&first.raw).await.unwrap();
    teller.send(&second.raw).await.unwrap();
    t.dev.mine(1).await.unwrap();
    let failed = teller.receipt(second.tx).await.unwrap().unwrap();
    assert!(!failed.succeeded);
    let reason = teller.explain(&second.raw, failed.block).await;
    assert!(
        matches!(reason.revert(), Some(MarketRevert::InsufficientBalance { .. } | MarketRevert::Unexplained(_))),
        "{reason}"
    );
}

/// The first account of the mnemonic that every manual prints.
const EVERYBODYS: &str = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

#[tokio::test]
async fn keys_that_everybody_has_are_for_development_only() {
    let t = TestMarket::start().await.unwrap();
    let wallet = Wallet::from_hex(EVERYBODYS).unwrap();
    assert!(wallet.is_well_known() && !Wallet::random().is_well_known());
    let here = Account::new(t.market.clone(), wallet.clone(), SendConfig::default());
    here.approve(Amount(1)).await.unwrap();
    assert!(t.chain.is_development().await.unwrap());

    let elsewhere = Node::start(&t, |method, _| (method == "web3_clientVersion").then(|| "unknown".into())).await;
    let chain = through(&elsewhere).await;
    assert!(!chain.is_development().await.unwrap());
    let market = chain::Market::open(chain.clone(), t.market.address()).await.unwrap();
    let refused = Account::new(market, wallet.clone(), SendConfig::default()).approve(Amount(2)).await.unwrap_err();
    assert!(matches!(refused, ChainError::WellKnownKey(key) if key == wallet.address()), "{refused}");
    let teller = Teller::new(chain.clone(), wallet.clone());
    assert!(matches!(teller.prepare(&payment(&t, 0), 1).await, Err(ChainError::WellKnownKey(_))));
    chain.admit(t.stranger.wallet()).await.unwrap();
    assert_eq!(t.market.allowance(wallet.address()).await.unwrap(), Amount(1), "nothing was sent");
}

/// Everything of one contract, and only that.
#[tokio::test]
async fn logs_are_read_by_address_and_topics() {
    let t = TestMarket::start().await.unwrap();
    let mined = t.stranger.transfer(TO, Amount(3)).await.unwrap();
    let [log] = &mined.logs[..] else { panic!("{:?}", mined.logs) };
    let (token, topics) = (t.market.token(), [None, None, Some(TO.into_word())]);
    assert_eq!(t.chain.logs(token, &topics, 0, None).await.unwrap(), std::slice::from_ref(log));
    assert_eq!(t.chain.logs(t.market.address(), &topics, 0, None).await.unwrap(), []);
    assert_eq!(t.chain.logs(token, &[Some(B256::ZERO)], 0, None).await.unwrap(), []);
    assert_eq!(t.chain.logs(token, &topics, 0, Some(mined.block - 1)).await.unwrap(), []);
    assert!(t.chain.code(TO).await.unwrap().is_empty() && !t.chain.code(token).await.unwrap().is_empty());
}
