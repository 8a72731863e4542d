//! A node: the handle that everybody holds, and the loop behind it.

mod engine;
mod exchange;
mod muxer;
mod routing;
mod swarm;
mod work;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use content::{BlockStore, Cid, Fetched, serves_pinned};
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::bitswap::{Demand, Server, ServerLimits, SessionId};
use crate::config::NodeConfig;
use crate::counters::PeerCounters;
use crate::error::{Error, Result};
use crate::fetch;
pub(crate) use engine::{Command, News};
use engine::{Engine, Shared};

/// Listening is a matter of the own machine; longer means that something is wrong with it.
const LISTEN_WITHIN: Duration = Duration::from_secs(10);

/// A node of the network. It stops when this and every fetch that it began are gone.
#[derive(Clone, Debug)]
pub struct Node {
    handle: Handle,
    store: Arc<BlockStore>,
    config: Arc<NodeConfig>,
    peer: PeerId,
}

/// The way to the loop.
#[derive(Clone, Debug)]
pub(crate) struct Handle {
    commands: mpsc::UnboundedSender<Command>,
    shared: Arc<Shared>,
    sessions: Arc<AtomicU64>,
    connect: Duration,
}

impl Node {
    /// Starts a node over a store; it listens when this returns.
    pub async fn start(config: NodeConfig, store: Arc<BlockStore>) -> Result<Self> {
        let mut swarm = swarm::build(&config)?;
        let mut unbound = std::collections::HashSet::new();
        for address in &config.listen {
            let bound = swarm.listen_on(address.clone());
            let listen = |reason: String| Error::Listen { address: address.to_string(), reason };
            unbound.insert(bound.map_err(|error| listen(error.to_string()))?);
        }
        let peer = *swarm.local_peer_id();
        let shared = Arc::new(Shared::default());
        let (commands, commanded) = mpsc::unbounded_channel();
        let (jobs, done) = mpsc::unbounded_channel();
        let (ready, is_ready) = oneshot::channel();
        let is_listening = !unbound.is_empty();
        let mut engine = Engine {
            swarm,
            serves: config.serves.clone().unwrap_or_else(|| serves_pinned(&store)),
            store: store.clone(),
            shared: shared.clone(),
            server: Server::new(ServerLimits {
                wants_max: config.service.wants_max,
                peer_bytes_max: config.service.peer_bytes_max,
                bytes_max: config.service.bytes_max,
                resend_after: config.service.resend_after,
            }),
            demand: Demand::default(),
            sessions: HashMap::new(),
            queries: routing::Queries::default(),
            jobs,
            banned: HashMap::new(),
            dials: HashMap::new(),
            unbound,
            ready: Some(ready),
            config: config.clone(),
        };
        engine.enter();
        tokio::spawn(engine.run(commanded, done));
        let handle =
            Handle { commands, shared, sessions: Arc::new(AtomicU64::new(0)), connect: config.patience.connect };
        if is_listening {
            let late = || Error::Listen { address: String::new(), reason: "the system gave no answer".to_owned() };
            timeout(LISTEN_WITHIN, is_ready).await.map_err(|_| late())?.map_err(|_| Error::Stopped)?;
        }
        Ok(Self { handle, store, config: Arc::new(config), peer })
    }

    /// By which name peers know it.
    pub fn peer_id(&self) -> PeerId {
        self.peer
    }

    /// Where it can be reached, its name included.
    pub fn addresses(&self) -> Vec<Multiaddr> {
        let bound = self.handle.shared.addresses.borrow();
        bound.iter().map(|address| address.clone().with(Protocol::P2p(self.peer))).collect()
    }

    /// Who is connected.
    pub fn peers(&self) -> Vec<PeerId> {
        let mut peers: Vec<PeerId> = self.handle.shared.peers.borrow().iter().copied().collect();
        peers.sort_unstable();
        peers
    }

    /// What went to and came from each peer.
    pub fn counters(&self) -> Vec<(PeerId, PeerCounters)> {
        self.handle.shared.counters.all()
    }

    /// Connects to a peer, or finds that it is connected.
    pub async fn connect(&self, address: Multiaddr) -> Result<PeerId> {
        self.handle.connect(address).await
    }

    /// Brings everything under `root` into the store, from these sources; where none is named, from whoever is
    /// connected and whom the routing table knows. What is stored is not asked for, so a fetch that was cut off
    /// goes on. Ends with [`Error::NotFound`] as soon as every source has said that it lacks a block,
    /// with [`Error::NoPeers`] when nobody is left to be asked, and with [`Error::Silence`] at the latest when nothing
    /// has come for [`Patience::give_up`](crate::Patience::give_up).
    pub async fn fetch(&self, root: &Cid, sources: &[Multiaddr]) -> Result<Fetched> {
        let limits = (self.config.patience.clone(), self.config.limits);
        fetch::fetch(self.handle.clone(), self.store.clone(), *root, sources, limits).await
    }

    /// Tells the network that this block is here, and again from time to time.
    pub async fn provide(&self, cid: &Cid) -> Result<()> {
        let (done, answer) = oneshot::channel();
        self.handle.command(Command::Provide(*cid, done));
        answer.await.unwrap_or(Err(Error::Stopped))
    }

    /// Who says that this block is there.
    pub async fn find_providers(&self, cid: &Cid) -> Result<Vec<PeerId>> {
        let (done, answer) = oneshot::channel();
        self.handle.command(Command::FindProviders(*cid, done));
        answer.await.unwrap_or(Err(Error::Stopped))
    }
}

impl Handle {
    /// A loop that has ended closes every channel that it knew, so that nobody waits for an answer to this.
    pub(crate) fn command(&self, command: Command) {
        drop(self.commands.send(command));
    }

    pub(crate) fn next_session(&self) -> SessionId {
        SessionId(self.sessions.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) async fn connect(&self, address: Multiaddr) -> Result<PeerId> {
        let (done, answer) = oneshot::channel();
        let shown = address.to_string();
        self.command(Command::Connect(address, done));
        let late = || format!("no answer within {} s", self.connect.as_secs());
        match timeout(self.connect, answer).await {
            Ok(Ok(Err(Error::Unreachable { reason, .. }))) => Err(Error::Unreachable { address: shown, reason }),
            Ok(answer) => answer.unwrap_or(Err(Error::Stopped)),
            Err(_) => Err(Error::Unreachable { address: shown, reason: late() }),
        }
    }
}
