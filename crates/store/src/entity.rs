//! Tables as SeaORM sees them, a file each. Nothing outside this crate does.
#![expect(unreachable_pub, reason = "the derives write `pub` items, which may not name narrower ones")]

pub(crate) mod asset;
pub(crate) mod balance;
pub(crate) mod credit;
pub(crate) mod deposit;
pub(crate) mod dispute;
pub(crate) mod event;
pub(crate) mod gas;
pub(crate) mod head;
pub(crate) mod hold;
pub(crate) mod holder;
pub(crate) mod indexed;
pub(crate) mod job;
pub(crate) mod lease;
pub(crate) mod link;
pub(crate) mod market_row;
pub(crate) mod metrics;
pub(crate) mod nonce;
pub(crate) mod posting;
pub(crate) mod presence;
pub(crate) mod provider;
pub(crate) mod receipt;
pub(crate) mod recent;
pub(crate) mod reporter;
pub(crate) mod request;
pub(crate) mod resource;
pub(crate) mod session;
pub(crate) mod slash;
pub(crate) mod stored;
pub(crate) mod undo;
pub(crate) mod user;
pub(crate) mod withdrawal;
pub(crate) mod x402;
