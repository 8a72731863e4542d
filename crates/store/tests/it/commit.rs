//! What is committed is read back, whole or not at all.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use store::{Batch, Indexed, Key, Row, StoreError};
use testkit::TestDatabase;

use crate::fixture::{INDEXED, batch, begun, block, chance, open, with_rows};

on_both_engines! {
    rows_come_back_as_they_went_in
    batches_make_no_difference
    words_that_no_text_can_hold
    only_what_follows_is_written
    nothing_is_written_on_what_was_taken_back
    a_batch_is_written_whole_or_not_at_all
    another_market_is_refused
    a_forgotten_index_can_begin_anew
}

async fn rows_come_back_as_they_went_in(database: &TestDatabase) {
    let store = begun(database).await;
    let mut chance = chance(1);
    let mut expected: BTreeMap<Key, Row> = BTreeMap::new();
    let mut events = Vec::new();
    for number in 1..200 {
        let changes = chance.block(number, number % 2 == 0);
        expected.extend(changes.rows.iter().map(|row| (row.key(), row.clone())));
        events.extend(changes.events.clone());
        store.commit(&batch(&[changes])).await.unwrap();
    }
    let keys: Vec<Key> = expected.keys().copied().collect();
    let found = store.rows(&keys).await.unwrap();
    let found: BTreeMap<Key, Row> = found.into_iter().map(|row| (row.key(), row)).collect();
    assert_eq!(found, expected);
    for key in &keys {
        match key {
            Key::Job(id) => assert_eq!(store.job(*id).await.unwrap().map(Row::Job).as_ref(), expected.get(key)),
            Key::Provider(id) => {
                assert_eq!(store.provider(*id).await.unwrap().map(Row::Provider).as_ref(), expected.get(key));
            }
            Key::Resource(id) => {
                assert_eq!(store.resource(*id).await.unwrap().map(Row::Resource).as_ref(), expected.get(key));
            }
            Key::Credit(account) => {
                assert_eq!(store.credit(*account).await.unwrap().map(Row::Credit).as_ref(), expected.get(key));
            }
            Key::Market => assert_eq!(Some(&Row::Market(store.market().await.unwrap())), expected.get(key)),
            Key::Dispute(job) => {
                assert_eq!(store.dispute(*job).await.unwrap().map(Row::Dispute).as_ref(), expected.get(key));
            }
            Key::Slash(id) => {
                let Some(Row::Slash(row)) = expected.get(key) else { panic!("{id}") };
                assert!(store.slashes_of(row.resource, 100).await.unwrap().contains(row));
            }
            Key::Reporter(address, _) => {
                let rows = store.reporter(*address).await.unwrap();
                assert!(rows.into_iter().any(|row| Some(&Row::Reporter(row)) == expected.get(key)));
            }
        }
    }
    for id in 0..5 {
        let id = crate::fixture::job_id(id);
        let of_job: Vec<_> = events.iter().filter(|event| event.job == Some(id)).cloned().collect();
        assert!(!of_job.is_empty());
        assert_eq!(store.job_events(id).await.unwrap(), of_job);
    }
    let cursor = store.cursor().await.unwrap().unwrap();
    assert_eq!((cursor.indexed, cursor.head(), cursor.recent.len()), (INDEXED, Some(block(199)), 199));
}

/// Also on the other engine: the text of an index is the same everywhere.
async fn batches_make_no_difference(database: &TestDatabase) {
    let other = TestDatabase::sqlite();
    let (whole, single) = (begun(database).await, begun(&other).await);
    let mut chance = chance(2);
    let blocks: Vec<_> = (1..400).map(|number| chance.block(number, number > 300)).collect();
    whole.commit(&batch(&blocks)).await.unwrap();
    for changes in &blocks {
        single.commit(&batch(std::slice::from_ref(changes))).await.unwrap();
    }
    let text = whole.dump_index().await.unwrap();
    assert!(text.lines().count() > 400 && text.contains("it's"), "{text}");
    assert_eq!(text, single.dump_index().await.unwrap());
    let (whole, single) = (whole.cursor().await.unwrap().unwrap(), single.cursor().await.unwrap().unwrap());
    assert_eq!(whole, single);
    assert_eq!(whole.recent.len(), store::RECENT_BLOCKS + 1);
}

/// Anybody can list a machine with such words: they must not stop the index.
async fn words_that_no_text_can_hold(database: &TestDatabase) {
    let store = begun(database).await;
    let mut chance = chance(6);
    let mut listing = chance.resource(1, 1, 1);
    listing.details = "a\0b".into();
    listing.hardware.model = "\0".into();
    let mut job = chance.job(1, (1, 0), 1);
    job.reason = Some("\0\u{ffff}".into());
    let mut first = with_rows(1, vec![Row::Resource(listing.clone()), Row::Job(job.clone())]);
    let mut event = chance.event(1, 0);
    event.job = Some(job.id);
    event.detail = serde_json::json!({ "reason": "\0" });
    first.events = vec![event.clone()];
    store.commit(&batch(&[first.clone()])).await.unwrap();
    let held = store.resource(listing.id).await.unwrap().unwrap();
    assert_eq!((held.details.as_str(), held.hardware.model.as_str()), ("a\u{fffd}b", "\u{fffd}"));
    assert_eq!(store.job(job.id).await.unwrap().unwrap().reason.as_deref(), Some("\u{fffd}\u{ffff}"));
    assert_eq!(store.job_events(job.id).await.unwrap(), [event]);
    // Also where the row is restored from a batch's own words.
    let text = store.dump_index().await.unwrap();
    store.forget_index().await.unwrap();
    store.begin_index(INDEXED).await.unwrap();
    let second = with_rows(2, vec![Row::Job(chance.job(1, (2, 0), 2))]);
    store.commit(&batch(&[first, second])).await.unwrap();
    store.rewind(1).await.unwrap();
    assert_eq!(store.dump_index().await.unwrap(), text);
    assert!(!store.take_nonce("\0", market::Timestamp(1)).await.unwrap());
    assert_eq!(store.receipt_by_nid("\0").await.unwrap(), None);
    assert_eq!(store.receipts(Some((market::Timestamp(1), "a\0b")), 1).await.unwrap(), []);
}

