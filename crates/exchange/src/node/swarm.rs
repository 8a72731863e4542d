//! The transports and behaviours of a node, put together.

use std::time::Duration;

use libp2p::core::ConnectedPoint;
use libp2p::core::muxing::{StreamMuxer, StreamMuxerBox};
use libp2p::core::transport::{Boxed, OrTransport};
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::kad::{self, store::MemoryStore};
use libp2p::pnet::PnetConfig;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::{Config, NetworkBehaviour};
use libp2p::{
    PeerId, StreamProtocol, Swarm, Transport, allow_block_list, connection_limits, dns, identify, noise, ping, quic,
    tcp,
};

use super::muxer::Muxer;
use crate::bitswap;
use crate::config::{NodeConfig, Routing};
use crate::error::{Error, Result};

/// A connection over which nothing goes is closed after this; a fetch that waits for a silent peer takes less.
const IDLE: Duration = Duration::from_secs(120);
/// Connections of one peer: two that dialled each other at once, and one that is about to close.
const PER_PEER_MAX: u32 = 4;
/// Connections that are still being negotiated, each way.
const PENDING_MAX: u32 = 128;
/// A question to the routing table ends after this.
const QUERY: Duration = Duration::from_secs(30);

/// Everything that a node speaks.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub(super) limits: connection_limits::Behaviour,
    pub(super) blocked: allow_block_list::Behaviour<allow_block_list::BlockedPeers>,
    pub(super) identify: identify::Behaviour,
    pub(super) ping: ping::Behaviour,
    pub(super) kad: Toggle<kad::Behaviour<MemoryStore>>,
    pub(super) bitswap: bitswap::Behaviour,
}

/// The protocol of a routing table.
pub(super) fn routing_protocol(routing: &Routing) -> Option<StreamProtocol> {
    match routing {
        Routing::Off => None,
        Routing::Lan => Some(StreamProtocol::new("/ipfs/lan/kad/1.0.0")),
        Routing::Public { .. } => Some(kad::PROTOCOL_NAME),
    }
}

/// A swarm that neither listens nor dials yet.
pub(super) fn build(config: &NodeConfig) -> Result<Swarm<Behaviour>> {
    let key = &config.identity.0;
    let peer = key.public().to_peer_id();
    let limits = connection_limits::ConnectionLimits::default()
        .with_max_established(Some(config.connections_max))
        .with_max_established_per_peer(Some(PER_PEER_MAX))
        .with_max_pending_incoming(Some(PENDING_MAX))
        .with_max_pending_outgoing(Some(PENDING_MAX));
    let about = identify::Config::new("ipfs/0.1.0".to_owned(), key.public())
        .with_agent_version(concat!("bourse/", env!("CARGO_PKG_VERSION")).to_owned());
    let behaviour = Behaviour {
        limits: connection_limits::Behaviour::new(limits),
        blocked: allow_block_list::Behaviour::default(),
        identify: identify::Behaviour::new(about),
        ping: ping::Behaviour::default(),
        kad: Toggle::from(routing(peer, config)),
        bitswap: bitswap::Behaviour::default(),
    };
    let swarm = Config::with_tokio_executor().with_idle_connection_timeout(IDLE);
    Ok(Swarm::new(transport(key, config)?, behaviour, peer, swarm))
}

fn routing(peer: PeerId, config: &NodeConfig) -> Option<kad::Behaviour<MemoryStore>> {
    let mut settings = kad::Config::new(routing_protocol(&config.routing)?);
    settings.set_query_timeout(QUERY);
    let mut routing = kad::Behaviour::with_config(peer, MemoryStore::new(peer), settings);
    // In a network of one's own everybody can be reached, so everybody answers.
    if config.routing == Routing::Lan {
        routing.set_mode(Some(kad::Mode::Server));
    }
    Some(routing)
}

/// TCP with Noise and yamux, and QUIC; in a private swarm TCP alone, behind its key.
fn transport(key: &Keypair, config: &NodeConfig) -> Result<Boxed<(PeerId, StreamMuxerBox)>> {
    let bad = |error: &dyn std::fmt::Display| Error::BadSetting { what: "the transport", reason: error.to_string() };
    let noise = noise::Config::new(key).map_err(|error| bad(&error))?;
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
    let all = match &config.swarm_key {
        Some(swarm_key) => {
            let swarm_key = PnetConfig::new(swarm_key.0);
            tcp.and_then(move |stream, _| swarm_key.handshake(stream))
                .upgrade(Version::V1Lazy)
                .authenticate(noise)
                .multiplex(Muxer::default())
                .map(muxed)
                .boxed()
        }
        None => {
            let quic = quic::tokio::Transport::new(quic::Config::new(key));
            let quic = quic.map(muxed);
            let tcp = tcp.upgrade(Version::V1Lazy).authenticate(noise).multiplex(Muxer::default()).map(muxed);
            OrTransport::new(quic, tcp).map(|either, _| either.into_inner()).boxed()
        }
    };
    Ok(dns::tokio::Transport::system(all).map_err(|error| bad(&error))?.boxed())
}

/// Connections of every kind as one kind.
fn muxed<M>((peer, muxer): (PeerId, M), _: ConnectedPoint) -> (PeerId, StreamMuxerBox)
where
    M: StreamMuxer + Send + 'static,
    M::Substream: Send + 'static,
    M::Error: Send + Sync + 'static,
{
    (peer, StreamMuxerBox::new(muxer))
}
