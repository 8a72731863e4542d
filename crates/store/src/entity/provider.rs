//! Providers.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use super::stored::{Account, Small, Whole};
use crate::rows::ProviderRow;
use market::Timestamp;

/// A provider.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "providers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Small,
    pub owner: Account,
    pub agent: Account,
    pub payout: Account,
    pub registered_at: Whole,
    pub jobs_started: Whole,
    pub jobs_succeeded: Whole,
    pub changed: Whole,
}

/// No table refers to another: rows are rebuilt and rewound one by one.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&ProviderRow> for Model {
    fn from(row: &ProviderRow) -> Self {
        Self {
            id: row.id.into(),
            owner: row.owner.into(),
            agent: row.agent.into(),
            payout: row.payout.into(),
            registered_at: row.registered_at.0.into(),
            jobs_started: row.jobs_started.into(),
            jobs_succeeded: row.jobs_succeeded.into(),
            changed: row.changed.into(),
        }
    }
}

impl From<Model> for ProviderRow {
    fn from(model: Model) -> Self {
        Self {
            id: model.id.0,
            owner: model.owner.0,
            agent: model.agent.0,
            payout: model.payout.0,
            registered_at: Timestamp(model.registered_at.0),
            jobs_started: model.jobs_started.0,
            jobs_succeeded: model.jobs_succeeded.0,
            changed: model.changed.0,
        }
    }
}
