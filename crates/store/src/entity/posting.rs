//! What happened in the ledger, once for each reference.

use sea_orm::entity::prelude::*;

use super::stored::{Hash, Whole};

/// A posting.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "postings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub posting: Whole,
    pub reference: String,
    pub why: String,
    pub digest: Hash,
    pub at: Whole,
}

/// No table refers to another: rows are read and written by their keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
