//! The same life with its rows in PostgreSQL: one of each kind of step, and a death on each line between.

use oracle::receipts::Line;

use crate::{crashes::dies_on, stage::Stage};

#[tokio::test]
async fn a_crash_on_any_line_commits_nothing_twice_with_postgresql() {
    for line in [Line::Row, Line::Kept, Line::Sent, Line::Mined, Line::Committed] {
        let Some(stage) = Stage::on_postgres().await else { return };
        dies_on(line, stage).await;
    }
}

#[tokio::test]
async fn two_processes_on_one_postgresql_take_turns() {
    let Some(mut stage) = Stage::on_postgres().await else { return };
    stage.job().await;
    stage.index().await;
    let one = stage.receipts();
    let other = stage.receipts_that(oracle::ReceiptsConfig { holder: "other".into(), ..stage.config.clone() });
    let rows = stage.committed(2).await;
    stage.t.dev.reorg(1).await.unwrap();
    stage.job().await;
    stage.index().await;
    let more = stage.committed(4).await;
    one.end().await;
    other.end().await;
    assert_eq!(more[..2], rows);
    stage.assert_each_once(&more).await;
}
