//! How many postings the ledger writes: `bench: name=value unit` lines on standard output.
//!
//! Runs beside nothing else; every figure is measured here and now, the peer in the same run, with the same 64 clients
//! on the same server, each commit on the disk before its client goes on.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measure that cannot be taken ends the program with the reason"
)]

use std::io::Write;

use testkit::TestDatabase;

mod plain;
mod posting;

/// Clients beside each other, each of which waits for its answer.
const CLIENTS: u64 = 64;
/// Accounts among which the money goes round.
const ACCOUNTS: u64 = 1000;
/// For how long each figure is counted.
const FOR: std::time::Duration = std::time::Duration::from_secs(8);
/// Runs of each, one after the other in turns; the median counts.
const ROUNDS: usize = 3;

/// One measured figure.
fn bench(name: &str, value: f64, unit: &str) {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "bench: {name}={value:.1} {unit}").ok();
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn main() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut sqlite = Vec::new();
        for _ in 0..ROUNDS {
            sqlite.push(posting::measure(&TestDatabase::sqlite()).await);
        }
        bench("ledger.sqlite_per_s", median(sqlite), "postings/s");
        let (mut ours, mut plain) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let Some(database) = TestDatabase::durable_postgres() else { return };
            ours.push(posting::measure(&database).await);
            let Some(database) = TestDatabase::durable_postgres() else { return };
            plain.push(plain::measure(&database).await);
        }
        bench("ledger.postgres_per_s", median(ours), "postings/s");
        bench("ledger.postgres_plain_per_s", median(plain), "transactions/s");
    });
}
