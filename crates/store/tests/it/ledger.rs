//! What the database itself refuses of the ledger, whatever a program does.

use alloy_primitives::Address;
use market::{JobId, Timestamp};
use sea_orm::{ConnectionTrait, Database};
use store::{
    AccountId, AssetId, AssetRow, AssetTotals, BalanceRow, GasDay, HoldRow, HoldState, LedgerChanges, PostingRow,
    Store, StoreError,
};
use testkit::TestDatabase;

use crate::fixture::{hash, open};

on_both_engines! {
    rows_that_do_not_add_up_are_refused
    a_batch_that_does_not_add_up_is_not_written
    changes_count_only_while_nobody_else_wrote
    a_day_of_gas_is_shared_and_outlives_the_process
}

const NOW: Timestamp = Timestamp(1_800_000_000);

/// An asset of which one account has this much.
async fn with_money(store: &Store, amount: i64) -> AssetRow {
    let row = AssetRow {
        asset: AssetId(0),
        chain_id: 1,
        token: Address::repeat_byte(0xaa),
        symbol: "USDC".into(),
        decimals: 6,
        testnet: true,
        totals: AssetTotals::default(),
        scanned: 0,
    };
    let row = store.put_asset(&row).await.unwrap();
    let totals = AssetTotals { available: amount, treasury: amount, ..AssetTotals::default() };
    let funded = AssetRow { totals, ..row };
    let transaction = store.begin_postings().await.unwrap();
    transaction.write(&credited(&funded, amount, 1)).await.unwrap();
    transaction.commit().await.unwrap();
    funded
}

/// An account gets an amount, and the asset is so afterwards.
fn credited(asset: &AssetRow, amount: i64, posting: u64) -> LedgerChanges {
    let (id, account) = (asset.asset, AccountId(hash(1)));
    let row = PostingRow {
        posting,
        reference: format!("test:{posting}"),
        why: "deposit",
        digest: hash(posting),
        at: NOW,
        asset: id,
        account: Some(account),
        moved: AssetTotals { available: amount, treasury: amount, ..AssetTotals::default() },
    };
    LedgerChanges {
        postings: vec![row],
        assets: vec![asset.clone()],
        balances: vec![BalanceRow { account, asset: id, available: asset.totals.available, held: 0, owed: 0 }],
        ..LedgerChanges::default()
    }
}

async fn rows_that_do_not_add_up_are_refused(database: &TestDatabase) {
    let store = open(database).await;
    with_money(&store, 1000).await;
    assert_eq!(store.audit_ledger().await.unwrap(), Vec::<String>::new());
    let raw = Database::connect(database.url().to_string()).await.unwrap();
    for broken in [
        "UPDATE assets SET available = available + 1",
        "UPDATE assets SET treasury = treasury - 1",
        "UPDATE assets SET available = available - 1001, suspense = suspense + 1001",
        "UPDATE assets SET shortfall = -1",
        "UPDATE assets SET decimals = 18",
        "UPDATE postings SET available = available + 1",
        "UPDATE postings SET treasury = 0",
        "UPDATE balances SET available = -1",
        "UPDATE balances SET owed = -1",
    ] {
        assert!(raw.execute_unprepared(broken).await.is_err(), "{broken}");
    }
    // What the checks cannot see of one row, the audit sees of all.
    raw.execute_unprepared("UPDATE balances SET available = available + 1").await.unwrap();
    let wrong = store.audit_ledger().await.unwrap();
    assert_eq!(wrong, ["available of asset 1 is 1000, its accounts have 1001"]);
}

async fn a_batch_that_does_not_add_up_is_not_written(database: &TestDatabase) {
    let store = open(database).await;
    let asset = with_money(&store, 1000).await;
    let totals = AssetTotals { available: 1500, ..asset.totals };
    let wrong = AssetRow { totals, ..asset.clone() };
    let transaction = store.begin_postings().await.unwrap();
    let refused = transaction.write(&credited(&wrong, 500, 2)).await.unwrap_err();
    assert!(!refused.is_retryable() && !matches!(refused, StoreError::Busy { .. }), "{refused}");
    drop(transaction);
    // Nothing of it stands, and the next writer has the same number.
    assert_eq!(store.assets().await.unwrap()[0].totals, asset.totals);
    assert_eq!(store.balances(AccountId(hash(1))).await.unwrap()[0].available, 1000);
    assert_eq!(store.begin_postings().await.unwrap().view().await.unwrap().next, 2);
    assert_eq!(store.audit_ledger().await.unwrap(), Vec::<String>::new());
}

