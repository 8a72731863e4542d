//! How many postings the ledger writes: `bench: name=value unit` lines on standard output.
//!
//! Runs beside nothing else; every figure is measured here and now, the peer, `pgbench`, in the same run, with as many
//! clients on the same server, each commit on the disk before its client goes on.
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
/// Runs of each, in turns; the median counts.
const ROUNDS: usize = 3;

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

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn main() {
    // No database may be before those whose commits wait for the disk: all have one server.
    let durable = TestDatabase::durable_postgres;
    let with_postgres = durable().is_some();
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (mut sqlite, mut ours, mut plain) = (Vec::new(), Vec::new(), Vec::new());
        for round in 1..=ROUNDS {
            sqlite.push(posting::measure(&TestDatabase::sqlite()).await);
            if let (Some(mine), Some(its)) = (durable(), durable()) {
                plain.push(plain::measure(&its));
                ours.push(posting::measure(&mine).await);
            }
            note(&format!(
                "round {round}: sqlite {sqlite:.0?}, postgres {ours:.0?}, pgbench {plain:.0?}; load {}",
                load()
            ));
        }
        bench("ledger.sqlite_per_s", median(sqlite), "postings/s");
        if with_postgres {
            bench("ledger.postgres_per_s", median(ours), "postings/s");
            bench("ledger.postgres_plain_per_s", median(plain), "pgbench transactions/s");
        }
    });
}

/// What else the machine did, for who reads the figures.
fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}
