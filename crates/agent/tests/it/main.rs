//! The agent against a real chain, a real engine and a gateway that speaks the protocol.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod bad_input;
mod endings;
mod engine;
mod escapes;
mod faults;
mod gateway;
mod happy;
mod leases;
mod listing;
mod metrics;
mod payer;
mod restart;
mod settle;
mod silence;
mod stage;
mod walls;
