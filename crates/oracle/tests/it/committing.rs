//! From the index to a commit in a final block: what is written, when, how often, and what stands in the way.

use alloy_primitives::{Address, B256, U256};
use chain::NonceAt;
use market::{Outcome, Seconds};
use oracle::receipts::{Line, commit_body, envelope};
use store::{Put, ReceiptState, Store, StoreConfig};
use testkit::eventually;
use wire::receipt::{ReceiptDocument, ReceiptKind};

use crate::stage::{LIMIT, RESULT, Stage};

#[tokio::test]
async fn a_job_gets_two_receipts_that_can_be_fetched_and_are_committed_once() {
    let mut stage = Stage::new().await;
    let terms = stage.job().await;
    stage.index().await;
    let running = stage.receipts();
    let rows = stage.committed(2).await;
    assert_eq!(
        rows.iter().map(|row| row.kind).collect::<Vec<_>>(),
        [ReceiptKind::JobSubmitted, ReceiptKind::JobCompleted]
    );
    stage.assert_each_once(&rows).await;
    for row in &rows {
        let cid = row.nid.parse::<cid::Cid>().unwrap();
        assert!(stage.blocks.is_kept(&cid), "a pin serves it");
        assert_eq!(stage.blocks.get(&cid).unwrap().unwrap(), row.document);
        let found = stage.t.register.commits(&row.nid, None, 0, None).await.unwrap();
        assert_eq!(found[0].recorder, stage.t.recorder.address());
        assert_eq!(found[0].data, commit_body(row.job.0.into(), row.kind, &row.nid).unwrap());
        assert!(matches!(row.state, ReceiptState::Committed { tx, block }
            if (tx, block) == (found[0].tx, found[0].block)));
        let receipt = envelope(row, &stage.committer(), None, None).unwrap();
        assert_eq!(receipt.commit.unwrap().tx, found[0].tx);
    }
    let document: ReceiptDocument = serde_json::from_slice(&rows[1].document).unwrap();
    let cost = document.cost.unwrap();
    let money = |text: &str| text.parse::<u128>().unwrap();
    assert_eq!(money(&cost.locked.amount), terms.stream(Seconds(0), Default::default()).locked().0);
    let parts = [&cost.paid, &cost.fee, &cost.refunded].map(|money| money.amount.parse::<u128>().unwrap());
    assert_eq!(parts.iter().sum::<u128>(), money(&cost.locked.amount));
    assert_eq!(document.executor, stage.t.agent.address());
    assert_eq!(document.metadata.output_hash, Some(RESULT));

    // Nothing more happens, and a new start finds nothing to do.
    running.end().await;
    let before = stage.recorder().nonce(NonceAt::Latest).await.unwrap();
    stage.index().await;
    let running = stage.receipts();
    let other = stage.job().await;
    stage.index().await;
    stage.committed(4).await;
    running.end().await;
    assert_eq!(stage.recorder().nonce(NonceAt::Latest).await.unwrap(), before + 2, "{other:?}");
}

#[tokio::test]
async fn nothing_is_written_before_it_is_final_nor_for_jobs_that_never_ran() {
    let mut stage = Stage::new().await;
    // Without gas no commit mines a block and makes things final.
    stage.t.dev.fund(stage.t.recorder.address(), U256::ZERO).await.unwrap();
    let cancelled = stage.order().await;
    stage.t.renter.cancel_job(&cancelled).await.unwrap();
    let ended = stage.job().await;
    stage.finalize().await;
    let early = stage.order().await;
    stage.index_only().await;
    let running = stage.receipts();
    // Ends are looked for after orders: when this is there, the order was passed over.
    stage.one(&ended, ReceiptKind::JobCompleted).await;
    assert_eq!(stage.store.receipts_of(stage.id(&early)).await.unwrap(), []);
    stage.finalize().await;
    stage.index().await;
    stage.one(&early, ReceiptKind::JobSubmitted).await;
    let kinds: Vec<_> = stage.store.receipts_of(stage.id(&cancelled)).await.unwrap();
    assert_eq!(kinds.iter().map(|row| row.kind).collect::<Vec<_>>(), [ReceiptKind::JobSubmitted]);
    running.end().await;
}

