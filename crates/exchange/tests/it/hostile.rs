//! Peers that break the rules of the wire.

use std::io;

use exchange::bitswap::MESSAGE_BYTES_MAX;
use futures_util::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::StreamProtocol;
use libp2p::request_response::{Behaviour, Codec, Config, Event, ProtocolSupport};
use libp2p::swarm::SwarmEvent;

use crate::fixture::{Peer, within};
use crate::puppet::swarm;

/// Writes whatever it is given.
#[derive(Clone, Default)]
struct Raw;

impl Codec for Raw {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        self.read_response(&StreamProtocol::new("/"), io).await
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        io.read_to_end(&mut bytes).await?;
        Ok(bytes)
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()> {
        io.write_all(&bytes).await
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        protocol: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()> {
        self.write_request(protocol, io, bytes).await
    }
}

/// Sends these bytes on a bitswap stream and waits until the connection has ended.
async fn check_cut(node: &Peer, bytes: Vec<u8>) {
    let protocol = [(StreamProtocol::new("/ipfs/bitswap/1.2.0"), ProtocolSupport::Full)];
    let behaviour = Behaviour::<Raw>::new(protocol, Config::default().with_request_timeout(crate::fixture::LIMIT));
    let mut swarm = swarm(behaviour);
    let own = *swarm.local_peer_id();
    swarm.dial(node.address()).unwrap();
    let peer = node.node.peer_id();
    let ended = async {
        let mut request = Some(bytes);
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::ConnectionEstablished { .. } => {
                    swarm.behaviour_mut().send_request(&peer, request.take().unwrap());
                }
                SwarmEvent::ConnectionClosed { .. } => return,
                SwarmEvent::Behaviour(Event::OutboundFailure { error, .. }) => println!("{error}"),
                _ => {}
            }
        }
    };
    within(ended).await;
    assert_eq!(node.counted(own).lies, 1);
}

#[tokio::test]
async fn messages_beyond_the_limit_and_nonsense_end_the_connection() {
    let node = Peer::start().await;
    let mut length = unsigned_varint::encode::usize_buffer();
    check_cut(&node, unsigned_varint::encode::usize(MESSAGE_BYTES_MAX + 1, &mut length).to_vec()).await;
    check_cut(&node, vec![0xff; 100]).await;
    check_cut(&node, b"\x04\x0a\xff\xff\x7f".to_vec()).await;
}
