//! The only speaker with EVM chains: keys, transactions, reads and the event stream of one market.
//!
//! Nothing here knows SQL, HTTP routes or containers; what leaves are the nouns of `market` and `wire`.

mod config;
pub use config::{ChainConfig, DeployConfig, DevChainConfig, POLLS_SKIPPED, SendConfig, StreamConfig, WINDOW};

mod error;
pub use error::ChainError;

mod revert;
pub use revert::MarketRevert;

mod wallet;
pub use wallet::Wallet;

pub mod keystore;

mod chain;
pub use chain::{Block, BlockHeader, Chain};

mod call;
pub use call::Call;

mod logs;
pub use logs::{RawLog, Receipt};

mod erc20;
pub use erc20::{Erc20, Transfer};

pub mod usdc;

pub mod canonical;

mod channels;
pub use channels::{Channel, ChannelEvent, ChannelLog, Channels, ReceiverTotals, Withdrawal};

mod deposits;
pub use deposits::{DepositEvent, Deposits, TillDeposit, WalletTill};

mod tills;
pub use tills::{Shares, Tills};

mod reputation;
pub use reputation::{PenaltyKind, Reputation, Score, Totals, Version, Versions};

mod reads;
pub use reads::{JobState, Listing, Market, Provider, ResourceState};

mod disputes;
pub use disputes::{Dispute, SlashProposal, SlashStatus};

mod order;
pub use order::Order;

pub mod calls;

mod account;
pub use account::{Account, Authorization, Mined};

mod teller;
pub use teller::{Inclusion, NonceAt, Prepared, Teller};

mod register;
pub use register::{Commit, Recorder, Register};

mod event;
pub use event::MarketEvent;

mod stream;
pub use stream::{BlockEvents, EventStream, Item, Logged};

mod deploy;
pub use deploy::{Deployment, X402, deploy};

mod dev;
pub use dev::{DevChain, native_anvil};

mod agents;
mod bindings;
mod convert;
mod heads;
mod history;
