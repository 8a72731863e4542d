//! Rows as they were before a block changed them.

use sea_orm::entity::prelude::*;

use super::stored::Whole;

/// What a row was; nothing where it did not exist.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "undo")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub block: Whole,
    #[sea_orm(primary_key, auto_increment = false)]
    pub row_key: String,
    pub image: Option<String>,
}

/// No table refers to another: rows are rebuilt and rewound one by one.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
