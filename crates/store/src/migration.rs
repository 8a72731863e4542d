//! The tables, and how an older database becomes a newer one: a file for each step, never changed once released.

mod m0001_index;
mod m0002_own;
mod m0003_keys;
mod m0004_ledger;
mod m0005_x402;
mod m0006_court;
mod table;

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationTrait, MigratorTrait, seaql_migrations};

use crate::{connect::Store, error::StoreError};

/// Any number that nothing else in the database locks: two gateways that start at once migrate one after the other.
const LOCK: i64 = 0x62_6f75_7273_6531;

struct Migrator;

#[sea_orm_migration::async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_index::Migration),
            Box::new(m0002_own::Migration),
            Box::new(m0003_keys::Migration),
            Box::new(m0004_ledger::Migration),
            Box::new(m0005_x402::Migration),
            Box::new(m0006_court::Migration),
        ]
    }
}

/// Brings the tables to this version, in one transaction.
pub(crate) async fn run(store: &Store) -> Result<(), StoreError> {
    let transaction = store.begin().await?;
    if store.engine() == DbBackend::Postgres {
        let lock = store.statement("SELECT pg_advisory_xact_lock($1)", [LOCK.into()]);
        transaction.query_one_raw(lock).await?;
    }
    let applied: Vec<seaql_migrations::Model> = Migrator::get_migration_models(&transaction).await?;
    let known: Vec<_> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
    if let Some(newer) = applied.into_iter().find(|row| !known.contains(&row.version)) {
        return Err(StoreError::NewerSchema { version: newer.version });
    }
    let fresh = Migrator::get_pending_migrations(&transaction).await?.len();
    if fresh > 0 {
        Migrator::up(&transaction, None).await?;
        table::comment_on_ledger(&transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}

fn other_engine() -> DbErr {
    DbErr::Migration("the tables are for SQLite and PostgreSQL".to_owned())
}
