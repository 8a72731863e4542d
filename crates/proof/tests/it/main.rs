//! Provers who are honest and provers who are not, against the oracle's side.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails where a step does")]

mod honest;
mod hostile;
mod replay;
mod stage;
