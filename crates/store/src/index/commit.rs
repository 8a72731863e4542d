//! Writing blocks: events, rows, and what the rows were before.

use std::collections::HashMap;

use sea_orm::QueryFilter;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel};

use super::{REMEMBERED_BLOCKS, image, indexed, keyed, recent_blocks};
use crate::bulk;
use crate::connect::Store;
use crate::entity::stored::Whole;
use crate::entity::{event, recent, undo};
use crate::error::StoreError;
use crate::rows::{Batch, BlockRef, Key, Row};

impl Store {
    /// Writes blocks that follow what is indexed, all or none. A block that is not undoable is the lowest that a later
    /// rewind can reach.
    ///
    /// `NotNext` says that somebody else wrote since the caller read the cursor.
    pub async fn commit(&self, batch: &Batch) -> Result<(), StoreError> {
        self.commit_on(None, batch).await
    }

    /// The same, if the index still stands where the caller saw it: heights alone do not tell that somebody took blocks
    /// back meanwhile, and the gap would stay.
    pub async fn commit_after(&self, head: Option<BlockRef>, batch: &Batch) -> Result<(), StoreError> {
        self.commit_on(Some(head), batch).await
    }

    async fn commit_on(&self, seen: Option<Option<BlockRef>>, batch: &Batch) -> Result<(), StoreError> {
        let Some(first) = batch.blocks.first() else {
            return Ok(());
        };
        let transaction = self.begin().await?;
        let state = indexed(&transaction, true).await?.ok_or(StoreError::NotBegun)?;
        let before = recent_blocks(&transaction).await?;
        in_order(seen, before.last().copied(), first.block.number, batch)?;
        let kept = Kept::of(&before, batch, state.undo_from.0);
        let images = images(&transaction, batch, kept.undo_from).await?;
        let events = batch.blocks.iter().flat_map(|block| &block.events).map(Into::into).collect();
        bulk::insert::<event::Entity>(&transaction, events).await?;
        let mut last: HashMap<Key, &Row> = HashMap::new();
        last.extend(batch.blocks.iter().flat_map(|block| &block.rows).map(|row| (row.key(), row)));
        keyed::write(&transaction, last.into_values()).await?;

        bulk::insert::<undo::Entity>(&transaction, images).await?;
        bulk::insert::<recent::Entity>(&transaction, kept.added.iter().map(Into::into).collect()).await?;
        if kept.undo_from != state.undo_from.0 {
            let reached = Whole(kept.undo_from);
            undo::Entity::delete_many().filter(undo::Column::Block.lte(reached)).exec(&transaction).await?;
            let mut state = state.into_active_model();
            state.undo_from = Set(reached);
            state.update(&transaction).await?;
        }
        if let Some(oldest) = kept.oldest {
            let older = recent::Column::Number.lt(Whole(oldest));
            recent::Entity::delete_many().filter(older).exec(&transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// The batch begins where the caller saw the index end, above it, and goes up.
fn in_order(
    seen: Option<Option<BlockRef>>,
    head: Option<BlockRef>,
    first: u64,
    batch: &Batch,
) -> Result<(), StoreError> {
    let number = head.map_or(0, |head| head.number);
    if seen.is_some_and(|seen| seen != head) || head.is_some() && number >= first {
        return Err(StoreError::NotNext { head: number, block: first });
    }
    for pair in batch.blocks.windows(2) {
        let (head, block) = (pair[0].block.number, pair[1].block.number);
        if block <= head {
            return Err(StoreError::NotNext { head, block });
        }
    }
    Ok(())
}

/// Which blocks are remembered after a batch, and how far back it can be undone.
struct Kept {
    /// Blocks of the batch that are remembered.
    added: Vec<BlockRef>,
    /// The oldest that is remembered, where some are forgotten.
    oldest: Option<u64>,
    /// The lowest height that can be gone back to.
    undo_from: u64,
}

impl Kept {
    fn of(before: &[BlockRef], batch: &Batch, undo_from: u64) -> Self {
        let blocks = &batch.blocks;
        let added: Vec<_> =
            blocks[blocks.len().saturating_sub(REMEMBERED_BLOCKS)..].iter().map(|block| block.block).collect();
        let forgotten = (before.len() + blocks.len()).saturating_sub(REMEMBERED_BLOCKS);
        let oldest = match before.get(forgotten) {
            _ if forgotten == 0 => None,
            Some(block) => Some(block.number),
            None => added.first().map(|block| block.number),
        };
        let settled = blocks.iter().rev().find(|block| !block.undoable).map(|block| block.block.number);
        let undo_from = undo_from.max(oldest.unwrap_or(0)).max(settled.unwrap_or(0));
        Self { added, oldest, undo_from }
    }
}

/// What the rows of blocks above `undo_from` were before them.
async fn images(db: &impl ConnectionTrait, batch: &Batch, undo_from: u64) -> Result<Vec<undo::Model>, StoreError> {
    let undoable = |number: u64| number > undo_from;
    let touched: Vec<Key> = batch
        .blocks
        .iter()
        .filter(|block| undoable(block.block.number))
        .flat_map(|block| block.rows.iter().map(Row::key))
        .collect();
    if touched.is_empty() {
        return Ok(Vec::new());
    }
    let unique: std::collections::HashSet<&Key> = touched.iter().collect();
    let held = keyed::find(db, unique).await?;
    let mut now: HashMap<Key, &Row> = held.iter().map(|row| (row.key(), row)).collect();
    let mut images = Vec::new();
    for block in &batch.blocks {
        if undoable(block.block.number) {
            for key in block.rows.iter().map(Row::key) {
                let image = now.get(&key).map(|row| image::row(row)).transpose()?;
                images.push(undo::Model { block: block.block.number.into(), row_key: image::key(&key), image });
            }
        }
        now.extend(block.rows.iter().map(|row| (row.key(), row)));
    }
    Ok(images)
}
