//! The loop of a node: events of the swarm, wishes of its handles, and the results of work on disk.
//!
//! Nothing in here waits for a disk or computes a hash: that is done on blocking threads and comes back as a [`Job`].

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use content::{BlockStore, Cid, Serves};
use futures_util::StreamExt;
use libp2p::core::transport::ListenerId;
use libp2p::swarm::{ConnectionId, SwarmEvent};
use libp2p::{Multiaddr, PeerId, Swarm};
use tokio::sync::{mpsc, oneshot, watch};

use super::routing::Queries;
use super::swarm::{Behaviour, BehaviourEvent};
use super::work::Job;
use crate::bitswap::{Demand, Server, SessionId};
use crate::config::{NodeConfig, Routing};
use crate::counters::Counters;
use crate::error::{Error, Result};

/// Between two looks at what is due: blocks that may be sent again, bans that are over.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What handles ask for.
pub(crate) enum Command {
    /// Connect to a peer.
    Connect(Multiaddr, oneshot::Sender<Result<PeerId>>),
    /// A fetch begins: what concerns it goes there.
    Open(SessionId, mpsc::UnboundedSender<News>),
    /// Ask a peer for blocks.
    Ask(SessionId, PeerId, Vec<Cid>),
    /// Tell a peer that blocks are not wanted any more.
    Cancel(SessionId, PeerId, Vec<Cid>),
    /// A fetch is over.
    Close(SessionId),
    /// Find peers that have a block, and connect to them; the fetch hears of each.
    Seek(SessionId, Cid),
    /// Tell the network that a block is here.
    Provide(Cid, oneshot::Sender<Result<()>>),
    /// Find out who has a block.
    FindProviders(Cid, oneshot::Sender<Result<Vec<PeerId>>>),
}

/// What a fetch hears.
#[derive(Debug)]
pub(crate) enum News {
    /// A peer is connected.
    Joined(PeerId),
    /// A peer is gone, or is not to be asked any more.
    Left(PeerId),
    /// Whether a peer has a block.
    Presence(PeerId, Cid, bool),
    /// A block whose digest was asked for. It goes under the plain codec.
    Block(PeerId, content::Block),
    /// Nobody else will be found.
    Sought,
}

/// What handles can see at any time.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) counters: Counters,
    pub(crate) addresses: watch::Sender<Vec<Multiaddr>>,
    pub(crate) peers: watch::Sender<HashSet<PeerId>>,
}

/// The state of a node.
pub(super) struct Engine {
    pub(super) swarm: Swarm<Behaviour>,
    pub(super) config: NodeConfig,
    pub(super) store: Arc<BlockStore>,
    pub(super) serves: Serves,
    pub(super) shared: Arc<Shared>,
    pub(super) server: Server,
    pub(super) demand: Demand,
    pub(super) sessions: HashMap<SessionId, mpsc::UnboundedSender<News>>,
    pub(super) queries: Queries,
    pub(super) jobs: mpsc::UnboundedSender<Job>,
    pub(super) banned: HashMap<PeerId, Instant>,
    pub(super) dials: HashMap<ConnectionId, oneshot::Sender<Result<PeerId>>>,
    pub(super) unbound: HashSet<ListenerId>,
    pub(super) ready: Option<oneshot::Sender<()>>,
}

