//! The chain's blocks as they come, read ahead while what came before is written.

use std::time::Duration;

use chain::{BlockEvents, ChainError, EventStream, Item};
use tokio::{sync::mpsc, task::JoinHandle, time::Instant};

/// Blocks and rewinds that may wait for being written; the stream itself holds a step's more.
const AHEAD: usize = 64;
/// Events that one transaction writes, at most by a block: some milliseconds for each thousand, and a few MiB.
const BATCH_EVENTS: usize = 8192;
/// Old blocks are gathered for no longer than this, so that progress is seen.
const GATHER: Duration = Duration::from_millis(200);

/// What came.
#[derive(Debug)]
pub(crate) enum Arrived {
    /// Blocks, oldest first.
    Blocks(Vec<BlockEvents>),
    /// Blocks above this one never happened.
    Rewind(u64),
    /// The stream gave up.
    Failed(ChainError),
}

/// A stream that is read by a task of its own, ended with this.
#[derive(Debug)]
pub(crate) struct Source {
    items: mpsc::Receiver<Result<Item, ChainError>>,
    /// Came and is not taken yet.
    next: Option<Result<Item, ChainError>>,
    task: JoinHandle<()>,
}

impl Drop for Source {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Source {
    pub(crate) fn start(stream: EventStream) -> Self {
        let (told, items) = mpsc::channel(AHEAD);
        Self { items, next: None, task: tokio::spawn(read(stream, told)) }
    }

    /// Waits until there is something to [`take`](Self::take). Dropping the future loses nothing.
    pub(crate) async fn wait(&mut self) {
        if self.next.is_none() {
            self.next = self.items.recv().await;
        }
    }

    /// Nothing will come any more.
    pub(crate) fn is_over(&self) -> bool {
        self.next.is_none() && self.items.is_closed() && self.items.is_empty()
    }

    /// Takes what is there; while it is old, what comes within a moment too, so that many blocks share a transaction.
    /// `None` when nothing came. Not to be dropped before it is done.
    pub(crate) async fn take(&mut self) -> Option<Arrived> {
        let mut blocks = match self.next.take()? {
            Ok(Item::Rewind { to }) => return Some(Arrived::Rewind(to)),
            Err(error) => return Some(Arrived::Failed(error)),
            Ok(Item::Block(block)) => vec![block],
        };
        let until = Instant::now() + GATHER;
        let mut events = blocks.last().map_or(0, |block| block.events.len());
        while events < BATCH_EVENTS && blocks.len() < BATCH_EVENTS {
            let came = if blocks.last().is_some_and(|block| block.is_old) {
                tokio::time::timeout_at(until, self.items.recv()).await.ok().flatten()
            } else {
                self.items.try_recv().ok()
            };
            match came {
                Some(Ok(Item::Block(block))) => {
                    events += block.events.len();
                    blocks.push(block);
                }
                other => {
                    self.next = other;
                    break;
                }
            }
        }
        Some(Arrived::Blocks(blocks))
    }
}

async fn read(mut stream: EventStream, told: mpsc::Sender<Result<Item, ChainError>>) {
    loop {
        let item = stream.next().await;
        let failed = item.is_err();
        if told.send(item).await.is_err() || failed {
            return;
        }
    }
}