async fn changes_count_only_while_nobody_else_wrote(database: &TestDatabase) {
    let (one, two) = (open(database).await, open(database).await);
    let asset = with_money(&one, 1000).await;
    let grown = |amount: i64| {
        let totals = AssetTotals { available: amount, treasury: amount, ..AssetTotals::default() };
        AssetRow { totals, ..asset.clone() }
    };
    one.set_scanned(asset.asset, 77).await.unwrap();
    assert!(one.write_postings(2, &credited(&grown(1500), 500, 2)).await.unwrap());
    // The other still thinks that nothing happened.
    assert!(!two.write_postings(2, &credited(&grown(1300), 300, 2)).await.unwrap());
    let now = async || (two.assets().await.unwrap()[0].clone(), two.balances(AccountId(hash(1))).await.unwrap());
    let (row, balances) = now().await;
    assert_eq!((row.totals, row.scanned), (grown(1500).totals, 77));
    assert_eq!((balances[0].available, balances.len()), (1500, 1));
    // A reference that stands, a job that stands, sums that do not fit: nothing of it is written.
    let hold = HoldRow { job: JobId([7; 32]), ..hold_of(&asset) };
    let opened = LedgerChanges { opened: vec![hold.clone()], ..credited(&grown(1600), 100, 3) };
    assert!(one.write_postings(3, &opened).await.unwrap());
    let mut again = credited(&grown(1700), 100, 4);
    again.postings[0].reference = "test:2".into();
    let opened = LedgerChanges { opened: vec![hold.clone()], ..credited(&grown(1700), 100, 4) };
    let wrong = AssetRow { totals: AssetTotals { treasury: 1, ..grown(1700).totals }, ..asset.clone() };
    for broken in [again, opened, credited(&wrong, 100, 4)] {
        let refused = two.write_postings(4, &broken).await;
        assert!(refused.is_err_and(|error| !error.is_retryable()), "{broken:?}");
        assert_eq!(now().await.0.totals, grown(1600).totals);
    }
    let ended = HoldRow { amount: 0, state: HoldState::Released, ended_at: Some(NOW), ..hold.clone() };
    let changed = LedgerChanges { holds: vec![ended.clone()], ..credited(&grown(1700), 100, 4) };
    assert!(two.write_postings(4, &changed).await.unwrap());
    assert_eq!(one.hold(hold.job).await.unwrap(), Some(ended));
    assert_eq!(one.begin_postings().await.unwrap().view().await.unwrap().next, 5);
    assert_eq!(two.audit_ledger().await.unwrap(), Vec::<String>::new());
}

fn hold_of(asset: &AssetRow) -> HoldRow {
    HoldRow {
        job: JobId([0; 32]),
        account: AccountId(hash(1)),
        asset: asset.asset,
        amount: 10,
        locked: 0,
        state: HoldState::Open,
        price_per_hour: 3600,
        resource: None,
        created_at: NOW,
        started_at: None,
        ended_at: None,
        spent: 0,
        refunded: 0,
        fee: 0,
    }
}

async fn a_day_of_gas_is_shared_and_outlives_the_process(database: &TestDatabase) {
    let (one, two) = (open(database).await, open(database).await);
    let day = GasDay { chain_id: 1, signer: Address::repeat_byte(1), day: 20_000 };
    let takes = (0..10).map(|n| {
        let store = if n % 2 == 0 { one.clone() } else { two.clone() };
        tokio::spawn(async move { store.take_gas(day, 30, 100).await.unwrap() })
    });
    let mut taken = 0;
    for take in takes.collect::<Vec<_>>() {
        taken += u32::from(take.await.unwrap());
    }
    assert_eq!(taken, 3, "whoever asked");
    drop((one, two));
    let again = open(database).await;
    assert_eq!(again.gas_day(day).await.unwrap(), (90, 3));
    assert!(!again.take_gas(day, 11, 100).await.unwrap());
    assert!(again.take_gas(day, 10, 100).await.unwrap(), "a refusal took nothing");
    assert!(!again.take_gas(day, u64::MAX, 100).await.unwrap());
    for other in [GasDay { chain_id: 2, ..day }, GasDay { signer: Address::ZERO, ..day }, GasDay { day: 1, ..day }] {
        assert!(again.take_gas(other, 100, 100).await.unwrap(), "its own");
    }
}
