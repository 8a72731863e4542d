//! How fast an index is written and read. Not a test of every day: `-- --ignored --nocapture`.

use std::time::Instant;

use market::Timestamp;
use store::{BlockChanges, JobFilter, Row};
use testkit::TestDatabase;

use crate::fixture::{address, batch, begun, block, chance};

const BATCHES: u64 = 20;
const BLOCKS: u64 = 500;
const EVENTS: u64 = 10;

/// Ten events a block, each with the row that it changed.
async fn bulk(database: &TestDatabase, undoable: bool) {
    let store = begun(database).await;
    let mut chance = chance(41);
    let mut batches = Vec::new();
    for number in 0..BATCHES {
        let blocks = (0..BLOCKS).map(|offset| {
            let number = number * BLOCKS + offset + 1;
            let events = (0..EVENTS).map(|index| chance.event(number, index)).collect();
            let rows = (0..4).map(|index| Row::Job(chance.job(number * 2 + index, (number, index), number))).collect();
            BlockChanges { block: block(number), undoable, events, rows }
        });
        batches.push(batch(&blocks.collect::<Vec<_>>()));
    }
    let began = Instant::now();
    for batch in &batches {
        store.commit(batch).await.unwrap();
    }
    let took = began.elapsed().as_secs_f64();
    let events = (BATCHES * BLOCKS * EVENTS) as f64;
    println!(
        "{:?}, undoable {undoable}: {events} events in {took:.2} s, {:.0} a second",
        database.engine(),
        events / took
    );

    let began = Instant::now();
    for _ in 0..200 {
        let filter = JobFilter { renter: Some(address(1)), ..JobFilter::default() };
        assert_eq!(store.jobs(&filter, None, 50).await.unwrap().len(), 50);
    }
    println!("  a page of 50 jobs: {:.2} ms", began.elapsed().as_secs_f64() * 5.0);
    let began = Instant::now();
    store.earnings(1, Timestamp(0)).await.unwrap();
    println!("  earnings over {:.0} events: {:.1} ms", events / 6.0, began.elapsed().as_secs_f64() * 1000.0);
    let began = Instant::now();
    for number in 1..=200 {
        let changes = chance.block(BATCHES * BLOCKS + number, true);
        store.commit(&batch(&[changes])).await.unwrap();
    }
    println!("  a commit of one block: {:.2} ms", began.elapsed().as_secs_f64() * 5.0);
    let began = Instant::now();
    store.rewind(BATCHES * BLOCKS).await.unwrap();
    println!("  a rewind of 200 blocks: {:.1} ms", began.elapsed().as_secs_f64() * 1000.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn speed() {
    for database in TestDatabase::engines() {
        bulk(&database, false).await;
    }
    for database in TestDatabase::engines() {
        bulk(&database, true).await;
    }
}
