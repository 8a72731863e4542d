//! What the market wallet holds: a token on a chain.

use sea_orm::entity::prelude::*;

use super::stored::{Account, Short, Whole};

/// An asset with its totals.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "assets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub asset: Whole,
    pub chain_id: Whole,
    pub token: Account,
    pub symbol: String,
    pub decimals: Short,
    pub testnet: bool,
    pub available: i64,
    pub held: i64,
    pub fees: i64,
    pub suspense: i64,
    pub shortfall: i64,
    pub treasury: i64,
    pub locks: i64,
    pub withdrawing: i64,
    pub scanned: Whole,
}

/// No table refers to another: rows are read and written by their keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
