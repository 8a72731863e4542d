//! Who may report silence.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use super::stored::{Account, Whole};
use crate::rows::ReporterRow;

/// A reporter.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "reporters")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub address: Account,
    #[sea_orm(primary_key, auto_increment = false)]
    pub is_oracle: bool,
    pub registered: bool,
    pub changed: Whole,
}

/// No table refers to another: rows are rebuilt and rewound one by one.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&ReporterRow> for Model {
    fn from(row: &ReporterRow) -> Self {
        Self {
            address: row.address.into(),
            is_oracle: row.is_oracle,
            registered: row.registered,
            changed: row.changed.into(),
        }
    }
}

impl From<Model> for ReporterRow {
    fn from(model: Model) -> Self {
        Self {
            address: model.address.0,
            is_oracle: model.is_oracle,
            registered: model.registered,
            changed: model.changed.0,
        }
    }
}
