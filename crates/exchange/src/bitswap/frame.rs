//! Messages on a stream: their length, then they themselves.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::message::{Frame, MESSAGE_BYTES_MAX, Message};

/// Room that a message gets before it has sent that much itself.
const FREE_BYTES: usize = 64 << 10;
/// What a message counts at least: it costs a task, however short it is.
const CHARGE_MIN: usize = 64 << 10;
/// Room for unread and unanswered messages of one connection; it holds one of the longest besides others.
pub(super) const ROOM_BYTES: usize = 8 << 20;
/// A piece of a message that does not come, or is not taken, for this long ends its stream.
pub(super) const STALL: Duration = Duration::from_secs(30);

const _: () = assert!(ROOM_BYTES >= MESSAGE_BYTES_MAX + CHARGE_MIN);

/// Why no more can be read from a stream.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// The line broke or stood still.
    #[error("{0}")]
    Line(#[from] io::Error),
    /// Its other end breaks the rules.
    #[error("{0}")]
    Broken(&'static str),
}

/// Reads a message; `None` where the stream has ended before one. Waits until `room` has enough left, and keeps
/// the message's part of it until the permit is dropped.
pub(super) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    room: &Arc<Semaphore>,
) -> Result<Option<(Message, OwnedSemaphorePermit)>, ReadError> {
    let Some(length) = read_length(stream).await? else { return Ok(None) };
    if length > MESSAGE_BYTES_MAX {
        return Err(ReadError::Broken("a message longer than the limit"));
    }
    let charge = u32::try_from(length.max(CHARGE_MIN)).unwrap_or(u32::MAX);
    let permit =
        room.clone().acquire_many_owned(charge).await.map_err(|_| io::ErrorKind::BrokenPipe).map_err(closed)?;
    let mut body = vec![0; length.min(FREE_BYTES)];
    let mut filled = 0;
    while filled < length {
        if filled == body.len() {
            body.resize(length, 0);
        }
        let read = patient(stream.read(&mut body[filled..])).await?;
        if read == 0 {
            return Err(closed(io::ErrorKind::UnexpectedEof));
        }
        filled += read;
    }
    let message = Message::decode(Bytes::from(body)).map_err(ReadError::Broken)?;
    Ok(Some((message, permit)))
}

fn closed(kind: io::ErrorKind) -> ReadError {
    ReadError::Line(kind.into())
}

/// The length that stands before a message. Between messages a stream may rest as long as its opener likes.
async fn read_length(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<usize>, ReadError> {
    let mut length = 0;
    for place in 0.. {
        let mut byte = [0];
        let read = if place == 0 { stream.read(&mut byte).await? } else { patient(stream.read(&mut byte)).await? };
        if read == 0 {
            return if place == 0 { Ok(None) } else { Err(closed(io::ErrorKind::UnexpectedEof)) };
        }
        // Four bytes hold 28 bits, far more than the limit.
        if place == 4 {
            break;
        }
        length |= usize::from(byte[0] & 0x7f) << (7 * place);
        if byte[0] < 0x80 {
            return Ok(Some(length));
        }
    }
    Err(ReadError::Broken("a message longer than the limit"))
}

/// Writes a message; it is on its way only after a flush.
pub(super) async fn write(stream: &mut (impl AsyncWrite + Unpin), frame: &Frame) -> io::Result<()> {
    for piece in &frame.0 {
        let mut rest = piece.as_ref();
        while !rest.is_empty() {
            let written = patient(stream.write(rest)).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            rest = &rest[written..];
        }
    }
    Ok(())
}

/// Ends what takes longer than [`STALL`].
pub(super) async fn patient<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(STALL, work).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::io::Cursor;

    fn room() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(ROOM_BYTES))
    }

    #[tokio::test]
    async fn a_message_comes_out_as_it_went_in() {
        let data = Bytes::from(vec![3; 200_000]);
        let payload = super::super::message::Payload { prefix: Bytes::from_static(b"p"), data };
        let message = Message { blocks: vec![payload], ..Message::default() };
        let mut line = Cursor::new(Vec::new());
        for _ in 0..2 {
            write(&mut line, &message.frame()).await.unwrap();
        }
        line.set_position(0);
        let room = room();
        for _ in 0..2 {
            let (read, permit) = read(&mut line, &room).await.unwrap().unwrap();
            assert_eq!(read, message);
            assert!(ROOM_BYTES - room.available_permits() > 200_000);
            drop(permit);
        }
        assert!(read(&mut line, &room).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn lengths_beyond_the_limit_end_the_stream_before_anything_is_reserved() {
        let mut length = unsigned_varint::encode::usize_buffer();
        for declared in [MESSAGE_BYTES_MAX + 1, 1 << 28, usize::MAX] {
            let mut line = Cursor::new(unsigned_varint::encode::usize(declared, &mut length).to_vec());
            assert!(matches!(read(&mut line, &room()).await, Err(ReadError::Broken(_))), "{declared}");
        }
        let mut cut = Cursor::new([&[0x80, 0x80, 0x40][..], &[0; 100]].concat());
        assert!(matches!(read(&mut cut, &room()).await, Err(ReadError::Line(_))));
    }
}
