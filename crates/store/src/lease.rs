//! Leases: who may do what only one process may do.

use sea_orm::{ColumnTrait, DbBackend, EntityTrait, QueryFilter};

use crate::connect::Store;
use crate::entity::lease;
use crate::error::StoreError;

/// Who writes the index.
pub const INDEX_LEASE: &str = "index";
/// Who sends receipts to the chain.
pub const RECEIPTS_LEASE: &str = "receipts";

impl Store {
    /// Takes or renews the lease of the index for `for_s` seconds; false while somebody else has it.
    pub async fn index_lease(&self, holder: &str, for_s: u64) -> Result<bool, StoreError> {
        self.lease(INDEX_LEASE, holder, for_s).await
    }

    /// Takes or renews the lease of the receipts for `for_s` seconds; false while somebody else has it.
    pub async fn receipts_lease(&self, holder: &str, for_s: u64) -> Result<bool, StoreError> {
        self.lease(RECEIPTS_LEASE, holder, for_s).await
    }

    /// Takes or renews a lease, by the clock of the database: two machines may disagree about the time.
    pub async fn lease(&self, name: &str, holder: &str, for_s: u64) -> Result<bool, StoreError> {
        let now = match self.engine() {
            DbBackend::Postgres => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS BIGINT)",
            _ => "unixepoch()",
        };
        let sql = format!(
            "INSERT INTO leases (name, holder, expires) VALUES ($1, $2, {now} + $3) \
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires = excluded.expires \
             WHERE leases.holder = excluded.holder OR leases.expires <= {now}"
        );
        let for_s = i64::try_from(for_s).unwrap_or(i64::from(u32::MAX));
        let take = self.statement(&sql, [name.into(), holder.into(), for_s.into()]);
        use sea_orm::ConnectionTrait;
        Ok(self.writer().execute_raw(take).await?.rows_affected() == 1)
    }

    /// Gives a lease back, so that the next need not wait for its end.
    pub async fn end_lease(&self, name: &str, holder: &str) -> Result<(), StoreError> {
        let held = lease::Entity::delete_many().filter(lease::Column::Name.eq(name));
        held.filter(lease::Column::Holder.eq(holder)).exec(self.writer()).await?;
        Ok(())
    }
}
