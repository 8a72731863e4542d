//! Authorizations: each pays once, for one thing.

use alloy_primitives::{Address, B256};
use market::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, UpdateMany, sea_query::Expr};

use crate::bulk;
use crate::connect::Store;
use crate::entity::stored::{Account, Hash, Whole};
use crate::entity::x402::payment;
use crate::error::StoreError;

/// What makes an authorization (EIP-3009) the only one of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PaymentKey {
    /// The chain.
    pub chain_id: u64,
    /// The token.
    pub token: Address,
    /// Who signed.
    pub payer: Address,
    /// Its nonce.
    pub nonce: B256,
}

/// How far a payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// Taken, and the money has not been seen to move.
    Reserved,
    /// The money moved.
    Paid {
        /// In this transaction.
        tx: B256,
    },
    /// It never will.
    Failed,
}

/// An authorization that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRow {
    /// Which.
    pub key: PaymentKey,
    /// What it pays for: digest of the request and of the payment.
    pub bound: B256,
    /// Who is paid.
    pub pay_to: Address,
    /// Smallest units.
    pub amount: u128,
    /// When it was first seen.
    pub begun_at: Timestamp,
    /// The first block in which its use can stand.
    pub from_block: u64,
    /// When the authorization ends.
    pub valid_before: Timestamp,
    /// How far it is.
    pub state: PaymentState,
}

/// What became of a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// Nobody had it.
    New,
    /// It is here already, for the same or for something else: compare `bound`.
    Held(Box<PaymentRow>),
}

const RESERVED: &str = "reserved";
const PAID: &str = "paid";
const FAILED: &str = "failed";

impl Store {
    /// Takes an authorization for one thing. Exactly one of many at once is told `New`. When this returns, a power cut
    /// does not undo it.
    pub async fn reserve_payment(&self, row: &PaymentRow) -> Result<Reserved, StoreError> {
        if bulk::insert_missing::<payment::Entity>(self.durable(), vec![model(row)]).await? == 1 {
            return Ok(Reserved::New);
        }
        let held = self.payment(row.key).await?;
        let gone = || StoreError::Busy { reason: "a payment was forgotten while it was asked for".into() };
        held.map(|held| Reserved::Held(Box::new(held))).ok_or_else(gone)
    }

    /// An authorization that was taken.
    pub async fn payment(&self, key: PaymentKey) -> Result<Option<PaymentRow>, StoreError> {
        let id = (Account(key.payer), Account(key.token), Whole(key.chain_id), Hash(key.nonce));
        payment::Entity::find_by_id(id).one(self.durable()).await?.map(row).transpose()
    }

    /// Notes how far a payment is. When this returns, a power cut does not undo it.
    pub async fn set_payment_state(&self, key: PaymentKey, state: PaymentState) -> Result<(), StoreError> {
        let (word, tx) = columns(state);
        let update = of(key)
            .col_expr(payment::Column::State, Expr::value(word))
            .col_expr(payment::Column::Tx, Expr::value(tx.map(Hash)));
        update.exec(self.durable()).await?;
        Ok(())
    }

    /// Takes a reservation again that failed, for something else or for the same; whether it was still failed.
    pub async fn retake_payment(&self, fresh: &PaymentRow) -> Result<bool, StoreError> {
        let update = of(fresh.key)
            .filter(payment::Column::State.eq(FAILED))
            .col_expr(payment::Column::State, Expr::value(RESERVED))
            .col_expr(payment::Column::Bound, Expr::value(Hash(fresh.bound)))
            .col_expr(payment::Column::PayTo, Expr::value(Account(fresh.pay_to)))
            .col_expr(payment::Column::Amount, Expr::value(fresh.amount.to_string()))
            .col_expr(payment::Column::BegunAt, Expr::value(Whole(fresh.begun_at.0)));
        Ok(update.exec(self.durable()).await?.rows_affected == 1)
    }

    /// Forgets payments that were begun before `before`: their authorizations are over, and their answers old.
    pub async fn forget_payments(&self, before: Timestamp) -> Result<u64, StoreError> {
        let old = payment::Entity::delete_many()
            .filter(payment::Column::BegunAt.lt(Whole(before.0)))
            .filter(payment::Column::ValidBefore.lt(Whole(before.0)));
        Ok(old.exec(self.writer()).await?.rows_affected)
    }
}

fn of(key: PaymentKey) -> UpdateMany<payment::Entity> {
    payment::Entity::update_many()
        .filter(payment::Column::Payer.eq(Account(key.payer)))
        .filter(payment::Column::Token.eq(Account(key.token)))
        .filter(payment::Column::ChainId.eq(Whole(key.chain_id)))
        .filter(payment::Column::Nonce.eq(Hash(key.nonce)))
}

fn columns(state: PaymentState) -> (&'static str, Option<B256>) {
    match state {
        PaymentState::Reserved => (RESERVED, None),
        PaymentState::Paid { tx } => (PAID, Some(tx)),
        PaymentState::Failed => (FAILED, None),
    }
}

fn model(row: &PaymentRow) -> payment::Model {
    let (state, tx) = columns(row.state);
    payment::Model {
        payer: row.key.payer.into(),
        token: row.key.token.into(),
        chain_id: row.key.chain_id.into(),
        nonce: row.key.nonce.into(),
        bound: row.bound.into(),
        pay_to: row.pay_to.into(),
        amount: row.amount.into(),
        begun_at: row.begun_at.0.into(),
        from_block: row.from_block.into(),
        valid_before: row.valid_before.0.into(),
        state: state.to_owned(),
        tx: tx.map(Into::into),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "used as `map(row)` over owned rows")]
fn row(model: payment::Model) -> Result<PaymentRow, StoreError> {
    let state = match (model.state.as_str(), model.tx) {
        (RESERVED, None) => PaymentState::Reserved,
        (PAID, Some(Hash(tx))) => PaymentState::Paid { tx },
        (FAILED, None) => PaymentState::Failed,
        _ => return Err(StoreError::Corrupt { reason: "a payment is in no state".into() }),
    };
    Ok(PaymentRow {
        key: PaymentKey {
            chain_id: model.chain_id.0,
            token: model.token.0,
            payer: model.payer.0,
            nonce: model.nonce.0,
        },
        bound: model.bound.0,
        pay_to: model.pay_to.0,
        amount: model.amount.0,
        begun_at: Timestamp(model.begun_at.0),
        from_block: model.from_block.0,
        valid_before: Timestamp(model.valid_before.0),
        state,
    })
}
