//! Transactions sent for others: signed bytes kept before they go out, and the gas that it cost.

use alloy_primitives::{Address, B256};
use market::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::bulk;
use crate::connect::Store;
use crate::entity::stored::{Account, Hash, Whole};
use crate::entity::x402::{gas, send};
use crate::error::StoreError;
use crate::read::PAGE_MAX;

/// The longest purpose: a word and three hashes.
pub const PURPOSE_BYTES_MAX: usize = 255;
/// The longest signed transaction: a claim of fifty rows has half as much, and nodes take twice as much.
const SEND_BYTES_MAX: usize = 64 << 10;

/// How far a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendState {
    /// Signed, and perhaps sent.
    Sending,
    /// Mined, and it did not revert.
    Mined {
        /// Height of the block.
        block: u64,
    },
    /// Mined, and reverted.
    Reverted {
        /// Height of the block.
        block: u64,
    },
    /// Another transaction took its nonce: it never will be mined.
    Lost,
}

/// A transaction that does something once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendRow {
    /// What it does.
    pub purpose: String,
    /// The chain.
    pub chain_id: u64,
    /// Whose key signed.
    pub sender: Address,
    /// Of the transaction.
    pub nonce: u64,
    /// Its hash.
    pub tx: B256,
    /// Its signed bytes.
    pub raw: Vec<u8>,
    /// Hashes that it had before its fee was raised; any of them may be the mined one.
    pub earlier: Vec<B256>,
    /// How far it is.
    pub state: SendState,
    /// When it was signed.
    pub begun_at: Timestamp,
}

const SENDING: &str = "sending";
const MINED: &str = "mined";
const REVERTED: &str = "reverted";
const LOST: &str = "lost";

impl Store {
    /// Keeps signed bytes before anybody sees them; `false` when this purpose has its transaction already. When this
    /// returns, a power cut does not undo it.
    pub async fn put_send(&self, row: &SendRow) -> Result<bool, StoreError> {
        if row.purpose.len() > PURPOSE_BYTES_MAX {
            return Err(StoreError::TooLarge { what: "the purpose of a transaction", limit: PURPOSE_BYTES_MAX });
        }
        if row.raw.len() > SEND_BYTES_MAX {
            return Err(StoreError::TooLarge { what: "a signed transaction", limit: SEND_BYTES_MAX });
        }
        Ok(bulk::insert_missing::<send::Entity>(self.durable(), vec![model(row)?]).await? == 1)
    }

    /// The transaction of a purpose.
    pub async fn send(&self, purpose: &str) -> Result<Option<SendRow>, StoreError> {
        send::Entity::find_by_id(purpose).one(self.durable()).await?.map(row).transpose()
    }

    /// Makes the row of a purpose like this one. When this returns, a power cut does not undo it.
    pub async fn set_send(&self, row: &SendRow) -> Result<(), StoreError> {
        Ok(bulk::upsert::<send::Entity>(self.durable(), vec![model(row)?]).await?)
    }

    /// The same for a row that nobody changed meanwhile: only while it is being sent and was last signed as in `before`.
    /// `false`, and nothing changed, otherwise.
    pub async fn move_send(&self, before: &SendRow, after: &SendRow) -> Result<bool, StoreError> {
        use send::Column as C;
        let after = model(after)?;
        let update = send::Entity::update_many()
            .filter(C::Purpose.eq(&before.purpose))
            .filter(C::State.eq(SENDING))
            .filter(C::Tx.eq(Hash(before.tx)))
            .col_expr(C::Tx, Expr::value(after.tx))
            .col_expr(C::Raw, Expr::value(after.raw))
            .col_expr(C::Earlier, Expr::value(after.earlier))
            .col_expr(C::State, Expr::value(after.state))
            .col_expr(C::Block, Expr::value(after.block));
        Ok(update.exec(self.durable()).await?.rows_affected == 1)
    }

