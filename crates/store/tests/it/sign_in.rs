//! Nonces are good for one, sessions end.

use market::Timestamp;
use sea_orm::{ConnectionTrait, Database};
use store::{NONCES_MAX, SESSIONS_MAX, StoreError};
use testkit::TestDatabase;

use crate::fixture::{address, hash, open};

on_both_engines! {
    a_nonce_is_taken_once
    a_nonce_expires
    a_session_begins_and_ends
    an_address_has_so_many_sessions
    so_many_nonces_wait
}

async fn a_nonce_is_taken_once(database: &TestDatabase) {
    // Two gateways.
    let stores = [open(database).await, open(database).await];
    stores[0].new_nonce("n", Timestamp(100)).await.unwrap();
    let takers: Vec<_> = (0..32)
        .map(|n| {
            let store = stores[n % 2].clone();
            tokio::spawn(async move { store.take_nonce("n", Timestamp(50)).await.unwrap() })
        })
        .collect();
    let mut taken = 0;
    for taker in takers {
        taken += u32::from(taker.await.unwrap());
    }
    assert_eq!(taken, 1);
    assert!(!stores[0].take_nonce("never given", Timestamp(50)).await.unwrap());
}

async fn a_nonce_expires(database: &TestDatabase) {
    let store = open(database).await;
    store.new_nonce("n", Timestamp(100)).await.unwrap();
    assert!(!store.take_nonce("n", Timestamp(100)).await.unwrap());
    assert!(store.take_nonce("n", Timestamp(99)).await.unwrap());
    let long = "x".repeat(store::NONCE_BYTES_MAX + 1);
    let refused = store.new_nonce(&long, Timestamp(100)).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
    store.new_nonce("old", Timestamp(100)).await.unwrap();
    store.new_nonce("young", Timestamp(101)).await.unwrap();
    store.prune(Timestamp(100)).await.unwrap();
    assert!(!store.take_nonce("old", Timestamp(1)).await.unwrap(), "pruned");
    assert!(store.take_nonce("young", Timestamp(1)).await.unwrap(), "kept");
}

async fn a_session_begins_and_ends(database: &TestDatabase) {
    let (store, other) = (open(database).await, open(database).await);
    store.new_session(hash(1), address(1), Timestamp(10), Timestamp(100)).await.unwrap();
    store.new_session(hash(2), address(2), Timestamp(10), Timestamp(200)).await.unwrap();
    let session = other.session(hash(1), Timestamp(99)).await.unwrap().unwrap();
    assert_eq!((session.address, session.expires), (address(1), Timestamp(100)));
    assert_eq!(other.session(hash(1), Timestamp(100)).await.unwrap(), None, "expired");
    assert_eq!(other.session(hash(3), Timestamp(10)).await.unwrap(), None, "unknown");
    store.prune(Timestamp(100)).await.unwrap();
    assert_eq!(store.session(hash(1), Timestamp(10)).await.unwrap(), None, "pruned");
    assert!(store.session(hash(2), Timestamp(10)).await.unwrap().is_some());
    other.end_session(hash(2)).await.unwrap();
    other.end_session(hash(2)).await.unwrap();
    assert_eq!(store.session(hash(2), Timestamp(10)).await.unwrap(), None);
}

async fn an_address_has_so_many_sessions(database: &TestDatabase) {
    let store = open(database).await;
    let begin = async |n: u64, who: u64| {
        store.new_session(hash(n), address(who), Timestamp(n), Timestamp(1000)).await.unwrap();
    };
    begin(999, 2).await;
    for n in 1..=SESSIONS_MAX + 2 {
        begin(n, 1).await;
    }
    let lasts = async |n: u64| store.session(hash(n), Timestamp(1)).await.unwrap().is_some();
    assert!(!lasts(1).await && !lasts(2).await, "its oldest ended");
    for n in 3..=SESSIONS_MAX + 2 {
        assert!(lasts(n).await, "{n}");
    }
    assert!(lasts(999).await, "another's stay");
}

async fn so_many_nonces_wait(database: &TestDatabase) {
    let store = open(database).await;
    let raw = Database::connect(database.url().to_string()).await.unwrap();
    let many = format!(
        "INSERT INTO nonces (nonce, expires) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
         WHERE i < {}) SELECT 'n' || i, 100 FROM n",
        NONCES_MAX - 1
    );
    raw.execute_unprepared(&many).await.unwrap();
    store.new_nonce("last", Timestamp(200)).await.unwrap();
    let refused = store.new_nonce("more", Timestamp(200)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Busy { .. }), "{refused}");
    store.prune(Timestamp(100)).await.unwrap();
    store.new_nonce("more", Timestamp(200)).await.unwrap();
    assert!(store.take_nonce("last", Timestamp(100)).await.unwrap());
}
