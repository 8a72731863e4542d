//! The gateway: serves content and relays between renters and agents.
//!
//! It holds no market state and nobody trusts it: what it hands on is signed or named by its hash, what it lists
//! comes from the chain, and all it remembers may be lost at any moment.

mod config;
pub use config::{GatewayConfig, Limits, Rate, RateLimits};

mod error;
pub use error::GatewayError;

mod gateway;
pub use gateway::{Gateway, GatewayKeys, run};

mod server;

mod state;

mod auth;

mod feed;

mod gauges;

mod watcher;

mod link;

mod leases;

mod client;

mod listings;

mod board;

mod orders;

mod x402;
pub use x402::{GasCaps, HttpPayments};

mod wallet;
pub use wallet::{Funding, MarketWallet, WalletAsset};

mod funding;

mod collect;

mod idempotency;

mod http;
pub use http::openapi;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
