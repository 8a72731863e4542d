//! Bodies of clients that must not be slower than they may be: who stalls gives its place back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_stream::wrappers::ReceiverStream;

use crate::config::Pace;
use crate::error::{Error, Result};

/// Bytes handed to a client at once: few enough that a slow one still moves some within [`Pace::idle`].
const PIECE_BYTES: usize = 64 << 10;

/// How fast one transfer is.
struct Meter {
    pace: Pace,
    waited: Duration,
    bytes: u64,
}

impl Meter {
    fn new(pace: &Pace) -> Self {
        Self { pace: pace.clone(), waited: Duration::ZERO, bytes: 0 }
    }

    /// Waits for the other end to move `bytes_of` the outcome.
    async fn measure<T>(&mut self, moved: impl Future<Output = T>, bytes_of: impl Fn(&T) -> usize) -> Result<T> {
        let begun = Instant::now();
        let slow = || Error::Slow { idle: self.pace.idle, bytes_per_s: self.pace.bytes_per_s };
        let done = timeout(self.pace.idle, moved).await.map_err(|_| slow())?;
        self.waited += begun.elapsed();
        self.bytes += bytes_of(&done) as u64;
        let least = u128::from(self.pace.bytes_per_s) * self.waited.as_millis() / 1000;
        if self.waited > self.pace.grace && u128::from(self.bytes) < least { Err(slow()) } else { Ok(done) }
    }
}

/// A request's body, read piece by piece in time.
pub(crate) struct Incoming {
    pieces: BodyDataStream,
    meter: Meter,
}

impl Incoming {
    pub(crate) fn new(body: Body, pace: &Pace) -> Self {
        Self { pieces: body.into_data_stream(), meter: Meter::new(pace) }
    }

    /// The next piece, `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>> {
        let length = |piece: &Option<Result<Bytes, axum::Error>>| match piece {
            Some(Ok(piece)) => piece.len(),
            _ => 0,
        };
        let piece = self.meter.measure(self.pieces.next(), length).await?.transpose();
        piece.map_err(|error| Error::Stream { source: std::io::Error::other(error) })
    }
}

/// A response's body that holds `place` until its last byte is taken, or until the client is too slow: then the
/// connection breaks, and nobody mistakes what came for the whole.
pub(crate) fn outgoing<P: Send + 'static>(
    pieces: impl Stream<Item = Result<Bytes>> + Send + 'static,
    pace: &Pace,
    place: P,
) -> Body {
    let (sender, receiver) = mpsc::channel(1);
    let mut meter = Meter::new(pace);
    let is_cut = Arc::new(AtomicBool::new(false));
    let cut = is_cut.clone();
    // Somebody must look at the clock while the connection does not ask for more.
    tokio::spawn(async move {
        let _place = place;
        let mut pieces = std::pin::pin!(pieces);
        while let Some(piece) = pieces.next().await {
            let (mut rest, end) = match piece {
                Ok(piece) => (piece, None),
                Err(error) => (Bytes::new(), Some(error)),
            };
            while !rest.is_empty() {
                let part = rest.split_to(rest.len().min(PIECE_BYTES));
                let length = part.len();
                match meter.measure(sender.send(Ok(part)), |_| length).await {
                    Ok(Ok(())) => {}
                    // The client is gone.
                    Ok(Err(_)) => return,
                    Err(_) => return cut.store(true, Ordering::Release),
                }
            }
            if let Some(error) = end {
                // A client that is too slow for this hears that it was cut off, or nothing.
                let told = meter.measure(sender.send(Err(error)), |_| 0).await;
                return cut.store(told.is_err(), Ordering::Release);
            }
        }
    });
    let pace = pace.clone();
    let end = stream::once(async move { is_cut.load(Ordering::Acquire) });
    let end = end.filter_map(move |is_cut| {
        let slow = Error::Slow { idle: pace.idle, bytes_per_s: pace.bytes_per_s };
        std::future::ready(is_cut.then_some(Err(slow)))
    });
    Body::from_stream(ReceiverStream::new(receiver).chain(end))
}
