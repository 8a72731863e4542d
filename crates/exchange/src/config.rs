//! Settings, all of them plain values.

use std::fmt;
use std::time::Duration;

use content::{FetchLimits, Serves};
use libp2p::Multiaddr;
use libp2p::identity::Keypair;
use libp2p::pnet::PreSharedKey;

use crate::error::{Error, Result};

/// How a node stands in the network.
#[derive(Clone)]
pub struct NodeConfig {
    /// Who it is; another one each time where nothing is said.
    pub identity: Identity,
    /// Where it listens. In a private swarm only TCP.
    pub listen: Vec<Multiaddr>,
    /// The key of a private swarm: only who has it can connect.
    pub swarm_key: Option<SwarmKey>,
    /// How it finds out who has what.
    pub routing: Routing,
    /// Which blocks are handed out; `None` hands out what is under a pin.
    pub serves: Option<Serves>,
    /// How patient fetches are.
    pub patience: Patience,
    /// How much one fetch may bring.
    pub limits: FetchLimits,
    /// What is done for peers.
    pub service: Service,
    /// Connections at once, both ways.
    pub connections_max: u32,
}

impl Default for NodeConfig {
    fn default() -> Self {
        Self {
            identity: Identity::random(),
            listen: Vec::new(),
            swarm_key: None,
            routing: Routing::Off,
            serves: None,
            patience: Patience::default(),
            limits: FetchLimits::default(),
            service: Service::default(),
            // Each costs a few tens of kibibytes at rest.
            connections_max: 512,
        }
    }
}

impl fmt::Debug for NodeConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NodeConfig")
            .field("identity", &self.identity)
            .field("listen", &self.listen)
            .field("is_private", &self.swarm_key.is_some())
            .field("routing", &self.routing)
            .finish_non_exhaustive()
    }
}

/// The key by which peers know a node.
#[derive(Clone)]
pub struct Identity(pub(crate) Keypair);

impl Identity {
    /// A new one.
    pub fn random() -> Self {
        Self(Keypair::generate_ed25519())
    }

    /// The one of 32 secret bytes.
    pub fn from_secret(mut secret: [u8; 32]) -> Result<Self> {
        let bad = |error: &dyn fmt::Display| Error::BadSetting { what: "the node's key", reason: error.to_string() };
        Keypair::ed25519_from_bytes(&mut secret).map(Self).map_err(|error| bad(&error))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0.public().to_peer_id())
    }
}

/// The key of a private swarm, as Kubo keeps it in `swarm.key`.
#[derive(Clone, Copy)]
pub struct SwarmKey(pub(crate) PreSharedKey);

impl SwarmKey {
    /// The key of these bytes.
    pub fn new(key: [u8; 32]) -> Self {
        Self(PreSharedKey::new(key))
    }

    /// Reads the text of a `swarm.key`.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |error: &dyn fmt::Display| Error::BadSetting { what: "the swarm key", reason: error.to_string() };
        text.parse().map(Self).map_err(|error: libp2p::pnet::KeyParseError| bad(&error))
    }
}

impl fmt::Debug for SwarmKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SwarmKey({})", self.0.fingerprint())
    }
}

/// How a node finds out who has what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Routing {
    /// Not at all: peers are named.
    #[default]
    Off,
    /// By the table that nodes of one network keep, `/ipfs/lan/kad/1.0.0`.
    Lan,
    /// By the public table, `/ipfs/kad/1.0.0`, entered through these addresses.
    Public {
        /// Nodes that are known to be there, with their identities.
        entry: Vec<Multiaddr>,
    },
}

/// How patient fetches are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience {
    /// A block that does not come within this goes to another peer.
    pub block: Duration,
    /// When no block has come from anybody for so long, the fetch ends.
    pub give_up: Duration,
    /// Time to reach a peer.
    pub connect: Duration,
    /// Deadlines in a row that a peer may miss before it is left.
    pub misses_max: u32,
    /// Blocks that are asked of one peer at once.
    pub window_max: usize,
}

/// Helia does not send a block again to the same peer within this.
const RESEND_WINDOW: Duration = Duration::from_secs(5);
const BLOCK_DEADLINE: Duration = Duration::from_secs(10);
const _: () = assert!(BLOCK_DEADLINE.as_secs() > RESEND_WINDOW.as_secs());

impl Default for Patience {
    fn default() -> Self {
        Self {
            block: BLOCK_DEADLINE,
            give_up: Duration::from_secs(60),
            connect: Duration::from_secs(10),
            misses_max: 2,
            // 64 MiB of the usual blocks, so that this is what a transfer takes of memory.
            window_max: 64,
        }
    }
}

/// What is done for peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Wishes of one peer that are kept; further ones are refused.
    pub wants_max: usize,
    /// Bytes of blocks on their way to one peer.
    pub peer_bytes_max: u64,
    /// Bytes of blocks on their way to all peers.
    pub bytes_max: u64,
    /// A block that was sent is not sent again to the same peer within this.
    pub resend_after: Duration,
    /// A peer that lied is not asked again, nor connected, for this long.
    pub ban: Duration,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            // What Kubo and Helia keep.
            wants_max: 1024,
            // Enough that the disk is read while the line is busy.
            peer_bytes_max: 4 << 20,
            bytes_max: 64 << 20,
            resend_after: RESEND_WINDOW,
            ban: Duration::from_secs(3600),
        }
    }
}
