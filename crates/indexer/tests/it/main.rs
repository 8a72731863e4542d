//! The indexer against real chains and real databases.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "everything here runs inside a test, and a failed test is a panic"
)]

mod agrees;
mod index;
mod kills;
mod leases;
mod rebuilds;
mod reorgs;
mod story;
