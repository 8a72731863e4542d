//! What is indexed, and how far it can be undone.

use sea_orm::entity::prelude::*;

use super::stored::{Account, Small, Whole};

/// The only row's key.
pub const ONLY: Small = Small(1);

/// The only row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "indexed")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Small,
    pub chain_id: Whole,
    pub market: Account,
    pub from_block: Whole,
    pub rewinds: Whole,
    pub undo_from: Whole,
}

/// No table refers to another: rows are rebuilt and rewound one by one.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
