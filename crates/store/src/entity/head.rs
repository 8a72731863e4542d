//! Where the ledger goes on.

use sea_orm::entity::prelude::*;

use super::stored::{Small, Whole};

/// The id of the one row.
pub(crate) const ONLY: Small = Small(1);

/// The one row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ledger")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Small,
    pub next: Whole,
}

/// No table refers to another: rows are read and written by their keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
