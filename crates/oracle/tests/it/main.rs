//! The oracle against real chains, real databases and a real block store.
#![expect(clippy::unwrap_used, reason = "everything here runs inside a test, and a failed test is a panic")]

mod committing;
mod crashes;
mod documents;
mod lives;
mod stage;
mod verifying;
