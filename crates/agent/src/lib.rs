//! The provider's daemon: lists a machine, runs strangers' containers on it, proves that it does, and gets paid.
//!
//! It trusts neither the gateway nor the renter: money follows the chain, content follows its hashes, and what a job
//! may do follows one policy.

mod config;
pub use config::{AgentConfig, LeaseConfig, Offered, Simulated};

mod error;
pub use error::AgentError;

mod agent;
pub use agent::run;

mod check;
pub use check::{CheckConfig, Finding, Severity, check};

mod backoff;
mod beat;
mod disk;
mod egress;
pub use egress::{Mirrors, NetworkPolicy};
mod engine;
mod feeds;
mod follow;
mod host;
mod housekeeping;
mod image;
mod job;
mod journal;
mod lease;
pub mod limits;
mod link;
mod listing;
mod metrics;
mod probe;
mod scratch;
mod settle;
