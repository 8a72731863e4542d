//! The market wallet's ledger: double entry, one writer in a process, many postings in one commit.
//!
//! A posting says what happened; [`Posting::reference`] says about what, and one reference is posted once, however often
//! it is tried and from however many gateways. The rules are pure; the database checks their sums once more.

mod book;
mod memory;
mod posting;
mod rules;
mod spending;
mod writer;

pub use book::{Book, Posted};
pub use posting::{Posting, Refusal};
pub use spending::{Period, RUNWAY_CRITICAL, RUNWAY_LOW, Runway, RunwayWarning, Spending, Wallet, runway, wallets};
pub use writer::{Ledger, LedgerConfig, Line};
