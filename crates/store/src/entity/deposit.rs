//! Transfers to the treasury.

use sea_orm::entity::prelude::*;

use super::stored::{Account, Hash, Whole};

/// A transfer to the treasury.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deposits")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub asset: Whole,
    #[sea_orm(primary_key, auto_increment = false)]
    pub tx: Hash,
    #[sea_orm(primary_key, auto_increment = false)]
    pub log_index: Whole,
    pub sender: Account,
    pub account: Option<Hash>,
    pub amount: i64,
    pub block: Whole,
    pub block_hash: Hash,
    pub depth: Whole,
    pub state: String,
    pub round: Whole,
    pub seen_at: Whole,
}

/// No table refers to another: rows are read and written by their keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
