//! Addresses that proved whose they are.

use sea_orm::entity::prelude::*;

use super::stored::{Account, Hash, Whole};

/// A proven address.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "links")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub address: Account,
    pub account: Hash,
    pub at: Whole,
}

/// No table refers to another: rows are read and written by their keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
