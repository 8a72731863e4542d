//! Blocks that became dearer: a commit is offered for more at its nonce, and either of the two offers counts.

use std::time::Duration;

use chain::NonceAt;
use oracle::{ReceiptsConfig, receipts::Line};
use store::{ReceiptRow, ReceiptState};
use testkit::eventually;

use crate::stage::{LIMIT, Stage};

fn offer(row: &ReceiptRow) -> (u64, alloy_primitives::B256) {
    match row.state {
        ReceiptState::Sending { nonce, tx, .. } => (nonce, tx),
        ref other => panic!("{other:?}"),
    }
}

/// A commit that waits in the node's pool.
async fn waiting() -> (Stage, ReceiptRow) {
    let mut stage = Stage::new().await;
    stage.order().await;
    stage.index().await;
    stage.t.dev.automine(false).await.unwrap();
    let running = stage.receipts();
    eventually(LIMIT, async || (stage.recorder().nonce(NonceAt::Pending).await.unwrap() == 1).then_some(())).await;
    running.end().await;
    let row = stage.rows().await.remove(0);
    (stage, row)
}

fn impatient(stage: &Stage) -> ReceiptsConfig {
    ReceiptsConfig { dearer_after: Duration::from_millis(50), ..stage.config.clone() }
}

#[tokio::test]
async fn what_waits_too_long_is_offered_for_more_at_its_nonce() {
    let (stage, before) = Box::pin(waiting()).await;
    let running = stage.receipts_that(impatient(&stage));
    let raised = async || stage.rows().await.into_iter().find(|row| offer(row).1 != offer(&before).1);
    let raised = eventually(LIMIT, raised).await;
    assert_eq!(offer(&raised).0, offer(&before).0, "the same nonce");
    // It is kept before it is sent.
    let dearer = offer(&raised).1;
    eventually(LIMIT, async || stage.t.dev.has(dearer).await.unwrap().then_some(())).await;
    stage.t.dev.automine(true).await.unwrap();
    let rows = stage.committed(1).await;
    running.end().await;
    stage.assert_each_once(&rows).await;
    assert_eq!(stage.recorder().nonce(NonceAt::Latest).await.unwrap(), 1);
    assert!(
        !matches!(rows[0].state, ReceiptState::Committed { tx, .. } if tx == offer(&before).1),
        "the dearer one was mined: {rows:?}"
    );
}

#[tokio::test]
async fn the_cheaper_offer_counts_where_it_was_mined_after_all() {
    let (stage, before) = Box::pin(waiting()).await;
    let config = ReceiptsConfig { dies_at: Some(Line::Kept), ..impatient(&stage) };
    stage.receipts_that(config).died(Line::Kept).await;
    let kept = stage.rows().await.remove(0);
    assert_ne!(offer(&kept).1, offer(&before).1, "kept before it is sent");
    // The dearer one never went out.
    stage.t.dev.automine(true).await.unwrap();
    stage.t.dev.mine(1).await.unwrap();
    let running = stage.receipts_that(impatient(&stage));
    let rows = stage.committed(1).await;
    running.end().await;
    stage.assert_each_once(&rows).await;
    assert_eq!(stage.recorder().nonce(NonceAt::Latest).await.unwrap(), 1);
    assert!(matches!(rows[0].state, ReceiptState::Committed { tx, .. } if tx == offer(&before).1), "{rows:?}");
}
