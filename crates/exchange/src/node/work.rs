//! Work on disk and hashes, off the loop.

use std::sync::Arc;

use bytes::Bytes;
use content::{Block, BlockStore, Cid, RAW, Serves};
use libp2p::PeerId;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::bitswap::{Batch, Payload};

/// What such work found.
pub(super) enum Job {
    /// Whether blocks are here and may be handed out, with their sizes.
    Looked(PeerId, Vec<(Cid, Option<u64>)>),
    /// Blocks that were to be sent, and those of them that are gone.
    Read {
        /// For whom.
        peer: PeerId,
        /// Bytes that were reckoned for them.
        bytes: u64,
        /// What was read.
        blocks: Vec<Payload>,
        /// What was not there any more.
        gone: Vec<Cid>,
    },
    /// Blocks under the names that their bytes have. `None` for what is too large to be one.
    Hashed(PeerId, Vec<Option<Block>>),
}

/// Looks blocks up. `room` is given back when that is done.
pub(super) fn look_up(
    jobs: mpsc::UnboundedSender<Job>,
    (store, serves): (Arc<BlockStore>, Serves),
    peer: PeerId,
    cids: Vec<Cid>,
    room: Option<OwnedSemaphorePermit>,
) {
    tokio::task::spawn_blocking(move || {
        let length = |cid: &Cid| store.block_len(cid).filter(|_| content::check_cid(cid).is_ok() && serves(cid));
        let found = cids.into_iter().map(|cid| (cid, length(&cid))).collect();
        drop(room);
        // The loop is gone only when the node has stopped.
        drop(jobs.send(Job::Looked(peer, found)));
    });
}

/// Reads a batch.
pub(super) fn read(jobs: mpsc::UnboundedSender<Job>, store: Arc<BlockStore>, peer: PeerId, batch: Batch) {
    tokio::task::spawn_blocking(move || {
        let (mut blocks, mut gone) = (Vec::new(), Vec::new());
        for cid in batch.cids {
            match store.get(&cid) {
                Ok(Some(data)) => blocks.push(Payload::new(&cid, data)),
                Ok(None) => gone.push(cid),
                Err(error) => {
                    tracing::warn!(%cid, %error, "a block that a peer wants cannot be read");
                    gone.push(cid);
                }
            }
        }
        drop(jobs.send(Job::Read { peer, bytes: batch.bytes, blocks, gone }));
    });
}

/// Finds out which blocks these bytes are.
pub(super) fn hash(
    jobs: mpsc::UnboundedSender<Job>,
    peer: PeerId,
    blocks: Vec<Bytes>,
    room: Option<OwnedSemaphorePermit>,
) {
    tokio::task::spawn_blocking(move || {
        let blocks = blocks.into_iter().map(|data| Block::new(RAW, data).ok()).collect();
        drop(room);
        drop(jobs.send(Job::Hashed(peer, blocks)));
    });
}
