//! Bitswap 1.2: the messages, the behaviour that carries them, and what both sides remember.

mod behaviour;
mod demand;
mod frame;
mod handler;
mod message;
mod outbox;
mod proto;
mod protocol;
mod server;
mod session;

pub use behaviour::{Behaviour, Event};
pub(crate) use demand::{Demand, SessionId, Verdict, digest_of};
pub use handler::Handler;
pub use message::{ENTRIES_MAX, MESSAGE_BYTES_MAX, Message, Payload, Presence, Want, WantKind};
pub(crate) use server::{Batch, Server, ServerLimits};
pub(crate) use session::{Failure, Patience, Session, Step};
