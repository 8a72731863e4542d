//! Who is signed in.

use sea_orm::entity::prelude::*;

use super::stored::{Account, Hash, Whole};

/// A session; its token is known by its digest only.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_hash: Hash,
    pub address: Account,
    pub created_at: Whole,
    pub expires: Whole,
    pub account: Option<Hash>,
}

/// No table refers to another: rows are rebuilt and rewound one by one.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
