//! Receipts.

use sea_orm::entity::prelude::*;

use super::stored::{Account, Hash, Kind, Whole};

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "receipts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub nid: String,
    pub job: Hash,
    pub kind: Kind,
    pub idempotency_key: String,
    pub document: Vec<u8>,
    pub occurred_at: Whole,
    pub from_block: Whole,
    pub to_block: Whole,
    pub state: String,
    pub tx: Option<Hash>,
    pub tx_nonce: Option<Whole>,
    pub raw: Option<Vec<u8>>,
    pub block: Option<Whole>,
    pub recorder: Option<Account>,
}

/// No table refers to another: rows are rebuilt and rewound one by one.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
