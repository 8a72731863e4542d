//! Crashes: on every line between two lasting steps, and wherever else a process can be ended.

use std::time::Duration;

use chain::NonceAt;
use oracle::receipts::Line;
use store::ReceiptState;
use testkit::{Rng, eventually, rng};

use crate::stage::{LIMIT, Stage};

/// Every line that a receipt passes on a quiet chain, in each of which the process dies once for each receipt, until
/// none is left to pass it.
#[tokio::test]
async fn a_crash_on_any_line_commits_nothing_twice() {
    for line in Line::ALL.into_iter().filter(|line| *line != Line::Returned) {
        dies_on(line, Stage::new().await).await;
    }
}

pub(crate) async fn dies_on(line: Line, mut stage: Stage) {
    stage.job().await;
    stage.index().await;
    let mut deaths = 0;
    loop {
        let running = stage.receipts_until(line);
        let done = async || {
            let rows = stage.rows().await;
            // Blocks do not run ahead of a process that is slow: it must see a commit mined before it is final.
            if !rows.iter().any(|row| matches!(row.state, ReceiptState::Sending { .. })) {
                stage.t.dev.mine(1).await.unwrap();
            }
            let done = rows.iter().filter(|row| matches!(row.state, ReceiptState::Committed { .. })).count();
            (running.task.is_finished() || done == 2).then_some(())
        };
        eventually(LIMIT, done).await;
        if !running.task.is_finished() {
            running.end().await;
            break;
        }
        running.died(line).await;
        deaths += 1;
        // Lines before a lasting step come again and again: the next process has to get past it.
        if deaths >= 3 {
            let running = stage.receipts();
            stage.committed(2).await;
            running.end().await;
            break;
        }
    }
    let rows = stage.committed(2).await;
    stage.assert_each_once(&rows).await;
    assert!(deaths > 0, "{line:?} was never passed");
    assert_eq!(stage.recorder().nonce(NonceAt::Latest).await.unwrap(), 2, "{line:?}");
}

/// The line that only a reorganisation reaches.
#[tokio::test]
async fn a_crash_after_a_reorganisation_commits_nothing_twice() {
    let mut stage = Stage::new().await;
    stage.order().await;
    stage.index().await;
    stage.receipts_until(Line::Mined).died(Line::Mined).await;
    stage.t.dev.reorg(1).await.unwrap();
    stage.receipts_until(Line::Returned).died(Line::Returned).await;
    let rows = stage.rows().await;
    assert!(matches!(rows[0].state, ReceiptState::Sending { .. }), "{rows:?}");
    let running = stage.receipts();
    let rows = stage.committed(1).await;
    running.end().await;
    stage.assert_each_once(&rows).await;
}

/// Processes that are ended at any moment, in the middle of a question to the chain or the database, while jobs come
/// and blocks are reorganised away.
#[tokio::test]
async fn processes_that_are_ended_at_any_moment_commit_nothing_twice() {
    let mut rng = rng(8);
    let mut stage = Stage::new().await;
    stage.config.poll = Duration::from_millis(2);
    for round in 0..40 {
        if round % 8 == 0 {
            stage.job().await;
            stage.index().await;
        }
        let running = stage.receipts();
        // Not awaited: the moment is the point.
        let moment = Duration::from_micros(rng.next_u64() % 60_000);
        running.killed_after(moment).await;
        if rng.next_u64().is_multiple_of(3) {
            stage.t.dev.reorg(1).await.unwrap();
        }
    }
    let running = stage.receipts();
    let rows = stage.committed(10).await;
    running.end().await;
    stage.assert_each_once(&rows).await;
}