    /// What `sender` signed for this chain and nobody saw mined, lowest nonce first; at most
    /// [`PAGE_MAX`](crate::PAGE_MAX).
    pub async fn sends_open(&self, sender: Address, chain_id: u64) -> Result<Vec<SendRow>, StoreError> {
        let find = send::Entity::find()
            .filter(send::Column::State.eq(SENDING))
            .filter(send::Column::Sender.eq(Account(sender)))
            .filter(send::Column::ChainId.eq(Whole(chain_id)))
            .order_by_asc(send::Column::Nonce);
        find.limit(PAGE_MAX).all(self.durable()).await?.into_iter().map(row).collect()
    }

    /// Takes `gas` out of a payer's budget of the day; `false`, and nothing taken, when less than that is left of `most`.
    pub async fn spend_gas(&self, payer: Address, day: u64, gas: u64, most: u64) -> Result<bool, StoreError> {
        let fresh = gas::Model { payer: payer.into(), day: day.into(), gas: 0.into(), calls: 0.into() };
        bulk::insert_missing::<gas::Entity>(self.writer(), vec![fresh]).await?;
        let Some(before) = most.checked_sub(gas) else { return Ok(false) };
        let update = gas::Entity::update_many()
            .filter(gas::Column::Payer.eq(Account(payer)))
            .filter(gas::Column::Day.eq(Whole(day)))
            .filter(gas::Column::Gas.lte(Whole(before)))
            .col_expr(gas::Column::Gas, Expr::col(gas::Column::Gas).add(Whole(gas)))
            .col_expr(gas::Column::Calls, Expr::col(gas::Column::Calls).add(1_i64));
        Ok(update.exec(self.writer()).await?.rows_affected == 1)
    }

    /// What a payer's day has cost so far: gas and transactions.
    pub async fn gas_spent(&self, payer: Address, day: u64) -> Result<(u64, u64), StoreError> {
        let found = gas::Entity::find_by_id((Account(payer), Whole(day))).one(self.writer()).await?;
        Ok(found.map_or((0, 0), |row| (row.gas.0, row.calls.0)))
    }
}

fn model(row: &SendRow) -> Result<send::Model, StoreError> {
    let (state, block) = match row.state {
        SendState::Sending => (SENDING, None),
        SendState::Mined { block } => (MINED, Some(block)),
        SendState::Reverted { block } => (REVERTED, Some(block)),
        SendState::Lost => (LOST, None),
    };
    Ok(send::Model {
        purpose: row.purpose.clone(),
        chain_id: row.chain_id.into(),
        sender: row.sender.into(),
        nonce: row.nonce.into(),
        tx: row.tx.into(),
        raw: row.raw.clone(),
        earlier: serde_json::to_string(&row.earlier).map_err(|error| corrupt(&error.to_string()))?,
        state: state.to_owned(),
        block: block.map(Whole),
        begun_at: row.begun_at.0.into(),
    })
}

fn row(model: send::Model) -> Result<SendRow, StoreError> {
    let state = match (model.state.as_str(), model.block) {
        (SENDING, _) => SendState::Sending,
        (MINED, Some(Whole(block))) => SendState::Mined { block },
        (REVERTED, Some(Whole(block))) => SendState::Reverted { block },
        (LOST, _) => SendState::Lost,
        _ => return Err(corrupt("it is in no state")),
    };
    Ok(SendRow {
        purpose: model.purpose,
        chain_id: model.chain_id.0,
        sender: model.sender.0,
        nonce: model.nonce.0,
        tx: model.tx.0,
        raw: model.raw,
        earlier: serde_json::from_str(&model.earlier).map_err(|error| corrupt(&error.to_string()))?,
        state,
        begun_at: Timestamp(model.begun_at.0),
    })
}

fn corrupt(reason: &str) -> StoreError {
    StoreError::Corrupt { reason: format!("a transaction sent for others: {reason}") }
}
