//! The names of the protocol, as both sides negotiate them.

use std::convert::Infallible;
use std::future::{Ready, ready};

use libp2p::core::{InboundUpgrade, OutboundUpgrade, UpgradeInfo};
use libp2p::{Stream, StreamProtocol};

/// Newest first. Version 1.1 lacks what 1.2 adds, and skips the fields that it does not know; 1.0 has another
/// form of blocks, and nobody speaks it alone any more.
const NAMES: [StreamProtocol; 2] =
    [StreamProtocol::new("/ipfs/bitswap/1.2.0"), StreamProtocol::new("/ipfs/bitswap/1.1.0")];

/// Agrees on a version and leaves the stream to the handler.
#[derive(Clone, Copy, Debug)]
pub struct Bitswap;

impl UpgradeInfo for Bitswap {
    type Info = StreamProtocol;
    type InfoIter = std::array::IntoIter<StreamProtocol, 2>;

    fn protocol_info(&self) -> Self::InfoIter {
        NAMES.into_iter()
    }
}

impl InboundUpgrade<Stream> for Bitswap {
    type Output = Stream;
    type Error = Infallible;
    type Future = Ready<Result<Stream, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, _: StreamProtocol) -> Self::Future {
        ready(Ok(stream))
    }
}

impl OutboundUpgrade<Stream> for Bitswap {
    type Output = Stream;
    type Error = Infallible;
    type Future = Ready<Result<Stream, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, _: StreamProtocol) -> Self::Future {
        ready(Ok(stream))
    }
}
