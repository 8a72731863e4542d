//! Payments out of the treasury.

use sea_orm::entity::prelude::*;

use super::stored::{Account, Hash, Whole};

/// A payment out of the treasury.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "withdrawals")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Hash,
    pub account: Hash,
    pub request_key: String,
    pub asset: Whole,
    pub destination: Account,
    pub amount: i64,
    pub state: String,
    pub requested_at: Whole,
    pub signer: Option<Account>,
    pub tx_nonce: Option<Whole>,
    pub tx: Option<Hash>,
    pub txs: Option<Vec<u8>>,
    pub raw: Option<Vec<u8>>,
    pub sent_at: Option<Whole>,
    pub block: Option<Whole>,
    pub reason: Option<String>,
}

/// No table refers to another: rows are read and written by their keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
