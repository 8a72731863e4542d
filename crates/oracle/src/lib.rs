//! What a market vouches for towards strangers: receipts of what was agreed, when it ran and what was paid, and the reports
//! by which disputes are decided. Heartbeats and challenges come to live here.

mod config;
pub use config::{
    BACKOFF_MAX, BATCH, DEARER_AFTER, FOLLOWED_MAX, IN_FLIGHT_MAX, LEASE_S, POLL, RESEND_AFTER, ReceiptsConfig,
};

mod error;
pub use error::OracleError;

pub mod disputes;
pub mod receipts;
