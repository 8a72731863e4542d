//! Holds and releases by all clients: each is two legs, two balances or totals, one row of state.

use std::time::Instant;

use alloy_primitives::{Address, B256, U256};
use market::{JobId, Timestamp};
use payments::ledger::{Ledger, LedgerConfig, Posting};
use store::{AccountId, AssetId, AssetRow, DepositKey, DepositRow, DepositState, Store, StoreConfig};
use testkit::TestDatabase;

use crate::{ACCOUNTS, CLIENTS, FOR};

const NOW: Timestamp = Timestamp(1_800_000_000);

fn hash(n: u64) -> B256 {
    B256::from(U256::from(n))
}

/// Postings in a second; the ledger is audited afterwards.
pub(crate) async fn measure(database: &TestDatabase) -> f64 {
    let store = Store::open(&StoreConfig::new(database.url())).await.unwrap();
    let ledger = Ledger::start(store.clone(), LedgerConfig::default());
    let asset = funded(&store, &ledger).await;
    let began = Instant::now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                let mut posted = 0_u64;
                let mut n = 0;
                while began.elapsed() < FOR {
                    n += 1;
                    let job = JobId(hash(client << 32 | n).0);
                    let account = AccountId(hash(1 + (client * 31 + n) % ACCOUNTS));
                    let (part, amount, price_per_hour, resource) = (0, 1, 3600, None);
                    let hold = Posting::Hold { job, part, account, asset, amount, price_per_hour, resource };
                    ledger.post(hold, NOW).await.unwrap();
                    ledger.post(Posting::Release { job }, NOW).await.unwrap();
                    posted += 2;
                }
                posted
            })
        })
        .collect();
    let mut posted = 0;
    for client in clients {
        posted += client.await.unwrap();
    }
    let rate = posted as f64 / began.elapsed().as_secs_f64();
    let totals = store.assets().await.unwrap()[0].totals;
    assert_eq!((totals.available, totals.held), (1_000_000 * ACCOUNTS as i64, 0));
    assert_eq!(store.audit_ledger().await.unwrap(), Vec::<String>::new());
    rate
}

async fn funded(store: &Store, ledger: &Ledger) -> AssetId {
    let row = AssetRow {
        asset: AssetId(0),
        chain_id: 31_337,
        token: Address::repeat_byte(1),
        symbol: "GPU".into(),
        decimals: 6,
        testnet: true,
        totals: Default::default(),
        scanned: 0,
    };
    let asset = store.put_asset(&row).await.unwrap().asset;
    let deposit = |n| DepositRow {
        key: DepositKey { asset, tx: hash(n), log_index: 0 },
        sender: Address::repeat_byte(2),
        account: None,
        amount: 1_000_000,
        block: n,
        block_hash: hash(n),
        depth: 1,
        state: DepositState::Seen,
        round: 0,
        seen_at: NOW,
    };
    let rows: Vec<_> = (1..=ACCOUNTS).map(deposit).collect();
    store.see_deposits(&rows).await.unwrap();
    let credits: Vec<_> = (1..=ACCOUNTS)
        .map(|n| {
            let (ledger, deposit) = (ledger.clone(), DepositKey { asset, tx: hash(n), log_index: 0 });
            let credited = Posting::DepositCredited { deposit, round: 0, account: AccountId(hash(n)) };
            tokio::spawn(async move { ledger.post(credited, NOW).await.unwrap() })
        })
        .collect();
    for credit in credits {
        credit.await.unwrap();
    }
    asset
}
