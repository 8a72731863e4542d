//! A request under a key is carried out once.

use market::Timestamp;
use store::{ABANDONED_AFTER_S, ANSWER_BYTES_MAX, Begun, KEY_BYTES_MAX, REQUESTS_KEPT_S, StoreError};
use testkit::TestDatabase;

use crate::fixture::{address, hash, open};

const NOW: Timestamp = Timestamp(1_800_000_000);

on_both_engines! {
    an_answer_is_repeated
    another_body_is_a_conflict
    of_many_at_once_one_is_new
    a_request_of_a_dead_gateway_is_taken_over_once
    who_says_that_he_works_is_not_taken_over
    what_changed_nothing_may_be_tried_again
    what_is_too_large_is_refused
    old_answers_are_forgotten
}

fn later(seconds: u64) -> Timestamp {
    Timestamp(NOW.0 + seconds)
}

async fn an_answer_is_repeated(database: &TestDatabase) {
    let store = open(database).await;
    let begin = async |now| store.begin_request("k", address(1), "POST /jobs", hash(1), now).await.unwrap();
    assert_eq!(begin(NOW).await, Begun::New);
    assert_eq!(begin(NOW).await, Begun::InFlight);
    store.finish_request("k", address(1), "POST /jobs", 201, b"{\"a\":1}").await.unwrap();
    store.finish_request("k", address(1), "POST /jobs", 500, b"late").await.unwrap();
    let done = Begun::Done { status: 201, body: b"{\"a\":1}".to_vec() };
    assert_eq!(begin(later(REQUESTS_KEPT_S - 1)).await, done, "the first answer stays");
    store.drop_request("k", address(1), "POST /jobs").await.unwrap();
    assert_eq!(begin(NOW).await, done, "what was answered is not dropped");
    store.prune(later(REQUESTS_KEPT_S - 1)).await.unwrap();
    assert_eq!(begin(NOW).await, done, "what is young is not pruned");
    assert_eq!(begin(later(REQUESTS_KEPT_S)).await, Begun::New, "forgotten after a day, pruned or not");
    store.prune(later(2 * REQUESTS_KEPT_S)).await.unwrap();
    assert_eq!(begin(NOW).await, Begun::New);
}

async fn another_body_is_a_conflict(database: &TestDatabase) {
    let store = open(database).await;
    let begin = async |who, route, body| store.begin_request("k", address(who), route, hash(body), NOW).await.unwrap();
    assert_eq!(begin(1, "POST /jobs", 1).await, Begun::New);
    assert_eq!(begin(1, "POST /jobs", 2).await, Begun::Different, "while it is in progress");
    assert_eq!(begin(2, "POST /jobs", 2).await, Begun::New, "keys of others are others");
    store.finish_request("k", address(1), "POST /jobs", 200, b"").await.unwrap();
    assert_eq!(begin(1, "POST /jobs", 2).await, Begun::Different);
    assert_eq!(begin(1, "POST /stop", 1).await, Begun::Different);
    assert_eq!(begin(1, "POST /jobs", 1).await, Begun::Done { status: 200, body: vec![] });
    let abandoned = later(ABANDONED_AFTER_S);
    let other = store.begin_request("k", address(2), "POST /jobs", hash(9), abandoned).await.unwrap();
    assert_eq!(other, Begun::Different, "what was abandoned may have happened");
}

async fn at_once(database: &TestDatabase, now: Timestamp) -> usize {
    let stores = [open(database).await, open(database).await];
    let asked: Vec<_> = (0..32)
        .map(|n| {
            let store = stores[n % 2].clone();
            tokio::spawn(async move { store.begin_request("k", address(1), "r", hash(1), now).await.unwrap() })
        })
        .collect();
    let mut new = 0;
    for answer in asked {
        match answer.await.unwrap() {
            Begun::New => new += 1,
            Begun::InFlight => {}
            other => panic!("{other:?}"),
        }
    }
    new
}

async fn of_many_at_once_one_is_new(database: &TestDatabase) {
    assert_eq!(at_once(database, NOW).await, 1);
}

async fn a_request_of_a_dead_gateway_is_taken_over_once(database: &TestDatabase) {
    let store = open(database).await;
    assert_eq!(store.begin_request("k", address(1), "r", hash(1), NOW).await.unwrap(), Begun::New);
    let young = later(ABANDONED_AFTER_S - 1);
    assert_eq!(store.begin_request("k", address(1), "r", hash(1), young).await.unwrap(), Begun::InFlight);
    assert_eq!(at_once(database, later(ABANDONED_AFTER_S)).await, 1);
}

async fn who_says_that_he_works_is_not_taken_over(database: &TestDatabase) {
    let store = open(database).await;
    let begin = async |now| store.begin_request("k", address(1), "r", hash(1), now).await.unwrap();
    assert_eq!(begin(NOW).await, Begun::New);
    store.touch_request("k", address(1), "r", later(ABANDONED_AFTER_S - 1)).await.unwrap();
    assert_eq!(begin(later(2 * ABANDONED_AFTER_S - 2)).await, Begun::InFlight);
    assert_eq!(begin(later(2 * ABANDONED_AFTER_S - 1)).await, Begun::New, "he said nothing since");
    store.finish_request("k", address(1), "r", 200, b"").await.unwrap();
    store.touch_request("k", address(1), "r", later(3 * ABANDONED_AFTER_S)).await.unwrap();
    assert_eq!(begin(later(2 * ABANDONED_AFTER_S)).await, Begun::Done { status: 200, body: vec![] });
}

async fn what_changed_nothing_may_be_tried_again(database: &TestDatabase) {
    let store = open(database).await;
    for _ in 0..2 {
        assert_eq!(store.begin_request("k", address(1), "r", hash(1), NOW).await.unwrap(), Begun::New);
        store.drop_request("k", address(1), "r").await.unwrap();
    }
    assert_eq!(store.begin_request("k", address(1), "other", hash(2), NOW).await.unwrap(), Begun::New);
}

async fn what_is_too_large_is_refused(database: &TestDatabase) {
    let store = open(database).await;
    let refused = store.begin_request(&"k".repeat(KEY_BYTES_MAX + 1), address(1), "r", hash(1), NOW).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
    store.begin_request("k", address(1), "r", hash(1), NOW).await.unwrap();
    let refused = store.finish_request("k", address(1), "r", 200, &vec![0; ANSWER_BYTES_MAX + 1]).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
    store.finish_request("k", address(1), "r", 200, &vec![0; ANSWER_BYTES_MAX]).await.unwrap();
}

/// Also the rows go: a key that nobody uses again is not asked for again.
async fn old_answers_are_forgotten(database: &TestDatabase) {
    use sea_orm::{ConnectionTrait, Database, Statement};
    let store = open(database).await;
    let raw = Database::connect(database.url().to_string()).await.unwrap();
    let count = async || {
        let ask = Statement::from_string(raw.get_database_backend(), "SELECT count(*) AS n FROM requests");
        raw.query_one_raw(ask).await.unwrap().unwrap().try_get::<i64>("", "n").unwrap()
    };
    let begun = store.begin_request("k", address(1), "POST /jobs", hash(1), later(0)).await.unwrap();
    assert_eq!(begun, Begun::New);
    store.prune(later(store::REQUESTS_KEPT_S - 1)).await.unwrap();
    assert_eq!(count().await, 1);
    store.prune(later(store::REQUESTS_KEPT_S)).await.unwrap();
    assert_eq!(count().await, 0);
}
