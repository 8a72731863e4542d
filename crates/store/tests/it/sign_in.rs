//! Nonces are good for one, sessions end.

use market::Timestamp;
use store::StoreError;
use testkit::TestDatabase;

use crate::fixture::{address, hash, open};

on_both_engines! { a_nonce_is_taken_once a_nonce_expires a_session_begins_and_ends }

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
