//! What the ledger does with single postings, and with crashes.

use alloy_primitives::{Address, B256, U256};
use market::{JobId, Timestamp};
use payments::PaymentsError;
use payments::ledger::{Ledger, LedgerConfig, Line, Posting, Refusal};
use store::{
    AccountId, AssetId, AssetRow, BalanceRow, DepositKey, DepositRow, DepositState, Store, StoreConfig, WithdrawalState,
};
use testkit::TestDatabase;

on_both_engines! {
    a_posting_counts_once
    killed_between_any_two_steps_nothing_is_lost_or_doubled
    what_another_gateway_wrote_counts_at_once
    a_refused_posting_does_not_keep_the_batch_from_being_written
    a_deposit_that_was_spent_and_taken_back_blocks_its_account
    what_is_withdrawn_leaves_once
}

pub(crate) async fn open(database: &TestDatabase) -> Store {
    Store::open(&StoreConfig::new(database.url())).await.unwrap()
}

pub(crate) async fn asset(store: &Store, chain_id: u64) -> AssetId {
    let row = AssetRow {
        asset: AssetId(0),
        chain_id,
        token: Address::repeat_byte(0xaa),
        symbol: "USDC".into(),
        decimals: 6,
        testnet: true,
        totals: Default::default(),
        scanned: 0,
    };
    store.put_asset(&row).await.unwrap().asset
}

pub(crate) fn hash(n: u64) -> B256 {
    B256::from(U256::from(n))
}

pub(crate) fn account(n: u64) -> AccountId {
    AccountId(hash(0xacc0 + n))
}

pub(crate) fn job(n: u64) -> JobId {
    JobId(hash(n).0)
}

pub(crate) const NOW: Timestamp = Timestamp(1_800_000_000);

/// A deposit as it is first seen.
pub(crate) async fn seen(store: &Store, asset: AssetId, n: u64, amount: i64) -> DepositKey {
    let key = DepositKey { asset, tx: hash(n), log_index: n };
    let row = DepositRow {
        key,
        sender: Address::repeat_byte(1),
        account: None,
        amount,
        block: n,
        block_hash: hash(n),
        depth: 1,
        state: DepositState::Seen,
        round: 0,
        seen_at: NOW,
    };
    store.see_deposits(&[row]).await.unwrap();
    key
}

pub(crate) async fn credit(ledger: &Ledger, asset: AssetId, n: u64, to: AccountId, amount: i64) -> DepositKey {
    let deposit = seen(ledger.store(), asset, n, amount).await;
    ledger.post(Posting::DepositCredited { deposit, round: 0, account: to }, NOW).await.unwrap();
    deposit
}

pub(crate) fn hold(asset: AssetId, n: u64, of: AccountId, amount: i64) -> Posting {
    let (price_per_hour, resource) = (3600, None);
    Posting::Hold { job: job(n), part: 0, account: of, asset, amount, price_per_hour, resource }
}

async fn balance(store: &Store, of: AccountId) -> BalanceRow {
    store.balances(of).await.unwrap()[0]
}

async fn healthy(store: &Store) {
    assert_eq!(store.audit_ledger().await.unwrap(), Vec::<String>::new());
}

async fn a_posting_counts_once(database: &TestDatabase) {
    let (one, two) = (open(database).await, open(database).await);
    let asset = asset(&one, 1).await;
    let ledgers = [Ledger::start(one.clone(), LedgerConfig::default()), Ledger::start(two, LedgerConfig::default())];
    credit(&ledgers[0], asset, 1, account(1), 1000).await;
    // Two gateways, sixteen clients, one reference.
    let posts: Vec<_> = (0..16)
        .map(|n| {
            let ledger = ledgers[n % 2].clone();
            tokio::spawn(async move { ledger.post(hold(asset, 7, account(1), 600), NOW).await.unwrap() })
        })
        .collect();
    let (mut fresh, mut numbers) = (0, Vec::new());
    for post in posts {
        let posted = post.await.unwrap();
        fresh += u32::from(!posted.repeated);
        numbers.push(posted.posting);
    }
    numbers.dedup();
    assert_eq!((fresh, numbers.len()), (1, 1));
    let row = balance(&one, account(1)).await;
    assert_eq!((row.available, row.held), (400, 600));
    let other = ledgers[1].post(hold(asset, 7, account(1), 100), NOW).await.unwrap_err();
    assert!(matches!(other.refusal(), Some(Refusal::Conflict { .. })), "{other}");
    healthy(&one).await;
}

