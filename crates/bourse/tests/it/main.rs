//! User stories of the whole program: real chain, real containers, real processes that are really killed.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where a step does")]

mod ended;
mod engine;
mod faults;
mod index;
mod leases;
mod look;
mod money;
mod peers;
mod proof;
mod reading;
mod receipt;
mod refuse;
mod run;
mod silence;
mod up;
mod wallets;
mod world;
mod x402;
