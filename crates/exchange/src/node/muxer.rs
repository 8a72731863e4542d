//! Yamux as others speak it.
//!
//! The format does not limit a frame, and the implementation in JavaScript sends one as long as the receiver's window.
//! The implementation in Rust widens its windows to many mebibytes and then hangs up on a frame of more than one. So
//! long frames are cut into short ones before it sees them: the same bytes under the same rules of flow.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{AsyncRead, AsyncWrite};
use libp2p::core::UpgradeInfo;
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade};
use libp2p::yamux;

const HEADER: usize = 12;
const DATA: u8 = 0;
/// Flags that belong to the first piece of a frame, opening or confirming a stream.
const FIRST: u16 = 0x1 | 0x2;
/// The longest piece: far below what is refused, far above what a header costs.
const PIECE_MAX: u32 = 256 << 10;

/// Yamux behind a [`Cutter`].
#[derive(Clone, Debug, Default)]
pub(super) struct Muxer(yamux::Config);

impl UpgradeInfo for Muxer {
    type Info = <yamux::Config as UpgradeInfo>::Info;
    type InfoIter = <yamux::Config as UpgradeInfo>::InfoIter;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.protocol_info()
    }
}

impl<C: AsyncRead + AsyncWrite + Send + Unpin + 'static> InboundConnectionUpgrade<C> for Muxer {
    type Output = yamux::Muxer<Cutter<C>>;
    type Error = io::Error;
    type Future = futures_util::future::Ready<Result<Self::Output, io::Error>>;

    fn upgrade_inbound(self, connection: C, info: Self::Info) -> Self::Future {
        self.0.upgrade_inbound(Cutter::new(connection), info)
    }
}

impl<C: AsyncRead + AsyncWrite + Send + Unpin + 'static> OutboundConnectionUpgrade<C> for Muxer {
    type Output = yamux::Muxer<Cutter<C>>;
    type Error = io::Error;
    type Future = futures_util::future::Ready<Result<Self::Output, io::Error>>;

    fn upgrade_outbound(self, connection: C, info: Self::Info) -> Self::Future {
        self.0.upgrade_outbound(Cutter::new(connection), info)
    }
}

/// A connection whose incoming frames are short.
#[derive(Debug)]
pub(super) struct Cutter<C> {
    connection: C,
    /// The header that is being read, or handed on.
    header: [u8; HEADER],
    /// Bytes of the header that have been read; all of them while a frame is handed on.
    read: usize,
    /// Bytes of the header that have been handed on.
    given: usize,
    /// Bytes of the piece that are still to come.
    piece: u32,
    /// Bytes of the frame that come after the piece.
    rest: u32,
    /// Flags of the frame that belong to its last piece.
    last_flags: u16,
}

impl<C> Cutter<C> {
    fn new(connection: C) -> Self {
        Self { connection, header: [0; HEADER], read: 0, given: 0, piece: 0, rest: 0, last_flags: 0 }
    }

    fn length(&self) -> u32 {
        let [.., a, b, c, d] = self.header;
        u32::from_be_bytes([a, b, c, d])
    }

    fn flags(&self) -> u16 {
        u16::from_be_bytes([self.header[2], self.header[3]])
    }

    fn rewrite(&mut self, flags: u16, length: u32) {
        self.header[2..4].copy_from_slice(&flags.to_be_bytes());
        self.header[8..].copy_from_slice(&length.to_be_bytes());
        (self.given, self.piece) = (0, length);
    }

    /// A whole header was read.
    fn begin(&mut self) {
        self.given = 0;
        if self.header[1] != DATA {
            // The length of other kinds is a number without bytes behind it.
            (self.piece, self.rest) = (0, 0);
            return;
        }
        let (length, flags) = (self.length(), self.flags());
        self.piece = length.min(PIECE_MAX);
        self.rest = length - self.piece;
        if self.rest > 0 {
            self.last_flags = flags & !FIRST;
            self.rewrite(flags & FIRST, self.piece);
        }
    }

    /// The piece has ended, and was not the last of its frame.
    fn go_on(&mut self) {
        let length = self.rest.min(PIECE_MAX);
        self.rest -= length;
        let flags = if self.rest == 0 { self.last_flags } else { 0 };
        self.rewrite(flags, length);
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Cutter<C> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        loop {
            if this.read < HEADER {
                let connection = Pin::new(&mut this.connection);
                let count = ready!(connection.poll_read(cx, &mut this.header[this.read..]))?;
                if count == 0 {
                    let torn = this.read > 0;
                    return Poll::Ready(if torn { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(0) });
                }
                this.read += count;
                if this.read == HEADER {
                    this.begin();
                }
            } else if this.given < HEADER {
                let count = out.len().min(HEADER - this.given);
                out[..count].copy_from_slice(&this.header[this.given..this.given + count]);
                this.given += count;
                return Poll::Ready(Ok(count));
            } else if this.piece > 0 {
                let most = out.len().min(this.piece as usize);
                let count = ready!(Pin::new(&mut this.connection).poll_read(cx, &mut out[..most]))?;
                this.piece -= u32::try_from(count).unwrap_or(this.piece);
                return Poll::Ready(Ok(count));
            } else if this.rest > 0 {
                this.go_on();
            } else {
                this.read = 0;
            }
        }
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Cutter<C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.connection).poll_write_vectored(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_close(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::AsyncReadExt;
    use futures_util::io::Cursor;

    fn frame(kind: u8, flags: u16, number: u32, body: &[u8]) -> Vec<u8> {
        [&[0, kind][..], &flags.to_be_bytes(), &7_u32.to_be_bytes(), &number.to_be_bytes(), body].concat()
    }

    fn data(flags: u16, body: &[u8]) -> Vec<u8> {
        frame(DATA, flags, u32::try_from(body.len()).unwrap(), body)
    }

    async fn check(frames: &[Vec<u8>], expected: &[Vec<u8>]) {
        let mut out = Vec::new();
        Cutter::new(Cursor::new(frames.concat())).read_to_end(&mut out).await.unwrap();
        assert!(out == expected.concat(), "{} bytes instead of {}", out.len(), expected.concat().len());
    }

    #[tokio::test]
    async fn long_frames_are_cut_and_others_left_as_they_are() {
        let short = [data(1, b"hello"), frame(1, 0, 1 << 30, b""), frame(2, 1, u32::MAX, b""), data(4, b"")];
        check(&short, &short).await;
        let piece = PIECE_MAX as usize;
        let body: Vec<u8> = (0..2 * piece + 5).map(|place| place as u8).collect();
        let cut = [data(3, &body[..piece]), data(0, &body[piece..2 * piece]), data(4, &body[2 * piece..])];
        check(&[data(7, &body), short[1].clone()], &[&cut[..], &short[1..2]].concat()).await;
        check(&[data(5, &body[..piece])], &[data(5, &body[..piece])]).await;
    }

    #[tokio::test]
    async fn a_torn_header_is_an_error() {
        let mut out = Vec::new();
        assert!(Cutter::new(Cursor::new(vec![0; 5])).read_to_end(&mut out).await.is_err());
    }
}