async fn killed_between_any_two_steps_nothing_is_lost_or_doubled(database: &TestDatabase) {
    let store = open(database).await;
    let asset = asset(&store, 1).await;
    let ledger = Ledger::start(store.clone(), LedgerConfig::default());
    credit(&ledger, asset, 1, account(1), 1000).await;
    for (n, line) in (1..).zip(Line::ALL) {
        let dying = Ledger::start(store.clone(), LedgerConfig { dies_at: Some(line), ..LedgerConfig::default() });
        let died = dying.post(hold(asset, n, account(1), 10), NOW).await;
        assert!(matches!(died, Err(PaymentsError::Ended)), "{line:?}: {died:?}");
        let stands = store.hold(job(n)).await.unwrap().is_some();
        assert_eq!(stands, line == Line::Committed, "{line:?}");
        let posted = ledger.post(hold(asset, n, account(1), 10), NOW).await.unwrap();
        assert_eq!(posted.repeated, stands, "{line:?}");
        let row = balance(&store, account(1)).await;
        assert_eq!((row.available, row.held), (1000 - 10 * n as i64, 10 * n as i64), "{line:?}");
        healthy(&store).await;
    }
}

/// A writer goes by what it remembers, and another one changes it.
async fn what_another_gateway_wrote_counts_at_once(database: &TestDatabase) {
    let (store, other) = (open(database).await, open(database).await);
    let asset = asset(&store, 1).await;
    let [one, two] = [store.clone(), other].map(|store| Ledger::start(store, LedgerConfig::default()));
    credit(&one, asset, 1, account(1), 100).await;
    one.post(hold(asset, 1, account(1), 40), NOW).await.unwrap();
    two.post(hold(asset, 2, account(1), 50), NOW).await.unwrap();
    let too_much = one.post(hold(asset, 3, account(1), 20), NOW).await.unwrap_err();
    assert_eq!(too_much.refusal(), Some(&Refusal::Insufficient { bucket: "available", has: 10, wants: 20 }));
    credit(&two, asset, 2, account(1), 15).await;
    one.post(hold(asset, 3, account(1), 20), NOW).await.unwrap();
    // A job and a reference of the other's are not new, and a job that is over is not open.
    assert!(one.post(hold(asset, 2, account(1), 50), NOW).await.unwrap().repeated);
    two.post(Posting::Release { job: job(1) }, NOW).await.unwrap();
    assert!(one.post(Posting::Release { job: job(1) }, NOW).await.unwrap().repeated);
    one.post(hold(asset, 4, account(1), 1), NOW).await.unwrap();
    let over = one.post(Posting::JobLocked { job: job(1), part: 0, amount: 1 }, NOW).await.unwrap_err();
    assert_eq!(over.refusal(), Some(&Refusal::WrongState { what: "job", state: "released" }));
    let row = balance(&store, account(1)).await;
    assert_eq!((row.available, row.held), (115 - 71, 71));
    healthy(&store).await;
}

async fn a_refused_posting_does_not_keep_the_batch_from_being_written(database: &TestDatabase) {
    let store = open(database).await;
    let asset = asset(&store, 1).await;
    let ledger = Ledger::start(store.clone(), LedgerConfig::default());
    credit(&ledger, asset, 1, account(1), 100).await;
    let posts: Vec<_> = (0..40)
        .map(|n| {
            let ledger = ledger.clone();
            tokio::spawn(async move { ledger.post(hold(asset, n, account(1), 10), NOW).await })
        })
        .collect();
    let mut good = 0;
    for post in posts {
        match post.await.unwrap() {
            Ok(_) => good += 1,
            Err(error) => {
                let refusal = error.refusal().cloned();
                assert_eq!(refusal, Some(Refusal::Insufficient { bucket: "available", has: 0, wants: 10 }));
            }
        }
    }
    assert_eq!(good, 10);
    healthy(&store).await;
}

