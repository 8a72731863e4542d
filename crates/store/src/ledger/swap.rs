//! A batch of postings in one step, for who knows the rows already: it is written if nobody else wrote since, which the
//! number of the next posting tells, and not at all otherwise.

mod postgres;
mod sqlite;

use sea_orm::DbBackend;

use super::transaction::{LedgerChanges, within_limits};
use crate::connect::Store;
use crate::error::StoreError;

impl Store {
    /// Writes what changed, power cuts included, if `next` still is the number of the next posting; false, and nothing,
    /// if somebody else wrote. What stands already under a new reference or a new job fails it all, as does a row that
    /// breaks a check of the database.
    pub async fn write_postings(&self, next: u64, changes: &LedgerChanges) -> Result<bool, StoreError> {
        within_limits(&changes.postings)?;
        // Deposits and withdrawals move between postings too, so who writes them has to hold them.
        if !changes.deposits.is_empty() || !changes.withdrawals.is_empty() {
            let transaction = self.begin_postings().await?;
            if transaction.next() != next {
                return Ok(false);
            }
            transaction.write(changes).await?;
            transaction.commit().await?;
            return Ok(true);
        }
        match self.engine() {
            DbBackend::Postgres => postgres::write(self, next, changes).await,
            _ => sqlite::write(self, next, changes).await,
        }
    }
}
