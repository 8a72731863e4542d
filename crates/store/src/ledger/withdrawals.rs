//! Payments out of the treasury, and how far each is.

use alloy_primitives::B256;
use market::Timestamp;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, TryGetable};

use super::convert::id_column;
use super::rows::{AccountId, AssetId, WithdrawalRow, WithdrawalState};
use crate::connect::Store;
use crate::entity::stored::{Hash, Whole};
use crate::entity::withdrawal;
use crate::error::StoreError;
use crate::read::PAGE_MAX;
use crate::receipt::RAW_BYTES_MAX;

impl Store {
    /// One withdrawal.
    pub async fn withdrawal(&self, id: B256) -> Result<Option<WithdrawalRow>, StoreError> {
        withdrawal::Entity::find_by_id(Hash(id)).one(self.readers()).await?.map(TryInto::try_into).transpose()
    }

    /// Withdrawals of an account, newest first; at most [`PAGE_MAX`](crate::PAGE_MAX).
    pub async fn withdrawals_of(&self, account: AccountId) -> Result<Vec<WithdrawalRow>, StoreError> {
        let find = withdrawal::Entity::find()
            .filter(withdrawal::Column::Account.eq(Hash(account.0)))
            .order_by_desc(withdrawal::Column::RequestedAt)
            .order_by_desc(withdrawal::Column::Id)
            .limit(PAGE_MAX);
        find.all(self.readers()).await?.into_iter().map(TryInto::try_into).collect()
    }

    /// Withdrawals of these assets that are neither final nor failed: what is signed by nonce, then what waits, oldest
    /// first; at most [`PAGE_MAX`](crate::PAGE_MAX) of each.
    pub async fn withdrawals_due(&self, assets: &[AssetId]) -> Result<Vec<WithdrawalRow>, StoreError> {
        let of = withdrawal::Column::Asset.is_in(assets.iter().copied().map(id_column));
        let on_the_way = [WithdrawalState::Signed, WithdrawalState::Sent, WithdrawalState::Mined];
        let signed = withdrawal::Entity::find()
            .filter(of.clone())
            .filter(withdrawal::Column::State.is_in(on_the_way.map(WithdrawalState::name)))
            .order_by_asc(withdrawal::Column::TxNonce)
            .limit(PAGE_MAX);
        let waiting = withdrawal::Entity::find()
            .filter(of)
            .filter(withdrawal::Column::State.eq(WithdrawalState::Requested.name()))
            .order_by_asc(withdrawal::Column::RequestedAt)
            .order_by_asc(withdrawal::Column::Id)
            .limit(PAGE_MAX);
        let mut rows = signed.all(self.readers()).await?;
        rows.extend(waiting.all(self.readers()).await?);
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// What was signed out of an asset since `since`, withdrawals that failed left out: for the hourly limit.
    pub async fn withdrawn_since(&self, asset: AssetId, since: Timestamp) -> Result<i64, StoreError> {
        let sql = "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM withdrawals \
                   WHERE asset = $1 AND sent_at >= $2 AND state <> $3";
        let failed = WithdrawalState::Failed.name();
        let ask = self.statement(sql, [id_column(asset).into(), Whole(since.0).into(), failed.into()]);
        let row = self.durable().query_one_raw(ask).await?;
        Ok(row.map_or(Ok(0), |row| i64::try_get_by(&row, 0_usize)).map_err(sea_orm::DbErr::from)?)
    }

    /// Notes how far a withdrawal is that stays signed: sent, mined, signed again for more, taken back. False when it is
    /// not as `from` says any more. When this returns, a power cut does not undo it.
    pub async fn move_withdrawal(&self, from: &WithdrawalRow, to: &WithdrawalRow) -> Result<bool, StoreError> {
        use withdrawal::Column as C;
        if to.raw.len() > RAW_BYTES_MAX {
            return Err(StoreError::TooLarge { what: "the signed withdrawal", limit: RAW_BYTES_MAX });
        }
        let model = withdrawal::Model::from(to);
        let moved = withdrawal::Entity::update_many()
            .filter(C::Id.eq(Hash(from.id)))
            .filter(C::State.eq(from.state.name()))
            .filter(from.tx.map_or_else(|| C::Tx.is_null(), |tx| C::Tx.eq(Hash(tx))))
            .set(withdrawal::ActiveModel {
                state: sea_orm::Set(model.state),
                tx: sea_orm::Set(model.tx),
                txs: sea_orm::Set(model.txs),
                raw: sea_orm::Set(model.raw),
                block: sea_orm::Set(model.block),
                ..Default::default()
            });
        Ok(moved.exec(self.durable()).await?.rows_affected == 1)
    }
}
