//! What agents measured.

use sea_orm::entity::prelude::*;

use super::stored::{Short, Small};

/// A measurement.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "metrics")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub provider: Small,
    #[sea_orm(primary_key, auto_increment = false)]
    pub at_ms: i64,
    pub utilisation_pct: Short,
    pub memory_mib: Small,
    pub temperature_c: Short,
    pub power_w: Small,
}

/// No table refers to another: rows are rebuilt and rewound one by one.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
