//! The index: rows and events that follow from the chain, how far they go, and the way back.

mod commit;
mod dump;
mod image;
mod keyed;
mod rewind;

use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder, QuerySelect};

use crate::connect::Store;
use crate::entity::{indexed, recent};
use crate::error::StoreError;
use crate::rows::{BlockRef, Cursor, Indexed, Key, Row};

pub use rewind::Rewound;

/// Blocks that can be taken back one by one. No chain in use reorganises deeper; one that does is read from its start.
pub const RECENT_BLOCKS: usize = 256;
/// Blocks that are remembered: those, and the one below them on which the index then stands.
const REMEMBERED_BLOCKS: usize = RECENT_BLOCKS + 1;

impl Store {
    /// Says what this database indexes. A database that indexes another market is refused.
    pub async fn begin_index(&self, indexed: Indexed) -> Result<Cursor, StoreError> {
        let fresh = indexed::Model {
            id: indexed::ONLY,
            chain_id: indexed.chain_id.into(),
            market: indexed.market.into(),
            from_block: indexed.from.into(),
            rewinds: 0.into(),
            undo_from: 0.into(),
        };
        crate::bulk::insert_missing::<indexed::Entity>(self.writer(), vec![fresh]).await?;
        let cursor = cursor(self.writer()).await?.ok_or(StoreError::NotBegun)?;
        let held = cursor.indexed;
        if (held.chain_id, held.market) != (indexed.chain_id, indexed.market) {
            return Err(StoreError::OtherMarket {
                held_chain: held.chain_id,
                held: held.market,
                wanted_chain: indexed.chain_id,
                wanted: indexed.market,
            });
        }
        Ok(cursor)
    }

    /// How far the index is; nothing before [`begin_index`](Self::begin_index).
    pub async fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        cursor(self.readers()).await
    }

    /// Those of the named rows that exist, in no order.
    pub async fn rows(&self, keys: &[Key]) -> Result<Vec<Row>, StoreError> {
        Ok(keyed::find(self.readers(), keys).await?)
    }
}

/// The one row of what is indexed; held against other writers where `lock` and the engine has such locks.
async fn indexed(db: &impl ConnectionTrait, lock: bool) -> Result<Option<indexed::Model>, StoreError> {
    let find = indexed::Entity::find_by_id(indexed::ONLY);
    let find = if lock { find.lock_exclusive() } else { find };
    Ok(find.one(db).await?)
}

/// The newest blocks, oldest first.
async fn recent_blocks(db: &impl ConnectionTrait) -> Result<Vec<BlockRef>, StoreError> {
    let blocks = recent::Entity::find().order_by_asc(recent::Column::Number).all(db).await?;
    Ok(blocks.into_iter().map(Into::into).collect())
}

/// A writer between the two questions would be seen half, so the row is asked for again after the blocks.
async fn cursor(db: &impl ConnectionTrait) -> Result<Option<Cursor>, StoreError> {
    loop {
        let Some(before) = indexed(db, false).await? else {
            return Ok(None);
        };
        let recent = recent_blocks(db).await?;
        let Some(row) = indexed(db, false).await? else {
            return Ok(None);
        };
        if row.rewinds == before.rewinds {
            let indexed = Indexed { chain_id: row.chain_id.0, market: row.market.0, from: row.from_block.0 };
            return Ok(Some(Cursor { indexed, recent, rewinds: row.rewinds.0 }));
        }
    }
}
