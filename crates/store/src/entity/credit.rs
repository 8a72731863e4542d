//! Money that could not be delivered.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use super::stored::{Account, Decimal, Whole};
use crate::rows::CreditRow;
use market::Amount;

/// A credit.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "credits")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: Account,
    pub amount: Decimal,
    pub changed: Whole,
}

/// No table refers to another: rows are rebuilt and rewound one by one.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&CreditRow> for Model {
    fn from(row: &CreditRow) -> Self {
        Self { account: row.account.into(), amount: row.amount.0.into(), changed: row.changed.into() }
    }
}

impl From<Model> for CreditRow {
    fn from(model: Model) -> Self {
        Self { account: model.account.0, amount: Amount(model.amount.0), changed: model.changed.0 }
    }
}
