//! Deposits, from when they are first seen.

use alloy_primitives::Address;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use super::convert::id_column;
use super::rows::{AccountId, AssetId, DepositKey, DepositRow, DepositState};
use crate::bulk;
use crate::connect::Store;
use crate::entity::stored::{Account, Hash, Whole};
use crate::entity::{asset, deposit};
use crate::error::StoreError;
use crate::read::PAGE_MAX;

impl Store {
    /// Notes deposits that are first seen; those that are known stay as they are.
    pub async fn see_deposits(&self, rows: &[DepositRow]) -> Result<(), StoreError> {
        let models = rows.iter().map(Into::into).collect();
        bulk::insert_missing::<deposit::Entity>(self.durable(), models).await?;
        Ok(())
    }

    /// Notes where a deposit stands now, and whose it is, while nothing was posted about it; false when something was.
    pub async fn move_deposit(&self, row: &DepositRow) -> Result<bool, StoreError> {
        let unposted = [DepositState::Seen.name(), DepositState::Reorganised.name()];
        let moved = deposit::Entity::update_many()
            .filter(deposit::Column::Asset.eq(id_column(row.key.asset)))
            .filter(deposit::Column::Tx.eq(Hash(row.key.tx)))
            .filter(deposit::Column::LogIndex.eq(Whole(row.key.log_index)))
            .filter(deposit::Column::State.is_in(unposted))
            .filter(deposit::Column::Round.eq(Whole(row.round)))
            .col_expr(deposit::Column::Block, Expr::value(Whole(row.block)))
            .col_expr(deposit::Column::BlockHash, Expr::value(Hash(row.block_hash)))
            .col_expr(deposit::Column::Depth, Expr::value(Whole(row.depth)))
            .col_expr(deposit::Column::Account, Expr::value(row.account.map(|id| Hash(id.0))))
            .col_expr(deposit::Column::State, Expr::value(row.state.name()));
        Ok(moved.exec(self.durable()).await?.rows_affected == 1)
    }

    /// One deposit.
    pub async fn deposit(&self, key: DepositKey) -> Result<Option<DepositRow>, StoreError> {
        let find = deposit::Entity::find_by_id((id_column(key.asset), Hash(key.tx), Whole(key.log_index)));
        find.one(self.readers()).await?.map(TryInto::try_into).transpose()
    }

    /// Deposits in blocks above this height, by height. All of them: a watcher that missed one would take it for new.
    pub async fn deposits_above(&self, asset: AssetId, block: u64) -> Result<Vec<DepositRow>, StoreError> {
        let find = deposit::Entity::find()
            .filter(deposit::Column::Asset.eq(id_column(asset)))
            .filter(deposit::Column::Block.gt(Whole(block)))
            .order_by_asc(deposit::Column::Block)
            .order_by_asc(deposit::Column::LogIndex);
        find.all(self.readers()).await?.into_iter().map(TryInto::try_into).collect()
    }

    /// Deposits of an account, newest first; at most [`PAGE_MAX`](crate::PAGE_MAX).
    pub async fn deposits_of(&self, account: AccountId) -> Result<Vec<DepositRow>, StoreError> {
        let find = deposit::Entity::find()
            .filter(deposit::Column::Account.eq(Hash(account.0)))
            .order_by_desc(deposit::Column::SeenAt)
            .order_by_desc(deposit::Column::Tx)
            .limit(PAGE_MAX);
        find.all(self.readers()).await?.into_iter().map(TryInto::try_into).collect()
    }

    /// Deposits that belong to nobody known, oldest first: for the operator; at most [`PAGE_MAX`](crate::PAGE_MAX).
    pub async fn suspense(&self) -> Result<Vec<DepositRow>, StoreError> {
        let find = deposit::Entity::find()
            .filter(deposit::Column::State.eq(DepositState::Suspense.name()))
            .order_by_asc(deposit::Column::SeenAt)
            .order_by_asc(deposit::Column::Tx)
            .limit(PAGE_MAX);
        find.all(self.readers()).await?.into_iter().map(TryInto::try_into).collect()
    }

    /// Those of them that this address sent, oldest first; at most [`PAGE_MAX`](crate::PAGE_MAX). Others' dust hides none.
    pub async fn suspense_of(&self, sender: Address) -> Result<Vec<DepositRow>, StoreError> {
        let find = deposit::Entity::find()
            .filter(deposit::Column::State.eq(DepositState::Suspense.name()))
            .filter(deposit::Column::Sender.eq(Account(sender)))
            .order_by_asc(deposit::Column::SeenAt)
            .order_by_asc(deposit::Column::Tx)
            .limit(PAGE_MAX);
        find.all(self.readers()).await?.into_iter().map(TryInto::try_into).collect()
    }

    /// Notes up to which height an asset's deposits are read and final; it never goes back.
    pub async fn set_scanned(&self, asset: AssetId, block: u64) -> Result<(), StoreError> {
        let forward = asset::Entity::update_many()
            .filter(asset::Column::Asset.eq(id_column(asset)))
            .filter(asset::Column::Scanned.lt(Whole(block)))
            .col_expr(asset::Column::Scanned, Expr::value(Whole(block)));
        forward.exec(self.writer()).await?;
        Ok(())
    }
}
