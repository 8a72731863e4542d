//! Nodes of ours, peers that misbehave, and other people's nodes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed"
)]

mod fixture;
mod helia;
mod puppet;

mod fetch;
mod hostile;
mod interop;
mod network;
mod serve;