impl Engine {
    /// Runs until the last handle is gone.
    pub(super) async fn run(
        mut self,
        mut commands: mpsc::UnboundedReceiver<Command>,
        mut jobs: mpsc::UnboundedReceiver<Job>,
    ) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                Some(job) = jobs.recv() => self.on_job(job),
                command = commands.recv() => match command {
                    Some(command) => self.on_command(command),
                    None => return,
                },
                _ = ticks.tick() => self.on_tick(),
            }
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Connect(address, done) => self.connect(&address, done),
            Command::Open(session, news) => {
                for peer in self.shared.peers.borrow().iter() {
                    // Whoever opens a session listens.
                    drop(news.send(News::Joined(*peer)));
                }
                self.sessions.insert(session, news);
            }
            Command::Ask(session, peer, cids) => self.ask(session, peer, &cids),
            Command::Cancel(session, peer, cids) => {
                let ended = self.demand.cancel(session, &peer, &cids);
                self.cancel(peer, ended);
            }
            Command::Close(session) => {
                self.sessions.remove(&session);
                for (peer, cids) in self.demand.close(session) {
                    self.cancel(peer, cids);
                }
            }
            Command::Seek(session, cid) => self.seek(session, &cid),
            Command::Provide(cid, done) => self.provide(&cid, done),
            Command::FindProviders(cid, done) => self.find_providers(&cid, done),
        }
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Bitswap(event)) => self.on_bitswap(event),
            SwarmEvent::Behaviour(BehaviourEvent::Kad(event)) => self.on_routing(event),
            SwarmEvent::Behaviour(BehaviourEvent::Identify(event)) => self.on_identify(event),
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, .. } => {
                if let Some(done) = self.dials.remove(&connection_id) {
                    // Who gave up waiting does not need to know.
                    drop(done.send(Ok(peer_id)));
                }
            }
            SwarmEvent::ConnectionClosed { peer_id, cause: Some(cause), .. } => {
                tracing::debug!(peer = %peer_id, %cause, "a connection broke");
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                tracing::debug!(%error, "a peer could not be reached");
                if let Some(done) = self.dials.remove(&connection_id) {
                    let (address, reason) = (String::new(), error.to_string());
                    drop(done.send(Err(Error::Unreachable { address, reason })));
                }
            }
            SwarmEvent::NewListenAddr { listener_id, address } => {
                if self.config.routing == Routing::Lan {
                    self.swarm.add_external_address(address.clone());
                }
                self.shared.addresses.send_modify(|all| all.push(address));
                self.bound(listener_id);
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.shared.addresses.send_modify(|all| all.retain(|other| *other != address));
            }
            SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
                tracing::warn!(?reason, "a listener has closed");
                self.bound(listener_id);
            }
            _ => {}
        }
    }

    fn bound(&mut self, listener: ListenerId) {
        self.unbound.remove(&listener);
        if self.unbound.is_empty()
            && let Some(ready) = self.ready.take()
        {
            // Who started the node may have given up.
            let _ = ready.send(());
        }
    }

    fn connect(&mut self, address: &Multiaddr, done: oneshot::Sender<Result<PeerId>>) {
        use libp2p::multiaddr::Protocol;
        use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
        let peer = address.iter().find_map(|part| if let Protocol::P2p(peer) = part { Some(peer) } else { None });
        let options: DialOpts = match peer {
            Some(peer) if self.swarm.is_connected(&peer) => return drop(done.send(Ok(peer))),
            Some(peer) => {
                DialOpts::peer_id(peer).condition(PeerCondition::Always).addresses(vec![address.clone()]).build()
            }
            None => address.clone().into(),
        };
        let connection = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => drop(self.dials.insert(connection, done)),
            Err(error) => {
                let (address, reason) = (address.to_string(), error.to_string());
                drop(done.send(Err(Error::Unreachable { address, reason })));
            }
        }
    }

    pub(super) fn tell_all(&self, news: impl Fn() -> News) {
        for session in self.sessions.values() {
            // A session that ends at this moment needs no news.
            drop(session.send(news()));
        }
    }

    fn on_tick(&mut self) {
        let now = Instant::now();
        for peer in self.server.waiting() {
            self.pump(peer);
        }
        let over: Vec<PeerId> = self.banned.iter().filter(|(_, until)| **until <= now).map(|(peer, _)| *peer).collect();
        for peer in over {
            self.banned.remove(&peer);
            self.swarm.behaviour_mut().blocked.unblock_peer(peer);
        }
    }
}
