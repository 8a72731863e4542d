//! One connection: messages in from any number of streams, messages out over one.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, SelectAll, Stream as _, StreamExt, try_unfold};
use libp2p::Stream;
use libp2p::swarm::handler::{ConnectionEvent, ConnectionHandler, ConnectionHandlerEvent, SubstreamProtocol};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::frame::{ROOM_BYTES, ReadError, read};
use super::message::Message;
use super::outbox::{Outbox, Outgoing};
use super::protocol::Bitswap;

/// Streams that one peer may have open to us. Helia opens one for each message.
const STREAMS_MAX: usize = 64;
/// Streams that may break in a row before what waits is given up.
const FAILURES_MAX: u32 = 2;

/// What a connection reports.
#[derive(Debug)]
pub enum FromPeer {
    /// A message, and the part of the connection's room that it takes until it is dropped.
    Message(Message, OwnedSemaphorePermit),
    /// The message of this tag was written.
    Sent(u64),
    /// Messages were given up: the peer takes none.
    Unsent,
    /// The peer breaks the rules.
    Broken(&'static str),
}

type Incoming = Result<(Message, OwnedSemaphorePermit), ReadError>;

/// Where the outbox is.
enum Out {
    Here(Outbox),
    /// Waiting for a stream.
    Opening(Outbox),
    /// At work on a stream; it comes back when that has ended.
    Writing(BoxFuture<'static, Outbox>),
    /// Between two of the others.
    Moving,
}

/// The handler of a connection.
pub struct Handler {
    streams: SelectAll<BoxStream<'static, Incoming>>,
    room: Arc<Semaphore>,
    outgoing: mpsc::UnboundedSender<Outgoing>,
    sent: mpsc::UnboundedReceiver<u64>,
    out: Out,
    events: VecDeque<FromPeer>,
}

impl Handler {
    pub(super) fn new() -> Self {
        let (outgoing, waiting) = mpsc::unbounded_channel();
        let (report, sent) = mpsc::unbounded_channel();
        Self {
            streams: SelectAll::new(),
            room: Arc::new(Semaphore::new(ROOM_BYTES)),
            outgoing,
            sent,
            out: Out::Here(Outbox::new(waiting, report)),
            events: VecDeque::new(),
        }
    }

    fn listen(&mut self, stream: Stream) {
        if self.streams.len() >= STREAMS_MAX {
            tracing::debug!("a peer opens too many streams; the newest is dropped");
            return;
        }
        let room = self.room.clone();
        let messages = try_unfold(stream, move |mut stream| {
            let room = room.clone();
            async move { Ok(read(&mut stream, &room).await?.map(|message| (message, stream))) }
        });
        self.streams.push(messages.boxed());
    }

    /// Messages that have come, from whichever stream.
    fn poll_streams(&mut self, cx: &mut Context<'_>) -> Option<FromPeer> {
        while let Poll::Ready(Some(incoming)) = Pin::new(&mut self.streams).poll_next(cx) {
            match incoming {
                Ok((message, permit)) => return Some(FromPeer::Message(message, permit)),
                Err(ReadError::Broken(how)) => return Some(FromPeer::Broken(how)),
                Err(ReadError::Line(error)) => tracing::debug!(%error, "a stream of a peer broke"),
            }
        }
        None
    }

    /// Moves the outbox on; says whether a stream is to be opened.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> bool {
        loop {
            self.out = match std::mem::replace(&mut self.out, Out::Moving) {
                Out::Writing(mut work) => match work.as_mut().poll(cx) {
                    Poll::Ready(outbox) => Out::Here(outbox),
                    Poll::Pending => {
                        self.out = Out::Writing(work);
                        return false;
                    }
                },
                Out::Here(mut outbox) if outbox.failures > FAILURES_MAX => {
                    outbox.clear();
                    self.events.push_back(FromPeer::Unsent);
                    Out::Here(outbox)
                }
                Out::Here(mut outbox) => {
                    let waits = outbox.poll_waiting(cx);
                    self.out = if waits { Out::Opening(outbox) } else { Out::Here(outbox) };
                    return waits;
                }
                still => {
                    self.out = still;
                    return false;
                }
            }
        }
    }

    fn opened(&mut self, stream: Stream) {
        self.out = match std::mem::replace(&mut self.out, Out::Moving) {
            Out::Opening(outbox) => Out::Writing(Box::pin(outbox.drain(stream))),
            other => other,
        };
    }

    fn refused(&mut self) {
        self.out = match std::mem::replace(&mut self.out, Out::Moving) {
            Out::Opening(mut outbox) => {
                outbox.clear();
                self.events.push_back(FromPeer::Unsent);
                Out::Here(outbox)
            }
            other => other,
        };
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Outgoing;
    type ToBehaviour = FromPeer;
    type InboundProtocol = Bitswap;
    type OutboundProtocol = Bitswap;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Bitswap> {
        SubstreamProtocol::new(Bitswap, ())
    }

    fn connection_keep_alive(&self) -> bool {
        !matches!(self.out, Out::Here(_))
    }

    fn on_behaviour_event(&mut self, message: Outgoing) {
        // The other end is ours: it is always there.
        drop(self.outgoing.send(message));
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<Bitswap, Bitswap>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(it) => self.listen(it.protocol),
            ConnectionEvent::FullyNegotiatedOutbound(it) => self.opened(it.protocol),
            ConnectionEvent::DialUpgradeError(it) => {
                tracing::debug!(error = %it.error, "a peer takes no bitswap stream");
                self.refused();
            }
            _ => {}
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<Bitswap, (), FromPeer>> {
        if self.poll_out(cx) {
            let protocol = SubstreamProtocol::new(Bitswap, ());
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        if let Poll::Ready(Some(tag)) = self.sent.poll_recv(cx) {
            self.events.push_back(FromPeer::Sent(tag));
        }
        match self.events.pop_front().or_else(|| self.poll_streams(cx)) {
            Some(event) => Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(event)),
            None => Poll::Pending,
        }
    }
}
