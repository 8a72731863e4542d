//! One writer at a time.

use store::INDEX_LEASE;
use testkit::TestDatabase;

use crate::fixture::open;

on_both_engines! { one_holder_at_a_time many_ask_and_one_gets_it }

async fn one_holder_at_a_time(database: &TestDatabase) {
    let (first, second) = (open(database).await, open(database).await);
    assert!(first.index_lease("a", 600).await.unwrap());
    assert!(!second.index_lease("b", 600).await.unwrap(), "held");
    assert!(first.index_lease("a", 600).await.unwrap(), "renewed");
    assert!(second.receipts_lease("b", 600).await.unwrap(), "another lease");
    second.end_lease(INDEX_LEASE, "b").await.unwrap();
    assert!(!second.index_lease("b", 600).await.unwrap(), "only its holder gives it back");
    first.end_lease(INDEX_LEASE, "a").await.unwrap();
    assert!(second.index_lease("b", 0).await.unwrap(), "given back, and taken for no time");
    assert!(first.index_lease("a", 600).await.unwrap(), "expired");
}

async fn many_ask_and_one_gets_it(database: &TestDatabase) {
    let store = open(database).await;
    let asked: Vec<_> = (0..16)
        .map(|holder| {
            let store = store.clone();
            tokio::spawn(async move { store.index_lease(&holder.to_string(), 600).await.unwrap() })
        })
        .collect();
    let mut got = 0;
    for answer in asked {
        got += u32::from(answer.await.unwrap());
    }
    assert_eq!(got, 1);
}
