//! Messages to one peer, in order, over one stream that is opened anew when it ends.

use std::io;
use std::time::Duration;

use futures_util::AsyncWriteExt;
use libp2p::Stream;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::frame::{patient, write};
use super::message::Frame;

/// A stream without messages is closed after this. Helia aborts one after ten seconds, and what is written into an
/// aborted stream is lost without a word.
const REST: Duration = Duration::from_secs(4);

/// A message on its way out.
#[derive(Debug)]
pub struct Outgoing {
    pub(super) frame: Frame,
    /// What its sender knows it by.
    pub(super) tag: u64,
}

/// Messages that wait, and the one that a broken stream left behind.
#[derive(Debug)]
pub(super) struct Outbox {
    waiting: mpsc::UnboundedReceiver<Outgoing>,
    unsent: Option<Outgoing>,
    /// Streams that broke since the last message went out.
    pub(super) failures: u32,
    sent: mpsc::UnboundedSender<u64>,
}

impl Outbox {
    pub(super) fn new(waiting: mpsc::UnboundedReceiver<Outgoing>, sent: mpsc::UnboundedSender<u64>) -> Self {
        Self { waiting, unsent: None, failures: 0, sent }
    }

    /// Whether a message waits.
    pub(super) fn poll_waiting(&mut self, cx: &mut std::task::Context<'_>) -> bool {
        if self.unsent.is_none()
            && let std::task::Poll::Ready(next) = self.waiting.poll_recv(cx)
        {
            self.unsent = next;
        }
        self.unsent.is_some()
    }

    /// Gives up what waits.
    pub(super) fn clear(&mut self) {
        self.unsent = None;
        self.failures = 0;
        while self.waiting.try_recv().is_ok() {}
    }

    /// Writes what waits and what comes, until the stream has rested or breaks.
    pub(super) async fn drain(mut self, mut stream: Stream) -> Self {
        match self.write_all(&mut stream).await {
            // Closing says that this was the end; who does not hear it loses nothing.
            Ok(()) => drop(patient(stream.close()).await),
            Err(error) => {
                tracing::debug!(%error, "a stream to a peer broke");
                self.failures += 1;
            }
        }
        self
    }

    async fn write_all(&mut self, stream: &mut Stream) -> io::Result<()> {
        let mut written = Vec::new();
        loop {
            if self.unsent.is_none() {
                self.unsent = self.waiting.try_recv().ok();
            }
            if self.unsent.is_none() {
                patient(stream.flush()).await?;
                self.report(&mut written);
                match timeout(REST, self.waiting.recv()).await {
                    Ok(Some(next)) => self.unsent = Some(next),
                    Ok(None) | Err(_) => return Ok(()),
                }
            }
            if let Some(next) = &self.unsent {
                write(stream, &next.frame).await?;
                written.push(next.tag);
                self.unsent = None;
                self.report(&mut written);
            }
        }
    }

    fn report(&mut self, written: &mut Vec<u64>) {
        for tag in written.drain(..) {
            self.failures = 0;
            // Nobody listens only when the connection is gone.
            let _ = self.sent.send(tag);
        }
    }
}