#[tokio::test]
async fn the_same_is_the_same_and_another_is_a_conflict() {
    let mut stage = Stage::new().await;
    let (terms, _) = stage.receipt().await;
    let row = stage.one(&terms, ReceiptKind::JobCompleted).await;
    assert_eq!(stage.store.put_receipt(&row).await.unwrap(), Put::Same);
    let mut other = row.clone();
    other.document.push(b' ');
    other.nid = content::Block::new(content::RAW, other.document.clone()).unwrap().cid().to_string();
    assert_eq!(stage.store.put_receipt(&other).await.unwrap(), Put::Conflict);
    assert_eq!(stage.one(&terms, ReceiptKind::JobCompleted).await, row);
}

#[tokio::test]
async fn a_database_made_anew_adds_no_commit() {
    let mut stage = Stage::new().await;
    stage.job().await;
    stage.index().await;
    let running = stage.receipts();
    let before = stage.committed(2).await;
    running.end().await;

    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig::sqlite(&dir.path().join("index.sqlite")).unwrap();
    stage.store = Store::open(&config).await.unwrap();
    stage.begin_index().await;
    stage.index().await;
    let running = stage.receipts();
    let after = stage.committed(2).await;
    running.end().await;
    assert_eq!(before, after, "the same bytes, and the same commits");
    stage.assert_each_once(&after).await;
}

#[tokio::test]
async fn commits_of_a_lost_database_that_are_on_their_way_are_awaited() {
    let mut stage = Stage::new().await;
    stage.job().await;
    stage.index().await;
    stage.t.dev.automine(false).await.unwrap();
    let running = stage.receipts();
    eventually(LIMIT, async || (stage.recorder().nonce(NonceAt::Pending).await.unwrap() == 2).then_some(())).await;
    running.end().await;

    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig::sqlite(&dir.path().join("index.sqlite")).unwrap();
    stage.store = Store::open(&config).await.unwrap();
    stage.begin_index().await;
    stage.index_without_mining().await;
    let running = stage.receipts();
    eventually(LIMIT, async || (stage.rows().await.len() == 2).then_some(())).await;
    stage.t.dev.automine(true).await.unwrap();
    let rows = stage.committed(2).await;
    running.end().await;
    stage.assert_each_once(&rows).await;
}

#[tokio::test]
async fn a_commit_that_was_reorganised_away_is_sent_again() {
    let mut stage = Stage::new().await;
    stage.job().await;
    stage.index().await;
    let running = stage.receipts();
    let mined = async || {
        let rows = stage.rows().await;
        let mined = rows.iter().all(|row| matches!(row.state, ReceiptState::Mined { .. }));
        (rows.len() == 2 && mined).then_some(rows)
    };
    let rows = eventually(LIMIT, mined).await;
    stage.t.dev.reorg(1).await.unwrap();
    let gone = rows.iter().find(|row| {
        matches!(&row.state, ReceiptState::Mined { block, .. }
        if *block == rows.iter().filter_map(mined_in).max().unwrap())
    });
    let after = stage.committed(2).await;
    running.end().await;
    stage.assert_each_once(&after).await;
    let gone = gone.unwrap();
    let now = after.iter().find(|row| row.nid == gone.nid).unwrap();
    let (ReceiptState::Mined { tx: before, .. }, ReceiptState::Committed { tx, .. }) = (&gone.state, &now.state) else {
        panic!("{gone:?} {now:?}")
    };
    assert_eq!(before, tx, "the same bytes");
}

fn mined_in(row: &store::ReceiptRow) -> Option<u64> {
    match row.state {
        ReceiptState::Mined { block, .. } => Some(block),
        _ => None,
    }
}

#[tokio::test]
async fn a_node_that_forgets_gets_the_same_bytes_again() {
    let mut stage = Stage::new().await;
    stage.job().await;
    stage.index().await;
    stage.t.dev.automine(false).await.unwrap();
    let running = stage.receipts();
    let pending = async || stage.recorder().nonce(NonceAt::Pending).await.unwrap();
    let sent = async || (pending().await == 2).then_some(());
    eventually(LIMIT, sent).await;
    let before = stage.rows().await;
    stage.t.dev.drop_pending().await.unwrap();
    eventually(LIMIT, sent).await;
    assert_eq!(stage.rows().await, before, "nothing was signed anew");
    stage.t.dev.automine(true).await.unwrap();
    let rows = stage.committed(2).await;
    running.end().await;
    stage.assert_each_once(&rows).await;
}

