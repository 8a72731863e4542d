//! Writes blocks into the store: loads the rows that events need, applies them, commits.

use std::collections::{BTreeMap, BTreeSet};

use chain::BlockEvents;
use store::{Batch, BlockChanges, BlockRef, Cursor, Indexed, Key, RECENT_BLOCKS, Rewound, Store};

use crate::{IndexError, Rows, apply, behind, touched};

/// Rows that are held from one batch to the next, so that most need not be read again: some 50 MiB of jobs.
const ROWS_MAX: usize = 50_000;

/// The one writer of an index. After an error it must be opened again: what is held in memory may be ahead of what is
/// stored.
#[derive(Debug)]
pub struct Writer {
    store: Store,
    cursor: Cursor,
    rows: Rows,
}

impl Writer {
    /// Opens the index of `indexed`, at its beginning where there is none. A database that indexes another market is
    /// refused.
    pub async fn open(store: Store, indexed: Indexed) -> Result<Self, IndexError> {
        let cursor = store.begin_index(indexed).await?;
        Ok(Self { store, cursor, rows: Rows::default() })
    }

    /// Where the index stands, and its rewinds so far. Its blocks are those of the opening or the rewind and the newest
    /// of each batch since, no more than can be taken back.
    #[must_use]
    pub fn cursor(&self) -> &Cursor {
        &self.cursor
    }

    /// Writes blocks, oldest first, in one transaction: all of them are durable, or none.
    pub async fn write(&mut self, blocks: &[BlockEvents]) -> Result<(), IndexError> {
        self.load(blocks).await?;
        if blocks.is_empty() {
            return Ok(());
        }
        let mut head = self.cursor.head();
        let mut batch = Batch::default();
        for block in blocks {
            follows(head, block)?;
            let changes = self.applied(block)?;
            head = Some(changes.block);
            batch.blocks.push(changes);
        }
        self.store.commit_after(self.cursor.head(), &batch).await?;
        self.cursor.recent.extend(head);
        let forgotten = self.cursor.recent.len().saturating_sub(RECENT_BLOCKS);
        self.cursor.recent.drain(..forgotten);
        Ok(())
    }

    /// Takes back everything above block `to`. After [`Rewound::FromZero`] the index is empty, and everything must be
    /// told again.
    pub async fn rewind(&mut self, to: u64) -> Result<Rewound, IndexError> {
        self.rows.clear();
        let rewound = self.store.rewind(to).await?;
        self.cursor = self.store.begin_index(self.cursor.indexed).await?;
        Ok(rewound)
    }

    fn applied(&mut self, block: &BlockEvents) -> Result<BlockChanges, IndexError> {
        let at = BlockRef { number: block.number, hash: block.hash, at: block.timestamp };
        let mut events = Vec::with_capacity(block.events.len());
        let mut rows = BTreeMap::new();
        for logged in &block.events {
            let changes = apply(&self.rows, at, logged)?;
            events.push(changes.event);
            for row in changes.rows {
                self.rows.put(row.clone());
                rows.insert(row.key(), row);
            }
        }
        Ok(BlockChanges { block: at, undoable: !block.is_old, events, rows: rows.into_values().collect() })
    }

    /// Brings into memory what the events name, and what that names in turn.
    async fn load(&mut self, blocks: &[BlockEvents]) -> Result<(), IndexError> {
        if self.rows.len() > ROWS_MAX {
            self.rows.clear();
        }
        let events = blocks.iter().flat_map(|block| &block.events);
        let mut wanted: BTreeSet<Key> = events.flat_map(|logged| touched(&logged.event)).collect();
        loop {
            let keys: Vec<Key> = wanted.iter().filter(|key| !self.rows.knows(key)).copied().collect();
            if keys.is_empty() {
                return Ok(());
            }
            let found = self.store.rows(&keys).await?;
            keys.into_iter().for_each(|key| self.rows.put_absent(key));
            wanted = found.iter().flat_map(behind).collect();
            found.into_iter().for_each(|row| self.rows.put(row));
        }
    }
}

/// A block stands above the newest, and on it where nothing lies between. Old blocks come only if they hold events.
fn follows(head: Option<BlockRef>, block: &BlockEvents) -> Result<(), IndexError> {
    let Some(head) = head else { return Ok(()) };
    let next = head.number + 1 == block.number && block.parent.is_none_or(|parent| parent == head.hash);
    if next || block.number > head.number + 1 {
        return Ok(());
    }
    Err(IndexError::Disorder { block: block.number, head: head.number })
}
