//! Money that is set aside for a job.

use sea_orm::entity::prelude::*;

use super::stored::{Hash, Whole};

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "holds")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job: Hash,
    pub account: Hash,
    pub asset: Whole,
    pub amount: i64,
    pub locked: i64,
    pub state: String,
    pub price_per_hour: i64,
    pub resource: Option<Hash>,
    pub created_at: Whole,
    pub started_at: Option<Whole>,
    pub ended_at: Option<Whole>,
    pub spent: i64,
    pub refunded: i64,
    pub fee: i64,
}

/// No table refers to another: rows are read and written by their keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
