//! What a key spent on gas, by day.

use sea_orm::entity::prelude::*;

use super::stored::{Account, Whole};

/// A day of a key on a chain.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "gas_days")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub chain_id: Whole,
    #[sea_orm(primary_key, auto_increment = false)]
    pub signer: Account,
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: Whole,
    pub gwei: Whole,
    pub transactions: Whole,
}

/// No table refers to another.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
