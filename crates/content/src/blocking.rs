//! The bridge between blocking work on disk and async callers.

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::error::{Error, Result};

/// Pieces in flight between a disk thread and its reader: memory stays at a few mebibytes per stream.
const PIECES_IN_FLIGHT: usize = 4;

/// Runs blocking work without holding up the async threads.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(Error::Interrupted))
}

/// Where blocking work puts the bytes it makes; it fails once nobody reads them any more.
pub(crate) type Emit<'a> = &'a mut dyn FnMut(Bytes) -> Result<()>;

/// The bytes that blocking work emits, as a stream that holds the work back while nobody reads.
pub(crate) fn stream(
    work: impl FnOnce(Emit<'_>) -> Result<()> + Send + 'static,
) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    let (sender, receiver) = mpsc::channel(PIECES_IN_FLIGHT);
    tokio::task::spawn_blocking(move || {
        let mut emit = |bytes: Bytes| sender.blocking_send(Ok(bytes)).map_err(|_| Error::Interrupted);
        if let Err(error) = work(&mut emit) {
            // A reader that has gone away needs no reason.
            drop(sender.blocking_send(Err(error)));
        }
    });
    ReceiverStream::new(receiver)
}
