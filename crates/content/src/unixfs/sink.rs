//! Where the blocks of an import go: nowhere, when only the CID is wanted, or into a store in batches.

use std::sync::mpsc::{SyncSender, sync_channel};

use crate::block::Block;
use crate::error::{Error, Result};
use crate::store::BlockStore;

/// A batch is handed to the store at this size, with one sync. Three may be in memory at once: one
/// filling, one waiting, one being written.
pub(crate) const BATCH_BYTES: usize = 16 << 20;
/// A batch of many small blocks is handed over at this count.
const BATCH_BLOCKS: usize = 16_384;

/// Takes the blocks of a DAG, leaves first.
pub(crate) trait Sink {
    /// Takes one block.
    fn put(&mut self, block: Block) -> Result<()>;
}

/// Forgets every block.
pub(crate) struct Nowhere;

impl Sink for Nowhere {
    fn put(&mut self, _: Block) -> Result<()> {
        Ok(())
    }
}

/// Gathers blocks into batches for a writing thread.
pub(crate) struct Batches {
    sender: SyncSender<Vec<Block>>,
    batch: Vec<Block>,
    bytes: usize,
}

impl Batches {
    fn flush(&mut self) -> Result<()> {
        self.bytes = 0;
        // The writer hangs up only after an error, which it reports itself.
        self.sender.send(std::mem::take(&mut self.batch)).map_err(|_| Error::Interrupted)
    }
}

impl Sink for Batches {
    fn put(&mut self, block: Block) -> Result<()> {
        self.bytes += block.data().len();
        self.batch.push(block);
        if self.bytes >= BATCH_BYTES || self.batch.len() >= BATCH_BLOCKS {
            self.flush()?;
        }
        Ok(())
    }
}

/// Runs `work` while another thread writes what it puts; hashing and the disk overlap. When it returns
/// everything is durable.
pub(crate) fn into_store<T>(store: &BlockStore, work: impl FnOnce(&mut Batches) -> Result<T>) -> Result<T> {
    let _hold = store.hold();
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel::<Vec<Block>>(1);
        let writer = scope.spawn(move || -> Result<()> {
            for batch in receiver {
                store.put_many(&batch)?;
            }
            Ok(())
        });
        let mut sink = Batches { sender, batch: Vec::new(), bytes: 0 };
        let made = work(&mut sink).and_then(|made| sink.flush().map(|()| made));
        drop(sink);
        let written = writer.join().unwrap_or(Err(Error::Interrupted));
        // The writer's error is the cause where both failed.
        written.and(made)
    })
}
