//! What a gateway remembers, in SQLite or PostgreSQL: the market's index, which can be read from the chain again, and
//! its own rows, which cannot. The only crate that speaks SQL.

mod config;
pub use config::{ACQUIRE_WITHIN, BUSY_WITHIN, CONNECTIONS_MAX, StoreConfig};

mod error;
pub use error::StoreError;

mod rows;
pub use rows::{
    Batch, BlockChanges, BlockRef, CreditRow, Cursor, DecisionRow, DisputeRow, EventRow, Indexed, JobRow, Key,
    MarketRow, ProviderRow, ReporterRow, ResourceRow, Row, SlashRow, SlashedRow,
};

mod connect;
pub use connect::Store;

mod index;
pub use index::{RECENT_BLOCKS, Rewound};

mod lease;
pub use lease::{INDEX_LEASE, RECEIPTS_LEASE};

mod read;
pub use read::{JOB_EVENTS_MAX, JobFilter, PAGE_MAX};

mod sign_in;
pub use sign_in::{NONCE_BYTES_MAX, NONCES_MAX, SESSIONS_MAX, SessionRow};

mod request;
pub use request::{ABANDONED_AFTER_S, ANSWER_BYTES_MAX, Begun, KEY_BYTES_MAX, REQUESTS_KEPT_S};

mod presence;
pub use presence::{HOUR_S, METRICS_KEPT_S, PRESENCE_KEPT_S};

mod receipt;
pub use receipt::{Put, RAW_BYTES_MAX, ReceiptRow, ReceiptState};

mod ledger;
pub use ledger::{
    ASSETS_MAX, AccountId, Analytics, AnalyticsBy, AssetId, AssetRow, AssetTotals, BalanceRow, Bucket, DepositKey,
    DepositRow, DepositState, GasDay, HistoryRow, HoldRow, HoldState, LedgerChanges, LedgerKeys, LedgerTransaction,
    LedgerView, PostingRow, REFERENCE_BYTES_MAX, TREASURY_JOBS_MAX, WithdrawalRow, WithdrawalState,
};

mod account;
pub use account::{EMAIL_BYTES_MAX, LINKS_MAX, UserRow};

mod x402;
pub use x402::{
    AnswerRow, CHANNEL_ANSWER_BYTES_MAX, ChannelRow, PURPOSE_BYTES_MAX, PaymentKey, PaymentRow, PaymentState, Reserved,
    SendRow, SendState, VoucherRow,
};

mod bulk;
mod entity;
mod migration;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