#[tokio::test]
async fn a_key_without_gas_waits_and_goes_on() {
    let mut stage = Stage::new().await;
    let recorder = stage.t.recorder.address();
    stage.t.dev.fund(recorder, U256::ZERO).await.unwrap();
    stage.job().await;
    stage.index().await;
    let running = stage.receipts();
    // Documents are written all the same.
    eventually(LIMIT, async || (stage.rows().await.len() == 2).then_some(())).await;
    let more = stage.job().await;
    stage.index().await;
    eventually(LIMIT, async || (stage.rows().await.len() == 4).then_some(more.clone())).await;
    assert_eq!(stage.recorder().nonce(NonceAt::Pending).await.unwrap(), 0);
    stage.t.dev.fund(recorder, U256::from(10_u64.pow(18))).await.unwrap();
    let rows = stage.committed(4).await;
    running.end().await;
    stage.assert_each_once(&rows).await;
}

#[tokio::test]
async fn a_nonce_that_went_elsewhere_is_replaced_by_another() {
    let mut stage = Stage::new().await;
    stage.order().await;
    stage.index().await;
    // Signed, kept, and never sent; then somebody uses the key.
    stage.receipts_until(Line::Kept).died(Line::Kept).await;
    crate::stage::commit(&stage.t.register, &stage.t.recorder, "bafkqaaa", "{}").await;
    let running = stage.receipts();
    let rows = stage.committed(1).await;
    running.end().await;
    stage.assert_each_once(&rows).await;
}

#[tokio::test]
async fn two_processes_on_one_database_take_turns() {
    let mut stage = Stage::new().await;
    stage.job().await;
    stage.index().await;
    let one = stage.receipts();
    let other = stage.receipts_that(oracle::ReceiptsConfig { holder: "other".into(), ..stage.config.clone() });
    let rows = stage.committed(2).await;
    one.end().await;
    other.end().await;
    stage.assert_each_once(&rows).await;
}

#[tokio::test]
async fn many_jobs_are_found_in_batches() {
    let mut stage = Stage::new().await;
    stage.config.batch = 3;
    stage.config.in_flight_max = 4;
    for _ in 0..10 {
        stage.order().await;
    }
    stage.index().await;
    let running = stage.receipts();
    let rows = stage.committed(10).await;
    running.end().await;
    stage.assert_each_once(&rows).await;
}

#[tokio::test]
async fn the_executor_is_who_ran_it_then() {
    let mut stage = Stage::new().await;
    let first = stage.job().await;
    let newcomer = stage.t.newcomer().await.unwrap();
    stage.t.owner.set_agent(newcomer.address()).await.unwrap();
    let second = stage.order().await;
    stage.index().await;
    let running = stage.receipts();
    stage.committed(3).await;
    running.end().await;
    let executor = async |terms, kind| -> Address {
        let row = stage.one(terms, kind).await;
        serde_json::from_slice::<ReceiptDocument>(&row.document).unwrap().executor
    };
    assert_eq!(executor(&first, ReceiptKind::JobCompleted).await, stage.t.agent.address());
    assert_eq!(executor(&second, ReceiptKind::JobSubmitted).await, newcomer.address());
}

#[tokio::test]
async fn a_job_without_a_record_names_none() {
    let mut stage = Stage::new().await;
    let terms = stage.start().await;
    stage.t.agent.complete_job(&terms, Outcome::Succeeded, B256::ZERO).await.unwrap();
    stage.index().await;
    let running = stage.receipts();
    stage.committed(2).await;
    running.end().await;
    let row = stage.one(&terms, ReceiptKind::JobCompleted).await;
    let document: ReceiptDocument = serde_json::from_slice(&row.document).unwrap();
    assert_eq!((document.metadata.output_hash, document.metadata.output_cid), (None, None));
}
