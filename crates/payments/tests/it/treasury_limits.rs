//! What a treasury's key may do in an hour and a day, and what happens when somebody else sends with it.

use alloy_primitives::U256;
use chain::{Teller, Wallet, calls};
use market::{Amount, Timestamp};
use payments::PaymentsError;
use payments::facilitator::{FollowConfig, Sender};
use payments::treasury::Step;
use store::{GasDay, WithdrawalState};

use crate::ledger::NOW;
use crate::treasury::Stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hot_wallet_pays_so_much_in_an_hour() {
    let s = Stage::new().await;
    let owner = s.deposited(1000).await;
    let to = Wallet::random().address();
    for key in ["a", "b"] {
        s.ask(owner, to, 300, key).await.unwrap();
    }
    let mut treasury = s.treasury(|config| config.hourly_max = 500).await;
    let later = Timestamp(NOW.0 + 3601);
    for (at, paid) in [(NOW, 300), (later, 600)] {
        for _ in 0..6 {
            treasury.look(at).await.unwrap();
            s.t.dev.mine(1).await.unwrap();
        }
        assert_eq!(s.has(to).await, paid);
    }
    for row in s.store.withdrawals_of(owner).await.unwrap() {
        assert_eq!(row.state, WithdrawalState::Final);
    }
    s.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_spends_so_much_on_gas_in_a_day() {
    let s = Stage::new().await;
    let owner = s.deposited(1000).await;
    let to = Wallet::random().address();
    let first = s.ask(owner, to, 100, "a").await.unwrap().id;
    assert!(s.treasury(|config| config.gas_a_day_wei = 0).await.look(NOW).await.unwrap());
    assert_eq!(s.row(first).await.state, WithdrawalState::Requested, "nothing was signed");
    s.over(&mut s.treasury(|_| {}).await, first).await;
    let day = GasDay { chain_id: s.t.chain.id(), signer: s.key.address(), day: NOW.0 / 86_400 };
    let (spent, transactions) = s.store.gas_day(day).await.unwrap();
    assert!(spent > 0 && transactions == 1, "{spent} gwei, {transactions} transactions");
    // A new process, and a second purpose of the key, have what is left of the day.
    let cap = u128::from(spent + 1) * 1_000_000_000;
    let second = s.ask(owner, to, 100, "b").await.unwrap().id;
    let mut treasury = s.treasury(|config| config.gas_a_day_wei = cap).await;
    treasury.look(NOW).await.unwrap();
    assert_eq!(s.row(second).await.state, WithdrawalState::Requested);
    treasury.look(Timestamp(NOW.0 + 86_400)).await.unwrap();
    assert_eq!(s.row(second).await.state, WithdrawalState::Sent, "another day");
    assert_eq!(s.over(&mut treasury, second).await.state, WithdrawalState::Final);
    s.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_for_others_spends_so_much_on_gas_in_a_day() {
    let s = Stage::new().await;
    let gas = Wallet::random();
    s.t.dev.fund(gas.address(), U256::from(10_u128.pow(18))).await.unwrap();
    let teller = Teller::new(s.t.chain.clone(), gas);
    let call = calls::erc20::approve(s.t.deployment.token, s.key.address(), Amount(1));
    let sender = Sender::capped(teller.clone(), s.store.clone(), FollowConfig::default(), 1_000_000_000);
    let refused = sender.carry_out("one", &call).await.unwrap_err();
    assert!(matches!(refused, PaymentsError::GasSpent { cap_gwei: 1, .. }) && refused.is_retryable(), "{refused}");
    assert!(s.store.send("one").await.unwrap().is_none(), "nothing was signed for it");
    Sender::new(teller, s.store.clone(), FollowConfig::default()).carry_out("one", &call).await.unwrap();
}

/// Lets a withdrawal be signed, and another transaction with its nonce be mined.
async fn overtaken(s: &Stage, key: &str) -> store::WithdrawalRow {
    let id = s.ask(s.deposited(1000).await, Wallet::random().address(), 300, key).await.unwrap().id;
    s.treasury(|config| config.dies_at = Some(Step::Kept)).await.look(NOW).await.unwrap_err();
    let row = s.row(id).await;
    let teller = Teller::new(s.t.chain.clone(), s.key.clone());
    let call = calls::erc20::approve(s.t.deployment.token, s.t.stranger.address(), Amount(1));
    let other = teller.prepare(&call, row.nonce.unwrap()).await.unwrap();
    teller.send(&other.raw).await.unwrap();
    row
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawal_whose_nonce_went_to_another_gives_the_money_back_once_that_is_final() {
    let s = Stage::new().await;
    let row = overtaken(&s, "w").await;
    let mut treasury = s.treasury(|_| {}).await;
    for _ in 0..10 {
        treasury.look(NOW).await.unwrap();
    }
    assert_eq!(s.row(row.id).await.state, WithdrawalState::Signed, "its block may be taken back");
    let row = s.over(&mut treasury, row.id).await;
    assert_eq!((row.state, s.has(row.destination).await), (WithdrawalState::Failed, 0));
    assert_eq!(s.balance(row.account).await.available, 1000);
    s.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawal_is_paid_when_the_chain_takes_back_what_took_its_nonce() {
    let s = Stage::new().await;
    let row = overtaken(&s, "w").await;
    let mut treasury = s.treasury(|_| {}).await;
    treasury.look(NOW).await.unwrap();
    s.t.dev.reorg(1).await.unwrap();
    let row = s.over(&mut treasury, row.id).await;
    assert_eq!((row.state, s.has(row.destination).await), (WithdrawalState::Final, 300));
    s.sound().await;
}
