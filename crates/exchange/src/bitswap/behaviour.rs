//! Bitswap as a behaviour of libp2p: carries messages between connections and whoever owns the swarm.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::OwnedSemaphorePermit;

use super::handler::{FromPeer, Handler};
use super::message::Message;
use super::outbox::Outgoing;

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// A peer is connected. What was said on earlier connections is forgotten by both.
    Connected(PeerId),
    /// A peer is gone.
    Disconnected(PeerId),
    /// A peer sent a message.
    Received {
        /// The peer.
        peer: PeerId,
        /// What it sent.
        message: Message,
        /// The peer's part of the connection's room; no more is read from who has none left.
        room: OwnedSemaphorePermit,
    },
    /// A message was written.
    Sent {
        /// To whom.
        peer: PeerId,
        /// The tag that it was given.
        tag: u64,
    },
    /// Messages to a peer were given up; it does not speak bitswap, or takes nothing.
    Unsent(PeerId),
    /// A peer broke the rules; its connections are being closed.
    Broken(PeerId),
}

/// The behaviour.
#[derive(Default)]
pub struct Behaviour {
    pending: VecDeque<ToSwarm<Event, Outgoing>>,
    waker: Option<Waker>,
}

impl std::fmt::Debug for Behaviour {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Behaviour").field("pending", &self.pending.len()).finish_non_exhaustive()
    }
}

impl Behaviour {
    /// Sends a message to a connected peer; [`Event::Sent`] comes with the same tag. Messages to one peer that share a
    /// connection keep their order.
    pub fn send(&mut self, peer: PeerId, message: &Message, tag: u64) {
        let event = Outgoing { frame: message.frame(), tag };
        self.push(ToSwarm::NotifyHandler { peer_id: peer, handler: NotifyHandler::Any, event });
    }

    /// Closes the connections of a peer.
    pub fn disconnect(&mut self, peer: PeerId) {
        self.push(ToSwarm::CloseConnection { peer_id: peer, connection: CloseConnection::All });
    }

    fn push(&mut self, event: ToSwarm<Event, Outgoing>) {
        self.pending.push_back(event);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Event;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(Handler::new())
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        match event {
            FromSwarm::ConnectionEstablished(it) if it.other_established == 0 => {
                self.push(ToSwarm::GenerateEvent(Event::Connected(it.peer_id)));
            }
            FromSwarm::ConnectionClosed(it) => {
                self.push(ToSwarm::GenerateEvent(Event::Disconnected(it.peer_id)));
                // What waited on the closed connection is lost, whichever others there are.
                if it.remaining_established > 0 {
                    self.push(ToSwarm::GenerateEvent(Event::Connected(it.peer_id)));
                }
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        let event = match event {
            FromPeer::Message(message, room) => Event::Received { peer, message, room },
            FromPeer::Sent(tag) => Event::Sent { peer, tag },
            FromPeer::Unsent => Event::Unsent(peer),
            FromPeer::Broken(how) => {
                tracing::debug!(%peer, how, "a peer breaks the rules of bitswap");
                self.disconnect(peer);
                Event::Broken(peer)
            }
        };
        self.push(ToSwarm::GenerateEvent(event));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Event, THandlerInEvent<Self>>> {
        match self.pending.pop_front() {
            Some(event) => Poll::Ready(event),
            None => {
                self.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}
