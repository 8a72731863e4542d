//! Jobs.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use super::stored::{Account, Decimal, End, Hash, Short, Small, State, Whole, Words};
use crate::rows::JobRow;
use alloy_primitives::aliases::U40;
use alloy_primitives::{B256, aliases::U96};
use market::{Amount, BasisPoints, JobId, Seconds, Timestamp};
use wire::Terms;

/// A job. The columns from `renter` to `extra_terms` are its terms.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Hash,
    pub renter: Account,
    pub controller: Account,
    pub resource: Hash,
    pub price: Decimal,
    pub min_charge: Decimal,
    pub max_duration: Small,
    pub not_before: Whole,
    pub cancel_fee_bps: Short,
    pub spec_digest: Hash,
    pub flags: Small,
    pub salt: Decimal,
    pub extra_terms: Hash,
    pub provider: Small,
    pub fee_bps: Short,
    pub status: State,
    pub outcome: End,
    pub since: Whole,
    pub created_block: Whole,
    pub created_index: Whole,
    pub created_at: Whole,
    pub accepted_at: Option<Whole>,
    pub started_at: Option<Whole>,
    pub ended_at: Option<Whole>,
    pub ready_record: Option<Hash>,
    pub locked: Decimal,
    pub extra: Whole,
    pub paused: Whole,
    pub paid_seconds: Whole,
    pub paid: Decimal,
    pub seconds_run: Option<Whole>,
    pub refunded: Decimal,
    pub fee: Option<Decimal>,
    pub result_digest: Option<Hash>,
    pub ended_by: Option<Account>,
    pub reason: Option<Words>,
    pub changed: Whole,
    pub cover: Option<Whole>,
}

/// No table refers to another: rows are rebuilt and rewound one by one.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&JobRow> for Model {
    fn from(row: &JobRow) -> Self {
        Self {
            id: B256::new(row.id.0).into(),
            renter: row.terms.renter.into(),
            controller: row.terms.controller.into(),
            resource: row.terms.resourceId.into(),
            price: row.terms.pricePerHour.to::<u128>().into(),
            min_charge: row.terms.minCharge.to::<u128>().into(),
            max_duration: row.terms.maxDuration.into(),
            not_before: row.terms.notBefore.to::<u64>().into(),
            cancel_fee_bps: row.terms.cancelFeeBps.into(),
            spec_digest: row.terms.specDigest.into(),
            flags: row.terms.flags.into(),
            salt: u128::from(row.terms.salt).into(),
            extra_terms: row.terms.extra.into(),
            provider: row.provider.into(),
            fee_bps: row.fee_bps.0.into(),
            status: row.status.into(),
            outcome: row.outcome.into(),
            since: row.since.0.into(),
            created_block: row.created.0.into(),
            created_index: row.created.1.into(),
            created_at: row.created_at.0.into(),
            accepted_at: row.accepted_at.map(|it| it.0.into()),
            started_at: row.started_at.map(|it| it.0.into()),
            ended_at: row.ended_at.map(|it| it.0.into()),
            ready_record: row.ready_record.map(Into::into),
            locked: row.locked.0.into(),
            extra: row.extra.0.into(),
            paused: row.paused.0.into(),
            paid_seconds: row.paid_seconds.0.into(),
            paid: row.paid.0.into(),
            seconds_run: row.seconds_run.map(|it| it.0.into()),
            refunded: row.refunded.0.into(),
            fee: row.fee.map(|it| it.0.into()),
            result_digest: row.result_digest.map(Into::into),
            ended_by: row.ended_by.map(Into::into),
            reason: row.reason.clone().map(Into::into),
            changed: row.changed.into(),
            cover: Some(row.cover.0.into()),
        }
    }
}

impl From<Model> for JobRow {
    fn from(model: Model) -> Self {
        Self {
            id: JobId(model.id.0.0),
            terms: terms(&model),
            provider: model.provider.0,
            fee_bps: BasisPoints(model.fee_bps.0),
            status: model.status.0,
            outcome: model.outcome.0,
            since: Timestamp(model.since.0),
            created: (model.created_block.0, model.created_index.0),
            created_at: Timestamp(model.created_at.0),
            accepted_at: model.accepted_at.map(|it| Timestamp(it.0)),
            started_at: model.started_at.map(|it| Timestamp(it.0)),
            ended_at: model.ended_at.map(|it| Timestamp(it.0)),
            ready_record: model.ready_record.map(|it| it.0),
            locked: Amount(model.locked.0),
            extra: Seconds(model.extra.0),
            paused: Seconds(model.paused.0),
            cover: model.cover.map_or(Seconds(0), |it| Seconds(it.0)),
            paid_seconds: Seconds(model.paid_seconds.0),
            paid: Amount(model.paid.0),
            seconds_run: model.seconds_run.map(|it| Seconds(it.0)),
            refunded: Amount(model.refunded.0),
            fee: model.fee.map(|it| Amount(it.0)),
            result_digest: model.result_digest.map(|it| it.0),
            ended_by: model.ended_by.map(|it| it.0),
            reason: model.reason.map(|it| it.0),
            changed: model.changed.0,
        }
    }
}

/// Numbers that a column can hold and terms cannot are cut: they were terms when they were written.
fn terms(model: &Model) -> Terms {
    Terms {
        renter: model.renter.0,
        controller: model.controller.0,
        resourceId: model.resource.0,
        pricePerHour: U96::saturating_from(model.price.0),
        minCharge: U96::saturating_from(model.min_charge.0),
        maxDuration: model.max_duration.0,
        notBefore: U40::saturating_from(model.not_before.0),
        cancelFeeBps: model.cancel_fee_bps.0,
        specDigest: model.spec_digest.0,
        flags: model.flags.0,
        salt: u64::try_from(model.salt.0).unwrap_or(u64::MAX),
        extra: model.extra_terms.0,
    }
}
