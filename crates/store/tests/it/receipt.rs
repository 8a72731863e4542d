//! One receipt under one key, and its way to the chain.

use market::{JobId, Status, Timestamp};
use store::{PAGE_MAX, Put, RAW_BYTES_MAX, ReceiptRow, ReceiptState, Row, Store, StoreError};
use testkit::TestDatabase;
use wire::receipt::{DOCUMENT_BYTES_MAX, ReceiptKind};

use crate::fixture::{address, batch, begun, chance, hash, job_id, open, with_rows};

on_both_engines! {
    a_receipt_exists_once
    states_come_back_as_they_went_in
    lists_are_in_their_order
    what_is_too_large_is_refused
    of_two_who_move_a_receipt_one_does
    jobs_are_due_by_the_block_that_made_them_so
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
        recorder: None,
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

async fn of_two_who_move_a_receipt_one_does(database: &TestDatabase) {
    let (store, other) = (open(database).await, open(database).await);
    let it = row(1, ReceiptKind::JobSubmitted, 1);
    store.put_receipt(&it).await.unwrap();
    store.put_receipt(&row(2, ReceiptKind::JobSubmitted, 1)).await.unwrap();
    let sending = |tx: u64| ReceiptState::Sending { nonce: 4, tx: hash(tx), raw: vec![tx as u8] };
    let mined = |tx: u64| ReceiptState::Mined { tx: hash(tx), block: 9, nonce: 4, raw: vec![tx as u8] };
    let moves = async |who: &Store, from: &ReceiptState, to: &ReceiptState, by: u64| {
        who.move_receipt(&it.nid, from, to, address(by)).await.unwrap()
    };
    assert!(moves(&store, &ReceiptState::Stored, &sending(1), 7).await);
    assert!(!moves(&other, &ReceiptState::Stored, &sending(2), 8).await, "another was faster");
    assert!(!moves(&other, &sending(2), &mined(2), 8).await, "another transaction");
    assert!(!moves(&other, &mined(1), &sending(1), 8).await, "another state of the same");
    let held = other.receipt_by_nid(&it.nid).await.unwrap().unwrap();
    assert_eq!((held.state, held.recorder), (sending(1), Some(address(7))));
    assert!(moves(&other, &sending(1), &sending(3), 7).await, "a dearer one in its place");
    assert!(moves(&other, &sending(3), &mined(3), 8).await);
    let held = store.receipt_by_nid(&it.nid).await.unwrap().unwrap();
    assert_eq!((held.state, held.recorder), (mined(3), Some(address(8))));
    let bystander = store.receipt(job_id(2), ReceiptKind::JobSubmitted).await.unwrap().unwrap();
    assert_eq!((bystander.state, bystander.recorder), (ReceiptState::Stored, None));
    let none = store.move_receipt("bafknone", &ReceiptState::Stored, &sending(1), address(7)).await.unwrap();
    assert!(!none, "there is no such receipt");
}

async fn jobs_are_due_by_the_block_that_made_them_so(database: &TestDatabase) {
    let store = begun(database).await;
    let mut chance = chance(41);
    // Job, the block of its order, that of its last change, and whether it is settled.
    let table = [(5, 1, 4, true), (3, 1, 9, true), (4, 2, 2, false), (1, 3, 4, true), (2, 6, 6, true)];
    for number in 1..=9 {
        let rows = table.iter().filter(|job| job.2 == number).map(|&(id, created, changed, is_final)| {
            let status = if is_final { Status::Final } else { Status::Running };
            Row::Job(store::JobRow { status, ..chance.job(id, (created, 0), changed) })
        });
        let rows = rows.collect();
        store.commit(&batch(&[with_rows(number, rows)])).await.unwrap();
    }
    let due = async |kind, after: Option<(u64, u64)>, upto, limit| -> Vec<u64> {
        let after = after.map(|(at, id)| (at, job_id(id)));
        let jobs = store.jobs_without_receipt(kind, after, upto, limit).await.unwrap();
        let number = |id: JobId| u64::from(*id.0.last().unwrap());
        jobs.into_iter().map(|job| number(job.id)).collect()
    };
    use ReceiptKind::{JobCompleted, JobSubmitted};
    assert_eq!(due(JobSubmitted, None, 9, 100).await, [3, 5, 4, 1, 2]);
    assert_eq!(due(JobSubmitted, None, 9, 2).await, [3, 5], "a page");
    assert_eq!(due(JobSubmitted, Some((1, 3)), 9, 2).await, [5, 4], "the next, in the same block");
    assert_eq!(due(JobSubmitted, None, 2, 100).await, [3, 5, 4], "no block above");
    assert_eq!(due(JobCompleted, None, 9, 100).await, [1, 5, 2, 3], "by the block of the settlement");
    assert_eq!(due(JobCompleted, Some((4, 1)), 8, 100).await, [5, 2]);
    for (job, kind) in [(5, JobSubmitted), (1, JobCompleted)] {
        store.put_receipt(&row(job, kind, 1)).await.unwrap();
    }
    assert_eq!(due(JobSubmitted, None, 9, 100).await, [3, 4, 1, 2], "one has its receipt, of this kind");
    assert_eq!(due(JobCompleted, None, 9, 100).await, [5, 2, 3]);
}