async fn only_what_follows_is_written(database: &TestDatabase) {
    let store = open(database).await;
    let refused = store.commit(&batch(&[with_rows(5, vec![])])).await;
    assert!(matches!(refused, Err(StoreError::NotBegun)), "{refused:?}");
    store.begin_index(INDEXED).await.unwrap();
    store.commit(&Batch::default()).await.unwrap();
    store.commit(&batch(&[with_rows(5, vec![])])).await.unwrap();
    for wrong in [vec![5], vec![4], vec![6, 6], vec![8, 7]] {
        let blocks: Vec<_> = wrong.iter().map(|number| with_rows(*number, vec![])).collect();
        let refused = store.commit(&batch(&blocks)).await;
        assert!(matches!(refused, Err(StoreError::NotNext { .. })), "{wrong:?}: {refused:?}");
    }
    assert_eq!(store.cursor().await.unwrap().unwrap().head(), Some(block(5)));
}

/// A writer that lost its place takes blocks back while the next one writes.
async fn nothing_is_written_on_what_was_taken_back(database: &TestDatabase) {
    let (store, late) = (begun(database).await, open(database).await);
    let blocks: Vec<_> = (1..=5).map(|number| with_rows(number, vec![])).collect();
    store.commit_after(None, &batch(&blocks)).await.unwrap();
    late.rewind(3).await.unwrap();
    let next = batch(&[with_rows(6, vec![])]);
    for wrong in [Some(block(5)), Some(block(2)), None] {
        let refused = store.commit_after(wrong, &next).await;
        assert!(matches!(refused, Err(StoreError::NotNext { head: 3, block: 6 })), "{wrong:?}: {refused:?}");
    }
    let other = store::BlockRef { hash: crate::fixture::hash(1), ..block(3) };
    assert!(store.commit_after(Some(other), &next).await.is_err(), "the same height on another chain");
    store.commit_after(Some(block(3)), &next).await.unwrap();
    assert_eq!(store.cursor().await.unwrap().unwrap().head(), Some(block(6)));
}

async fn a_batch_is_written_whole_or_not_at_all(database: &TestDatabase) {
    let store = begun(database).await;
    let mut chance = chance(3);
    let good = chance.block(1, true);
    let mut bad = with_rows(2, vec![Row::Job(chance.job(9, (2, 0), 2))]);
    // Two events at one place: the second is refused when the first is already written.
    bad.events = vec![chance.event(2, 0), chance.event(2, 0)];
    let refused = store.commit(&batch(&[good.clone(), bad])).await;
    assert!(refused.is_err_and(|error| !error.is_retryable()));
    assert_eq!(store.dump_index().await.unwrap(), "");
    assert_eq!(store.cursor().await.unwrap().unwrap().head(), None);
    store.commit(&batch(&[good])).await.unwrap();
}

async fn another_market_is_refused(database: &TestDatabase) {
    let store = begun(database).await;
    store.commit(&batch(&[chance(4).block(1, true)])).await.unwrap();
    let again = store.begin_index(INDEXED).await.unwrap();
    assert_eq!(again.head(), Some(block(1)), "the same market goes on where it was");
    for other in [Indexed { chain_id: 1, ..INDEXED }, Indexed { market: Address::repeat_byte(0x88), ..INDEXED }] {
        let refused = store.begin_index(other).await.unwrap_err();
        assert!(matches!(refused, StoreError::OtherMarket { .. }), "{refused:?}");
        let said = refused.to_string();
        assert!(said.contains(&INDEXED.market.to_string()) && said.contains(&other.market.to_string()), "{said}");
        assert!(said.contains("a database of its own"), "{said}");
    }
}

async fn a_forgotten_index_can_begin_anew(database: &TestDatabase) {
    let store = begun(database).await;
    let mut chance = chance(5);
    let blocks: Vec<_> = (1..20).map(|number| chance.block(number, true)).collect();
    store.commit(&batch(&blocks)).await.unwrap();
    let text = store.dump_index().await.unwrap();
    store.new_nonce("kept", market::Timestamp(10)).await.unwrap();
    store.forget_index().await.unwrap();
    assert_eq!((store.dump_index().await.unwrap().as_str(), store.cursor().await.unwrap()), ("", None));
    assert!(store.take_nonce("kept", market::Timestamp(9)).await.unwrap(), "what is not of the chain stays");
    store.begin_index(Indexed { chain_id: 2, ..INDEXED }).await.unwrap();
    store.commit(&batch(&blocks)).await.unwrap();
    assert_eq!(store.dump_index().await.unwrap(), text);
}
