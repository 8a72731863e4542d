//! Taking blocks back.

use std::collections::HashMap;

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder,
};

use super::{image, indexed, keyed, recent_blocks};
use crate::connect::Store;
use crate::entity::stored::Whole;
use crate::entity::{
    credit, dispute, event, indexed as indexed_row, job, market_row, provider, recent, reporter, resource, slash, undo,
};
use crate::error::StoreError;
use crate::rows::{BlockRef, Key};

/// Where the index is after a rewind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewound {
    /// After this block, the newest that is left.
    To(BlockRef),
    /// Nothing is left: indexing begins anew.
    FromZero,
}

impl Store {
    /// Takes back all blocks above `to`, so that rows and events are as they were after it. Where what was before is
    /// not known any more, the index is emptied.
    pub async fn rewind(&self, to: u64) -> Result<Rewound, StoreError> {
        let transaction = self.begin().await?;
        let state = indexed(&transaction, true).await?.ok_or(StoreError::NotBegun)?;
        let recent = recent_blocks(&transaction).await?;
        let Some(head) = recent.last().copied() else {
            return Ok(Rewound::FromZero);
        };
        if head.number <= to {
            return Ok(Rewound::To(head));
        }
        let left = recent.iter().rev().find(|block| block.number <= to).copied();
        let rewound = match left.filter(|_| to >= state.undo_from.0) {
            Some(block) => {
                restore(&transaction, to).await?;
                Rewound::To(block)
            }
            None => {
                empty(&transaction).await?;
                Rewound::FromZero
            }
        };
        count(state, rewound, &transaction).await?;
        transaction.commit().await?;
        Ok(rewound)
    }

    /// Empties the index so that it is made anew. Counts as a rewind: whoever follows reads everything again.
    pub async fn empty_index(&self) -> Result<(), StoreError> {
        let transaction = self.begin().await?;
        let state = indexed(&transaction, true).await?.ok_or(StoreError::NotBegun)?;
        empty(&transaction).await?;
        count(state, Rewound::FromZero, &transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Empties the index, and forgets what was indexed. What a gateway keeps for itself stays.
    pub async fn forget_index(&self) -> Result<(), StoreError> {
        let transaction = self.begin().await?;
        empty(&transaction).await?;
        indexed_row::Entity::delete_many().exec(&transaction).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Tells followers that rows have gone back.
async fn count(state: indexed_row::Model, rewound: Rewound, db: &impl ConnectionTrait) -> Result<(), StoreError> {
    let rewinds = state.rewinds.0 + 1;
    let mut state = state.into_active_model();
    state.rewinds = Set(rewinds.into());
    if rewound == Rewound::FromZero {
        state.undo_from = Set(0.into());
    }
    state.update(db).await?;
    Ok(())
}

async fn restore(db: &impl ConnectionTrait, to: u64) -> Result<(), StoreError> {
    let to = Whole(to);
    let kept = undo::Entity::find().filter(undo::Column::Block.gt(to)).order_by_desc(undo::Column::Block);
    // Newest first, so that what stays in the map is the oldest image of each row.
    let oldest: HashMap<_, _> = kept.all(db).await?.into_iter().map(|undo| (undo.row_key, undo.image)).collect();
    let (mut rows, mut absent): (Vec<_>, Vec<Key>) = (vec![], vec![]);
    for (key, image) in oldest {
        let key = image::read_key(&key)?;
        match image {
            Some(image) => rows.push(image::read(&key, &image)?),
            None => absent.push(key),
        }
    }
    keyed::delete(db, &absent).await?;
    keyed::write(db, &rows).await?;
    undo::Entity::delete_many().filter(undo::Column::Block.gt(to)).exec(db).await?;
    event::Entity::delete_many().filter(event::Column::Block.gt(to)).exec(db).await?;
    recent::Entity::delete_many().filter(recent::Column::Number.gt(to)).exec(db).await?;
    Ok(())
}

async fn empty(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    undo::Entity::delete_many().exec(db).await?;
    recent::Entity::delete_many().exec(db).await?;
    event::Entity::delete_many().exec(db).await?;
    provider::Entity::delete_many().exec(db).await?;
    resource::Entity::delete_many().exec(db).await?;
    job::Entity::delete_many().exec(db).await?;
    credit::Entity::delete_many().exec(db).await?;
    reporter::Entity::delete_many().exec(db).await?;
    dispute::Entity::delete_many().exec(db).await?;
    slash::Entity::delete_many().exec(db).await?;
    market_row::Entity::delete_many().exec(db).await.map(drop)
}
