//! Requests that must not be carried out twice.

use sea_orm::entity::prelude::*;

use super::stored::{Account, Hash, Short, Whole};

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "requests")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub who: Account,
    #[sea_orm(primary_key, auto_increment = false)]
    pub request_key: String,
    pub route: String,
    pub body_hash: Hash,
    pub begun_at: Whole,
    pub status: Option<Short>,
    pub body: Option<Vec<u8>>,
}

/// No table refers to another: rows are rebuilt and rewound one by one.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
