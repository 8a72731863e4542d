//! Disputes.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use super::stored::{Account, Decimal, Hash, Share, Whole, Words};
use crate::rows::{DecisionRow, DisputeRow};
use alloy_primitives::B256;
use market::{Amount, JobId, Timestamp};

/// A dispute. The columns from `decided_by` to `decided_at` are its decision: all of them hold something, or none.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "disputes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job: Hash,
    pub opener: Account,
    pub opened_at: Whole,
    pub pot: Decimal,
    pub bond: Decimal,
    pub reason: Words,
    pub decided_by: Option<Account>,
    pub verdict_bps: Option<Share>,
    pub returned: Option<Decimal>,
    pub from_cover: Option<Decimal>,
    pub evidence: Option<Words>,
    pub decided_at: Option<Whole>,
    pub changed: Whole,
}

/// No table refers to another: rows are rebuilt and rewound one by one.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&DisputeRow> for Model {
    fn from(row: &DisputeRow) -> Self {
        let decision = row.decision.as_ref();
        Self {
            job: B256::new(row.job.0).into(),
            opener: row.opener.into(),
            opened_at: row.opened_at.0.into(),
            pot: row.pot.0.into(),
            bond: row.bond.0.into(),
            reason: row.reason.clone().into(),
            decided_by: decision.map(|it| it.by.into()),
            verdict_bps: decision.map(|it| it.verdict.into()),
            returned: decision.map(|it| it.returned.0.into()),
            from_cover: decision.map(|it| it.from_cover.0.into()),
            evidence: decision.map(|it| it.evidence.clone().into()),
            decided_at: decision.map(|it| it.at.0.into()),
            changed: row.changed.into(),
        }
    }
}

impl From<Model> for DisputeRow {
    fn from(model: Model) -> Self {
        let money = |column: Option<Decimal>| column.map_or(Amount::ZERO, |it| Amount(it.0));
        let decision = match (model.decided_by, model.verdict_bps, model.decided_at) {
            (Some(by), Some(verdict), Some(at)) => Some(DecisionRow {
                by: by.0,
                verdict: verdict.0,
                returned: money(model.returned),
                from_cover: money(model.from_cover),
                evidence: model.evidence.map(|it| it.0).unwrap_or_default(),
                at: Timestamp(at.0),
            }),
            _ => None,
        };
        Self {
            job: JobId(model.job.0.0),
            opener: model.opener.0,
            opened_at: Timestamp(model.opened_at.0),
            pot: Amount(model.pot.0),
            bond: Amount(model.bond.0),
            reason: model.reason.0,
            decision,
            changed: model.changed.0,
        }
    }
}
