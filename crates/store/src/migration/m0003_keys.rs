//! Whose key committed a receipt, and the sessions of one address.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait::async_trait};

use super::table::Kind::{Address, Maybe};
use super::table::{Column, TableIndex, add, drop_added};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0003_keys"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add(manager, "receipts", &[RECORDER], &[]).await?;
        add(manager, "sessions", &[], &[OF_ADDRESS]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_added(manager, "sessions", &[], &[OF_ADDRESS]).await?;
        drop_added(manager, "receipts", &[RECORDER], &[]).await
    }
}

const RECORDER: Column = Column("recorder", Maybe(&Address), "Whose key signed the commit last.");
const OF_ADDRESS: TableIndex =
    TableIndex { name: "sessions_address", columns: &["address", "created_at"], unique: false };
