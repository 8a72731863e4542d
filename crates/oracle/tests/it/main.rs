//! The oracle against real chains, real databases and a real block store.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "everything here runs inside a test, and a failed test is a panic"
)]

mod committing;
mod crashes;
mod dearer;
mod documents;
mod judging;
mod keys;
mod kills;
mod lives;
mod postgres;
mod stage;
mod verifying;
