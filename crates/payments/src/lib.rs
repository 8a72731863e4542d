//! Money beside the Market contract: the wallet that a market keeps for people who hold no key, and payments over HTTP.

mod config;

mod error;
pub use error::PaymentsError;
