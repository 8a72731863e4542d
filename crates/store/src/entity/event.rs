//! Events of the market.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use super::stored::{Account, Decimal, Detail, Hash, Small, Whole};
use crate::rows::EventRow;
use alloy_primitives::B256;
use market::{Amount, JobId, ResourceId, Timestamp};

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub block: Whole,
    #[sea_orm(primary_key, auto_increment = false)]
    pub log_index: Whole,
    pub at: Whole,
    pub tx: Hash,
    pub kind: String,
    pub job: Option<Hash>,
    pub resource: Option<Hash>,
    pub provider: Option<Small>,
    pub who: Option<Account>,
    pub earned: Option<Decimal>,
    pub detail: Detail,
}

/// No table refers to another: rows are rebuilt and rewound one by one.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&EventRow> for Model {
    fn from(row: &EventRow) -> Self {
        Self {
            block: row.block.into(),
            log_index: row.log_index.into(),
            at: row.at.0.into(),
            tx: row.tx.into(),
            kind: row.kind.clone(),
            job: row.job.map(|it| B256::new(it.0).into()),
            resource: row.resource.map(|it| B256::new(it.0).into()),
            provider: row.provider.map(Into::into),
            who: row.who.map(Into::into),
            earned: row.earned.map(|it| it.0.into()),
            detail: row.detail.clone().into(),
        }
    }
}

impl From<Model> for EventRow {
    fn from(model: Model) -> Self {
        Self {
            block: model.block.0,
            log_index: model.log_index.0,
            at: Timestamp(model.at.0),
            tx: model.tx.0,
            kind: model.kind,
            job: model.job.map(|it| JobId(it.0.0)),
            resource: model.resource.map(|it| ResourceId(it.0.0)),
            provider: model.provider.map(|it| it.0),
            who: model.who.map(|it| it.0),
            earned: model.earned.map(|it| Amount(it.0)),
            detail: model.detail.0,
        }
    }
}
