//! One transaction of many postings: it holds the ledger's one row, so that of two gateways one writes at a time and
//! nothing that it read changes under it.

use std::collections::{BTreeMap, HashMap};

use alloy_primitives::B256;
use market::JobId;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};

use super::convert::{id_column, job_column};
use super::rows::{
    AccountId, AssetId, AssetRow, AssetTotals, BalanceRow, DepositKey, DepositRow, HoldRow, PostingRow, WithdrawalRow,
};
use super::{ASSETS_MAX, REFERENCE_BYTES_MAX};
use crate::bulk;
use crate::connect::Store;
use crate::entity::stored::{Hash, Whole};
use crate::entity::{asset, balance, deposit, head, hold, posting, withdrawal};
use crate::error::StoreError;

/// What a batch of postings has to know.
#[derive(Clone, Debug, Default)]
pub struct LedgerKeys {
    /// References that may be posted already.
    pub references: Vec<String>,
    /// Accounts, with all their balances.
    pub accounts: Vec<AccountId>,
    /// Jobs, for their holds.
    pub jobs: Vec<JobId>,
    /// Deposits.
    pub deposits: Vec<DepositKey>,
    /// Withdrawals.
    pub withdrawals: Vec<B256>,
}

/// The rows that were asked for, as far as they exist, and all assets.
#[derive(Clone, Debug, Default)]
pub struct LedgerView {
    /// Number of the next posting.
    pub next: u64,
    /// All assets.
    pub assets: BTreeMap<AssetId, AssetRow>,
    /// Number and digest of what is posted under a reference.
    pub posted: HashMap<String, (u64, B256)>,
    /// Balances.
    pub balances: HashMap<(AccountId, AssetId), BalanceRow>,
    /// Holds.
    pub holds: HashMap<JobId, HoldRow>,
    /// Deposits.
    pub deposits: HashMap<DepositKey, DepositRow>,
    /// Withdrawals.
    pub withdrawals: HashMap<B256, WithdrawalRow>,
}

/// What a batch of postings changes.
#[derive(Clone, Debug, Default)]
pub struct LedgerChanges {
    /// New postings, numbered from the view's `next` on.
    pub postings: Vec<PostingRow>,
    /// Assets as they are now, of which the totals are written.
    pub assets: Vec<AssetRow>,
    /// Balances as they are now.
    pub balances: Vec<BalanceRow>,
    /// Holds that are new.
    pub opened: Vec<HoldRow>,
    /// Holds that were there, as they are now.
    pub holds: Vec<HoldRow>,
    /// Deposits as they are now.
    pub deposits: Vec<DepositRow>,
    /// Withdrawals as they are now.
    pub withdrawals: Vec<WithdrawalRow>,
}

/// A transaction that holds the ledger. Dropped, it changes nothing.
#[derive(Debug)]
pub struct LedgerTransaction {
    db: DatabaseTransaction,
    next: u64,
}

impl Store {
    /// Waits for its turn to write the ledger.
    pub async fn begin_postings(&self) -> Result<LedgerTransaction, StoreError> {
        let db = self.begin_durable().await?;
        let find = || head::Entity::find_by_id(head::ONLY).lock_exclusive();
        let next = match find().one(&db).await? {
            Some(row) => row.next.0,
            None => {
                // The first of several gateways makes the row; the others wait for its commit.
                let first = head::Model { id: head::ONLY, next: Whole(1) };
                bulk::insert_missing::<head::Entity>(&db, vec![first]).await?;
                find().one(&db).await?.map_or(1, |row| row.next.0)
            }
        };
        Ok(LedgerTransaction { db, next })
    }

    /// Makes an asset known, or finds it. A token whose decimals or kind changed is refused as corrupt.
    pub async fn put_asset(&self, row: &AssetRow) -> Result<AssetRow, StoreError> {
        let transaction = self.begin_postings().await?;
        let view = transaction.view().await?;
        let held = view.assets.values().find(|held| (held.chain_id, held.token) == (row.chain_id, row.token));
        if let Some(held) = held {
            if (held.decimals, held.testnet) != (row.decimals, row.testnet) {
                let reason =
                    format!("token {} on chain {} had other decimals or another kind", row.token, row.chain_id);
                return Err(StoreError::Corrupt { reason });
            }
            return Ok(held.clone());
        }
        if view.assets.len() >= ASSETS_MAX {
            return Err(StoreError::TooLarge { what: "the list of assets", limit: ASSETS_MAX });
        }
        let next = view.assets.keys().next_back().map_or(1, |last| last.0 + 1);
        let row = AssetRow { asset: AssetId(next), totals: Default::default(), ..row.clone() };
        bulk::insert::<asset::Entity>(&transaction.db, vec![(&row).into()]).await?;
        transaction.commit().await?;
        Ok(row)
    }
}

