//! The market wallet's rows, and how they are written: by one transaction at a time, which holds the ledger's one row.
//! What a posting may do is decided elsewhere (`payments::ledger`); here it is kept.

mod convert;
mod deposits;
mod gas;
mod read;
mod rows;
mod swap;
mod transaction;
mod withdrawals;

pub use gas::GasDay;
pub use read::{Analytics, AnalyticsBy, HistoryRow, TREASURY_JOBS_MAX};
pub use rows::{
    AccountId, AssetId, AssetRow, AssetTotals, BalanceRow, Bucket, DepositKey, DepositRow, DepositState, HoldRow,
    HoldState, PostingRow, WithdrawalRow, WithdrawalState,
};
pub use transaction::{LedgerChanges, LedgerKeys, LedgerTransaction, LedgerView};

/// The longest reference: an id or two with words between.
pub const REFERENCE_BYTES_MAX: usize = 255;
/// Most assets of one wallet: each is a token that somebody configured.
pub const ASSETS_MAX: usize = 64;
