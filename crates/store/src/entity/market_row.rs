//! The market as a whole.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use super::stored::{Decimal, Short, Small, Whole};
use crate::rows::MarketRow;
use market::{Amount, BasisPoints};

/// The only row's key.
pub const ONLY: Small = Small(1);

/// The only row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "market")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Small,
    pub fee_bps: Option<Short>,
    pub paused: bool,
    pub fees_withdrawn: Decimal,
    pub changed: Whole,
    pub min_bond: Option<Decimal>,
}

/// No table refers to another: rows are rebuilt and rewound one by one.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&MarketRow> for Model {
    fn from(row: &MarketRow) -> Self {
        Self {
            id: ONLY,
            fee_bps: row.fee_bps.map(|it| it.0.into()),
            paused: row.paused,
            fees_withdrawn: row.fees_withdrawn.0.into(),
            changed: row.changed.into(),
            min_bond: row.min_bond.map(|it| it.0.into()),
        }
    }
}

impl From<Model> for MarketRow {
    fn from(model: Model) -> Self {
        Self {
            fee_bps: model.fee_bps.map(|it| BasisPoints(it.0)),
            paused: model.paused,
            fees_withdrawn: Amount(model.fees_withdrawn.0),
            min_bond: model.min_bond.map(|it| Amount(it.0)),
            changed: model.changed.0,
        }
    }
}
