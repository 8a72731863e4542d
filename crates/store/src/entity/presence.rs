//! When providers were heard.

use sea_orm::entity::prelude::*;

use super::stored::{Small, Whole};

/// An hour of a provider.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "presence")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider: Small,
    #[sea_orm(primary_key, auto_increment = false)]
    pub hour: Whole,
    pub seconds: Small,
}

/// No table refers to another: rows are rebuilt and rewound one by one.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
