//! Listings.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use super::stored::{Decimal, Hash, Short, Small, Whole, Words};
use crate::rows::ResourceRow;
use alloy_primitives::B256;
use market::{Amount, BasisPoints, Hardware, JobId, Mebibytes, PerHour, ResourceId, Timestamp};

/// A listing.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "resources")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Hash,
    pub provider: Small,
    pub key: Hash,
    pub model: Words,
    pub gpus: Short,
    pub vram_mib: Whole,
    pub cpus: Short,
    pub memory_mib: Whole,
    pub disk_mib: Whole,
    pub simulated: bool,
    pub details: Words,
    pub price: Decimal,
    pub available: bool,
    pub held_by: Option<Hash>,
    pub listed_at: Whole,
    pub changed: Whole,
    pub stake: Option<Decimal>,
    pub tied: Option<Decimal>,
    pub unbonding: Option<Decimal>,
    pub unbonded_at: Option<Whole>,
    pub contested: Option<Decimal>,
    pub cancel_fee_bps: Option<Short>,
}

/// No table refers to another: rows are rebuilt and rewound one by one.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&ResourceRow> for Model {
    fn from(row: &ResourceRow) -> Self {
        Self {
            id: B256::new(row.id.0).into(),
            provider: row.provider.into(),
            key: row.key.into(),
            model: row.hardware.model.clone().into(),
            gpus: row.hardware.gpus.into(),
            vram_mib: row.hardware.vram.0.into(),
            cpus: row.hardware.cpus.into(),
            memory_mib: row.hardware.memory.0.into(),
            disk_mib: row.hardware.disk.0.into(),
            simulated: row.hardware.simulated,
            details: row.details.clone().into(),
            price: row.price.0.into(),
            available: row.available,
            held_by: row.held_by.map(|it| B256::new(it.0).into()),
            listed_at: row.listed_at.0.into(),
            changed: row.changed.into(),
            stake: Some(row.stake.0.into()),
            tied: Some(row.tied.0.into()),
            unbonding: Some(row.unbonding.0.into()),
            unbonded_at: row.unbonded_at.map(|it| it.0.into()),
            contested: Some(row.contested.0.into()),
            cancel_fee_bps: Some(row.cancel_fee.0.into()),
        }
    }
}

impl From<Model> for ResourceRow {
    /// Listings of an index that is older than stake have none.
    fn from(model: Model) -> Self {
        let money = |column: Option<Decimal>| column.map_or(Amount::ZERO, |it| Amount(it.0));
        Self {
            id: ResourceId(model.id.0.0),
            provider: model.provider.0,
            key: model.key.0,
            hardware: Hardware {
                model: model.model.0,
                gpus: model.gpus.0,
                vram: Mebibytes(model.vram_mib.0),
                cpus: model.cpus.0,
                memory: Mebibytes(model.memory_mib.0),
                disk: Mebibytes(model.disk_mib.0),
                simulated: model.simulated,
            },
            details: model.details.0,
            price: PerHour(model.price.0),
            available: model.available,
            held_by: model.held_by.map(|it| JobId(it.0.0)),
            stake: money(model.stake),
            tied: money(model.tied),
            unbonding: money(model.unbonding),
            unbonded_at: model.unbonded_at.map(|it| Timestamp(it.0)),
            contested: money(model.contested),
            cancel_fee: model.cancel_fee_bps.map_or(BasisPoints(0), |it| BasisPoints(it.0)),
            listed_at: Timestamp(model.listed_at.0),
            changed: model.changed.0,
        }
    }
}
