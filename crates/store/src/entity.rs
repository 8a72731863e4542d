//! Tables as SeaORM sees them, a file each. Nothing outside this crate does.
#![expect(unreachable_pub, reason = "the derives write `pub` items, which may not name narrower ones")]

pub(crate) mod credit;
pub(crate) mod event;
pub(crate) mod indexed;
pub(crate) mod job;
pub(crate) mod lease;
pub(crate) mod market_row;
pub(crate) mod metrics;
pub(crate) mod nonce;
pub(crate) mod presence;
pub(crate) mod provider;
pub(crate) mod receipt;
pub(crate) mod recent;
pub(crate) mod reporter;
pub(crate) mod request;
pub(crate) mod resource;
pub(crate) mod session;
pub(crate) mod stored;
pub(crate) mod undo;