async fn a_deposit_that_was_spent_and_taken_back_blocks_its_account(database: &TestDatabase) {
    let store = open(database).await;
    let (one, other) = (asset(&store, 1).await, asset(&store, 2).await);
    let ledger = Ledger::start(store.clone(), LedgerConfig::default());
    let deposit = credit(&ledger, one, 1, account(1), 100).await;
    credit(&ledger, one, 2, account(2), 500).await;
    credit(&ledger, other, 3, account(1), 50).await;
    ledger.post(hold(one, 1, account(1), 70), NOW).await.unwrap();
    ledger.post(Posting::DepositReorganised { deposit, round: 0 }, NOW).await.unwrap();
    let totals = async || store.assets().await.unwrap()[0].totals;
    let (now, row) = (totals().await, balance(&store, account(1)).await);
    assert_eq!((row.available, row.held, row.owed), (0, 70, 70));
    assert_eq!((now.suspense, now.shortfall, now.treasury), (-70, 70, 500), "the operator is short, and sees it");
    let refused = ledger.post(hold(other, 2, account(1), 10), NOW).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::Blocked { owed: 70 }), "in no asset");
    // Others go on; what comes in pays the debt first.
    ledger.post(hold(one, 3, account(2), 10), NOW).await.unwrap();
    ledger.post(Posting::Release { job: job(1) }, NOW).await.unwrap();
    let (now, row) = (totals().await, balance(&store, account(1)).await);
    assert_eq!((row.available, row.held, row.owed), (0, 0, 0));
    assert_eq!((now.suspense, now.shortfall), (0, 0));
    ledger.post(hold(other, 2, account(1), 10), NOW).await.unwrap();
    // The chain took the same transaction in again.
    let again = store.deposit(deposit).await.unwrap().unwrap();
    assert!(store.move_deposit(&DepositRow { state: DepositState::Seen, ..again }).await.unwrap());
    ledger.post(Posting::DepositCredited { deposit, round: 1, account: account(1) }, NOW).await.unwrap();
    assert_eq!(balance(&store, account(1)).await.available, 100);
    healthy(&store).await;
}

async fn what_is_withdrawn_leaves_once(database: &TestDatabase) {
    let store = open(database).await;
    let asset = asset(&store, 1).await;
    let ledger = Ledger::start(store.clone(), LedgerConfig::default());
    credit(&ledger, asset, 1, account(1), 100).await;
    let request = |n: u64, amount| Posting::WithdrawalRequested {
        id: hash(n),
        account: account(1),
        request_key: n.to_string(),
        asset,
        destination: Address::repeat_byte(9),
        amount,
    };
    let signed = |n| Posting::WithdrawalSigned {
        id: hash(n),
        signer: Address::repeat_byte(8),
        nonce: n,
        tx: hash(100 + n),
        raw: vec![1, 2],
    };
    ledger.post(request(1, 60), NOW).await.unwrap();
    let more = ledger.post(request(2, 60), NOW).await.unwrap_err();
    assert!(matches!(more.refusal(), Some(Refusal::Insufficient { has: 40, .. })), "{more}");
    let early = ledger.post(Posting::WithdrawalFinal { id: hash(1), tx: hash(101), block: 5 }, NOW).await.unwrap_err();
    assert!(matches!(early.refusal(), Some(Refusal::WrongState { state: "requested", .. })), "{early}");
    ledger.post(signed(1), NOW).await.unwrap();
    let totals = async || store.assets().await.unwrap()[0].totals;
    let now = totals().await;
    assert_eq!((now.available, now.held, now.treasury, now.withdrawing), (40, 0, 100, 60));
    let strange = ledger.post(Posting::WithdrawalFinal { id: hash(1), tx: hash(7), block: 5 }, NOW).await.unwrap_err();
    assert_eq!(strange.refusal(), Some(&Refusal::Unknown { what: "transaction" }));
    ledger.post(Posting::WithdrawalFinal { id: hash(1), tx: hash(101), block: 5 }, NOW).await.unwrap();
    let now = totals().await;
    assert_eq!((now.available, now.held, now.treasury, now.withdrawing), (40, 0, 40, 0));
    ledger.post(request(3, 40), NOW).await.unwrap();
    ledger.post(signed(3), NOW).await.unwrap();
    ledger.post(Posting::WithdrawalFailed { id: hash(3), reason: "reverted".into() }, NOW).await.unwrap();
    assert_eq!(store.withdrawal(hash(3)).await.unwrap().unwrap().state, WithdrawalState::Failed);
    assert_eq!(balance(&store, account(1)).await.available, 40, "it is back");
    healthy(&store).await;
}
