//! The newest blocks that were indexed.

use sea_orm::entity::prelude::*;

use super::stored::{Hash, Whole};
use crate::rows::BlockRef;
use market::Timestamp;

/// A block.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recent_blocks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: Whole,
    pub hash: Hash,
    pub at: Whole,
}

/// No table refers to another: rows are rebuilt and rewound one by one.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&BlockRef> for Model {
    fn from(row: &BlockRef) -> Self {
        Self { number: row.number.into(), hash: row.hash.into(), at: row.at.0.into() }
    }
}

impl From<Model> for BlockRef {
    fn from(model: Model) -> Self {
        Self { number: model.number.0, hash: model.hash.0, at: Timestamp(model.at.0) }
    }
}
