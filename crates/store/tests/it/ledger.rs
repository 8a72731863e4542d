//! What the database itself refuses of the ledger, whatever a program does.

use alloy_primitives::Address;
use market::Timestamp;
use sea_orm::{ConnectionTrait, Database};
use store::{
    AccountId, AssetId, AssetRow, AssetTotals, BalanceRow, Bucket, EntryRow, GasDay, LedgerChanges, PostingRow, Store,
    StoreError,
};
use testkit::TestDatabase;

use crate::fixture::{hash, open};

on_both_engines! {
    rows_that_do_not_add_up_are_refused
    a_batch_that_does_not_add_up_is_not_written
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
    let leg = |account, bucket: Bucket| EntryRow { asset: id, account, bucket, amount: amount * bucket.sign() };
    let row =
        PostingRow { posting, reference: format!("test:{posting}"), why: "deposit", digest: hash(posting), at: NOW };
    LedgerChanges {
        postings: vec![(row, vec![leg(None, Bucket::Treasury), leg(Some(account), Bucket::Available)])],
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
