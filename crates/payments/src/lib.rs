//! Money beside the Market contract: the wallet that a market keeps for people who hold no key, and payments over HTTP.

mod config;
pub use config::{POSTINGS_MAX, TRIES, WAITING_MAX};

mod error;
pub use error::PaymentsError;

pub mod ledger;

pub mod assets;

pub mod treasury;

pub mod accounts;

mod refusal;
pub use refusal::PaymentRefusal;

pub mod channel;
pub mod client;
pub mod exact;
pub mod facilitator;
pub mod layer;