impl LedgerTransaction {
    /// Number of the next posting.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The assets, and nothing else yet.
    pub async fn view(&self) -> Result<LedgerView, StoreError> {
        let assets = asset::Entity::find().all(&self.db).await?.into_iter().map(AssetRow::try_from);
        let assets = assets.map(|row| row.map(|row| (row.asset, row))).collect::<Result<_, _>>()?;
        Ok(LedgerView { next: self.next, assets, ..LedgerView::default() })
    }

    /// Adds the named rows to a view.
    pub async fn read(&self, keys: &LedgerKeys, view: &mut LedgerView) -> Result<(), StoreError> {
        let db = &self.db;
        let references = keys.references.iter().map(String::as_str);
        for row in bulk::find::<posting::Entity, _>(db, posting::Column::Reference, references).await? {
            view.posted.insert(row.reference, (row.posting.0, row.digest.0));
        }
        let accounts = keys.accounts.iter().map(|id| Hash(id.0));
        for row in bulk::find::<balance::Entity, _>(db, balance::Column::Account, accounts).await? {
            let row = BalanceRow::try_from(row)?;
            view.balances.insert((row.account, row.asset), row);
        }
        let jobs = keys.jobs.iter().copied().map(job_column);
        for row in bulk::find::<hold::Entity, _>(db, hold::Column::Job, jobs).await? {
            let row = HoldRow::try_from(row)?;
            view.holds.insert(row.job, row);
        }
        let txs = keys.deposits.iter().map(|key| Hash(key.tx));
        for row in bulk::find::<deposit::Entity, _>(db, deposit::Column::Tx, txs).await? {
            let row = DepositRow::try_from(row)?;
            view.deposits.insert(row.key, row);
        }
        let ids = keys.withdrawals.iter().map(|id| Hash(*id));
        for row in bulk::find::<withdrawal::Entity, _>(db, withdrawal::Column::Id, ids).await? {
            let row = WithdrawalRow::try_from(row)?;
            view.withdrawals.insert(row.id, row);
        }
        Ok(())
    }

    /// Writes what changed. A row that breaks a check of the database fails it all.
    pub async fn write(&self, changes: &LedgerChanges) -> Result<(), StoreError> {
        let db = &self.db;
        within_limits(&changes.postings)?;
        let next = self.next + changes.postings.len() as u64;
        bulk::insert::<posting::Entity>(db, changes.postings.iter().map(Into::into).collect()).await?;
        for row in &changes.assets {
            write_totals(db, row).await?;
        }
        bulk::upsert::<balance::Entity>(db, changes.balances.iter().map(Into::into).collect()).await?;
        bulk::insert::<hold::Entity>(db, changes.opened.iter().map(Into::into).collect()).await?;
        bulk::upsert::<hold::Entity>(db, changes.holds.iter().map(Into::into).collect()).await?;
        bulk::upsert::<deposit::Entity>(db, changes.deposits.iter().map(Into::into).collect()).await?;
        bulk::upsert::<withdrawal::Entity>(db, changes.withdrawals.iter().map(Into::into).collect()).await?;
        if next > self.next {
            let only = head::Entity::update_many().filter(head::Column::Id.eq(head::ONLY));
            only.col_expr(head::Column::Next, Expr::value(Whole(next))).exec(db).await?;
        }
        Ok(())
    }

    /// Makes it so, power cuts included.
    pub async fn commit(self) -> Result<(), StoreError> {
        Ok(self.db.commit().await?)
    }
}

/// What no engine would refuse and everybody would have to read.
pub(super) fn within_limits(postings: &[PostingRow]) -> Result<(), StoreError> {
    if postings.iter().any(|row| row.reference.len() > REFERENCE_BYTES_MAX) {
        return Err(StoreError::TooLarge { what: "the reference of a posting", limit: REFERENCE_BYTES_MAX });
    }
    Ok(())
}

/// An asset's totals, and nothing else of its row: how far its deposits are read is written by others.
pub(super) async fn write_totals(db: &DatabaseTransaction, row: &AssetRow) -> Result<(), StoreError> {
    use asset::Column as C;
    let AssetTotals { available, held, fees, suspense, shortfall, treasury, locks, withdrawing } = row.totals;
    let totals = [
        (C::Available, available),
        (C::Held, held),
        (C::Fees, fees),
        (C::Suspense, suspense),
        (C::Shortfall, shortfall),
        (C::Treasury, treasury),
        (C::Locks, locks),
        (C::Withdrawing, withdrawing),
    ];
    let mut update = asset::Entity::update_many().filter(C::Asset.eq(id_column(row.asset)));
    for (column, total) in totals {
        update = update.col_expr(column, Expr::value(total));
    }
    update.exec(db).await?;
    Ok(())
}
