//! The chain crate against a real development chain.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "everything here runs inside a test, and a failed test is a panic"
)]

mod beside;
mod channels;
mod deploying;
mod disputes;
mod events;
mod following;
mod happy;
mod heads;
mod history;
mod listings;
mod money;
mod node;
mod pool;
mod register;
mod reverts;
mod sending;
mod signed_money;
mod stake;
mod teller;
