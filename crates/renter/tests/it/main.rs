//! The renter over a real chain, with an agent played by the test and a gateway that says what the test wants.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where a step does")]

mod gateway;
mod stage;

mod create;
mod deadlines;
mod feed;
mod happy;
mod job_files;
mod lies;
mod ready;
mod record;
mod reorg;
mod search;
mod session;
mod silence;
mod stop;
mod watcher;
