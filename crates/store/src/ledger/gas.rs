//! What the keys of a gateway spend on gas, added up by day.

use alloy_primitives::Address;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::bulk;
use crate::connect::Store;
use crate::entity::gas;
use crate::entity::stored::{Account, Whole};
use crate::error::StoreError;

/// A day of a key on a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GasDay {
    /// The chain.
    pub chain_id: u64,
    /// The key's address.
    pub signer: Address,
    /// Days since 1970.
    pub day: u64,
}

impl Store {
    /// Takes so many gwei out of a key's day; `false`, and nothing taken, when less than that is left of `most`. All
    /// gateways on this database share the day. When this returns, a power cut does not undo it.
    pub async fn take_gas(&self, of: GasDay, gwei: u64, most: u64) -> Result<bool, StoreError> {
        use gas::Column as C;
        let Some(before) = most.checked_sub(gwei) else { return Ok(false) };
        let (chain_id, signer, day) = (of.chain_id.into(), of.signer.into(), of.day.into());
        let fresh = gas::Model { chain_id, signer, day, gwei: Whole(0), transactions: Whole(0) };
        bulk::insert_missing::<gas::Entity>(self.durable(), vec![fresh]).await?;
        let update = gas::Entity::update_many()
            .filter(C::ChainId.eq(chain_id))
            .filter(C::Signer.eq(signer))
            .filter(C::Day.eq(day))
            .filter(C::Gwei.lte(Whole(before)))
            .col_expr(C::Gwei, Expr::col(C::Gwei).add(Whole(gwei)))
            .col_expr(C::Transactions, Expr::col(C::Transactions).add(1_i64));
        Ok(update.exec(self.durable()).await?.rows_affected == 1)
    }

    /// What a key's day has cost so far: gwei and transactions.
    pub async fn gas_day(&self, of: GasDay) -> Result<(u64, u64), StoreError> {
        let key = (Whole(of.chain_id), Account(of.signer), Whole(of.day));
        let found = gas::Entity::find_by_id(key).one(self.readers()).await?;
        Ok(found.map_or((0, 0), |row| (row.gwei.0, row.transactions.0)))
    }
}
