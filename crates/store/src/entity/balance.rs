//! What an account has of an asset.

use sea_orm::entity::prelude::*;

use super::stored::{Hash, Whole};

/// A balance.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "balances")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: Hash,
    #[sea_orm(primary_key, auto_increment = false)]
    pub asset: Whole,
    pub available: i64,
    pub held: i64,
    pub owed: i64,
}

/// No table refers to another: rows are read and written by their keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
