//! Proposals to slash.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use super::stored::{Account, Decimal, Hash, Whole, Words};
use crate::rows::{SlashRow, SlashedRow};
use alloy_primitives::B256;
use market::{Amount, ResourceId, Timestamp};

/// A proposal. The columns from `slashed` to `burned` are its end: all of them hold something, or none.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "slashes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Whole,
    pub resource: Hash,
    pub harmed: Account,
    pub amount: Decimal,
    pub from_unbonding: Decimal,
    pub loss: Decimal,
    pub evidence: Words,
    pub contestable_until: Whole,
    pub contested: Option<Words>,
    pub slashed: Option<bool>,
    pub to_harmed: Option<Decimal>,
    pub burned: Option<Decimal>,
    pub changed: Whole,
}

/// No table refers to another: rows are rebuilt and rewound one by one.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&SlashRow> for Model {
    fn from(row: &SlashRow) -> Self {
        Self {
            id: row.id.into(),
            resource: B256::new(row.resource.0).into(),
            harmed: row.harmed.into(),
            amount: row.amount.0.into(),
            from_unbonding: row.from_unbonding.0.into(),
            loss: row.loss.0.into(),
            evidence: row.evidence.clone().into(),
            contestable_until: row.contestable_until.0.into(),
            contested: row.contested.clone().map(Into::into),
            slashed: row.settled.map(|it| it.slashed),
            to_harmed: row.settled.map(|it| it.to_harmed.0.into()),
            burned: row.settled.map(|it| it.burned.0.into()),
            changed: row.changed.into(),
        }
    }
}

impl From<Model> for SlashRow {
    fn from(model: Model) -> Self {
        let money = |column: Option<Decimal>| column.map_or(Amount::ZERO, |it| Amount(it.0));
        let settled = model.slashed.map(|slashed| SlashedRow {
            slashed,
            to_harmed: money(model.to_harmed),
            burned: money(model.burned),
        });
        Self {
            id: model.id.0,
            resource: ResourceId(model.resource.0.0),
            harmed: model.harmed.0,
            amount: Amount(model.amount.0),
            from_unbonding: Amount(model.from_unbonding.0),
            loss: Amount(model.loss.0),
            evidence: model.evidence.0,
            contestable_until: Timestamp(model.contestable_until.0),
            contested: model.contested.map(|it| it.0),
            settled,
            changed: model.changed.0,
        }
    }
}
