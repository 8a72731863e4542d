//! Blocks exchanged with other people's IPFS nodes: bitswap over libp2p, and finding who has what.

mod node;

mod fetch;

pub mod bitswap;

mod config;
mod counters;
mod error;

pub use config::{Identity, NodeConfig, Patience, Routing, Service, SwarmKey};
pub use counters::PeerCounters;
pub use error::{Error, Result};
pub use libp2p::{Multiaddr, PeerId};
pub use node::Node;
