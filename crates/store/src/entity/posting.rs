//! What happened in the ledger, once for each reference.

use sea_orm::entity::prelude::*;

use super::stored::{Hash, Whole};

/// A posting with what it changed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "postings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub posting: Whole,
    pub reference: String,
    pub why: String,
    pub digest: Hash,
    pub at: Whole,
    pub asset: Whole,
    pub account: Option<Hash>,
    pub available: i64,
    pub held: i64,
    pub fees: i64,
    pub suspense: i64,
    pub shortfall: i64,
    pub treasury: i64,
    pub locks: i64,
    pub withdrawing: i64,
}

/// No table refers to another: rows are read and written by their keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
