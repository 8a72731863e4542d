//! How fast the index is: `bench: name=value unit` lines on standard output.
//!
//! Runs beside nothing else; every figure is measured here and now, peers in the same run. The profile is the one that
//! people run in development: crates that move bytes are optimised, the rest is not.
#![expect(clippy::unwrap_used, reason = "a measure that cannot be taken ends the program with the reason")]

use std::io::Write;

use testkit::TestDatabase;

mod catch_up;
mod follow;
mod ponder;
mod workload;

/// One measured figure.
fn bench(name: &str, value: f64, unit: &str) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "bench: {name}={value:.1} {unit}").ok();
}

/// Something that a reader of the figures should know.
fn note(text: &str) {
    let mut stderr = std::io::stderr().lock();
    writeln!(stderr, "note: {text}").ok();
}

fn main() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let emitter = workload::emitted().await;
        bench("indexer.events_per_s", catch_up::measure(&emitter, TestDatabase::sqlite()).await, "events/s");
        if let Some(database) = TestDatabase::postgres() {
            bench("indexer.postgres_events_per_s", catch_up::measure(&emitter, database).await, "events/s");
        }
        ponder::measure(&emitter).await;
        drop(emitter);
        follow::measure().await;
    });
}
