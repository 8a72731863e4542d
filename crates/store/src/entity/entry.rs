//! The legs of postings.

use sea_orm::entity::prelude::*;

use super::stored::{Hash, Short, Whole};

/// A leg of a posting.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "entries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub posting: Whole,
    #[sea_orm(primary_key, auto_increment = false)]
    pub leg: Short,
    pub asset: Whole,
    pub account: Option<Hash>,
    pub bucket: String,
    pub amount: i64,
    pub why: String,
    pub reference: String,
    pub at: Whole,
}

/// No table refers to another: rows are read and written by their keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
