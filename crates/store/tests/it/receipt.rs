//! One receipt under one key, and its way to the chain.

use market::Timestamp;
use store::{PAGE_MAX, Put, RAW_BYTES_MAX, ReceiptRow, ReceiptState, StoreError};
use testkit::TestDatabase;
use wire::receipt::{DOCUMENT_BYTES_MAX, ReceiptKind};

use crate::fixture::{hash, job_id, open};

on_both_engines! {
    a_receipt_exists_once
    states_come_back_as_they_went_in
    lists_are_in_their_order
    what_is_too_large_is_refused
}

fn row(job: u64, kind: ReceiptKind, at: u64) -> ReceiptRow {
    ReceiptRow {
        nid: format!("bafkrei{job:05}{}", kind.name()),
        job: job_id(job),
        kind,
        idempotency_key: kind.idempotency_key(job_id(job)),
        document: format!("{{\"job\":{job}}}\0").into_bytes(),
        occurred_at: Timestamp(at),
        from_block: 3,
        to_block: 9,
        state: ReceiptState::Stored,
    }
}

async fn a_receipt_exists_once(database: &TestDatabase) {
    let (store, other) = (open(database).await, open(database).await);
    let first = row(1, ReceiptKind::JobSubmitted, 10);
    assert_eq!(store.put_receipt(&first).await.unwrap(), Put::New);
    let sent = ReceiptState::Sending { nonce: 4, tx: hash(1), raw: vec![1] };
    store.set_receipt_state(&first.nid, &sent).await.unwrap();
    assert_eq!(other.put_receipt(&first).await.unwrap(), Put::Same);
    assert_eq!(other.receipt_by_nid(&first.nid).await.unwrap().unwrap().state, sent, "its state was left alone");
    let conflicts = [
        ReceiptRow { nid: "bafkother".into(), document: vec![], ..first.clone() },
        ReceiptRow { idempotency_key: "other".into(), ..first.clone() },
        ReceiptRow { document: vec![1], ..first.clone() },
    ];
    for conflict in conflicts {
        assert_eq!(store.put_receipt(&conflict).await.unwrap(), Put::Conflict, "{conflict:?}");
    }
    let second = row(2, ReceiptKind::JobSubmitted, 11);
    assert_eq!(store.put_receipt(&second).await.unwrap(), Put::New);
    let both = ReceiptRow { nid: first.nid.clone(), ..second.clone() };
    assert_eq!(store.put_receipt(&both).await.unwrap(), Put::Conflict, "the NID of one, the key of the other");
    assert_eq!(store.receipts(None, 100).await.unwrap().len(), 2);
}

async fn states_come_back_as_they_went_in(database: &TestDatabase) {
    let store = open(database).await;
    let mut it = row(1, ReceiptKind::JobCompleted, 10);
    store.put_receipt(&it).await.unwrap();
    let raw = vec![0, 255, 7];
    for state in [
        ReceiptState::Sending { nonce: 0, tx: hash(1), raw: raw.clone() },
        ReceiptState::Mined { tx: hash(1), block: 77, nonce: 0, raw: raw.clone() },
        // Taken back by a reorganisation.
        ReceiptState::Sending { nonce: 0, tx: hash(1), raw },
        ReceiptState::Stored,
        ReceiptState::Committed { tx: hash(2), block: 78 },
    ] {
        store.set_receipt_state(&it.nid, &state).await.unwrap();
        it.state = state;
        assert_eq!(store.receipt_by_nid(&it.nid).await.unwrap().as_ref(), Some(&it));
        assert_eq!(store.receipt(job_id(1), ReceiptKind::JobCompleted).await.unwrap().as_ref(), Some(&it));
    }
    assert_eq!(store.receipt(job_id(1), ReceiptKind::JobSubmitted).await.unwrap(), None);
    let refused = store.set_receipt_state("bafknone", &ReceiptState::Stored).await;
    assert!(matches!(refused, Err(StoreError::NoReceipt { .. })), "{refused:?}");
}

async fn lists_are_in_their_order(database: &TestDatabase) {
    let store = open(database).await;
    for job in 1..=250 {
        store.put_receipt(&row(job, ReceiptKind::JobCompleted, 100 + job / 3)).await.unwrap();
    }
    store.put_receipt(&row(7, ReceiptKind::JobSubmitted, 50)).await.unwrap();
    let of_job = store.receipts_of(job_id(7)).await.unwrap();
    assert_eq!(of_job.iter().map(|it| it.kind.name()).collect::<Vec<_>>(), ["JobSubmitted", "JobCompleted"]);

    let mut seen: Vec<ReceiptRow> = Vec::new();
    loop {
        let before = seen.last().map(|it| (it.occurred_at, it.nid.as_str()));
        let page = store.receipts(before, 40).await.unwrap();
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen.len(), 251, "each once");
    assert!(seen.is_sorted_by_key(|it| std::cmp::Reverse((it.occurred_at, it.nid.clone()))));
    assert_eq!(store.receipts(None, u64::MAX).await.unwrap().len() as u64, PAGE_MAX);

    let due = store.receipts_due(3).await.unwrap();
    assert_eq!(due.iter().map(|it| it.occurred_at.0).collect::<Vec<_>>(), [50, 100, 100]);
    let done = ReceiptState::Committed { tx: hash(1), block: 1 };
    store.set_receipt_state(&due[0].nid, &done).await.unwrap();
    let mined = ReceiptState::Mined { tx: hash(1), block: 1, nonce: 1, raw: vec![] };
    store.set_receipt_state(&due[1].nid, &mined).await.unwrap();
    let still = store.receipts_due(1).await.unwrap();
    assert_eq!(still[0].nid, due[1].nid, "a commit that is not final is still due");
}

async fn what_is_too_large_is_refused(database: &TestDatabase) {
    let store = open(database).await;
    let fits = ReceiptRow { document: vec![0; DOCUMENT_BYTES_MAX], ..row(1, ReceiptKind::JobSubmitted, 1) };
    assert_eq!(store.put_receipt(&fits).await.unwrap(), Put::New);
    let large = ReceiptRow { document: vec![0; DOCUMENT_BYTES_MAX + 1], ..row(2, ReceiptKind::JobSubmitted, 1) };
    assert!(matches!(store.put_receipt(&large).await, Err(StoreError::TooLarge { .. })));
    let state = ReceiptState::Sending { nonce: 1, tx: hash(1), raw: vec![0; RAW_BYTES_MAX + 1] };
    assert!(matches!(store.set_receipt_state(&fits.nid, &state).await, Err(StoreError::TooLarge { .. })));
}
