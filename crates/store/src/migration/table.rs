//! Tables as a list of columns with a sentence each, written to SQLite and PostgreSQL alike.

use sea_orm::sea_query::{Alias, ColumnDef, Expr, Index, Table as Create};
use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::SchemaManager;

/// A table.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) comment: &'static str,
    pub(super) columns: &'static [Column],
    /// The columns of its primary key, in order.
    pub(super) key: &'static [&'static str],
    pub(super) indexes: &'static [TableIndex],
}

/// A column: name, kind, whether it may be empty, and what it means.
pub(super) struct Column(pub(super) &'static str, pub(super) Kind, pub(super) &'static str);

/// What a column holds.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// 32 bytes.
    Hash,
    /// 20 bytes.
    Address,
    /// A time, a height, a count.
    Whole,
    /// Money as decimal text, or words.
    Text,
    Bytes,
    Bool,
    /// One of these, or nothing.
    Maybe(&'static Kind),
}

/// An index over these columns.
pub(super) struct TableIndex {
    pub(super) name: &'static str,
    pub(super) columns: &'static [&'static str],
    pub(super) unique: bool,
}

/// What must hold for every row of a table, as SQL.
pub(super) struct Check(pub(super) &'static str, pub(super) &'static str);

impl Column {
    fn definition(&self) -> ColumnDef {
        let mut column = ColumnDef::new(Alias::new(self.0));
        let (kind, null) = match self.1 {
            Kind::Maybe(kind) => (*kind, true),
            kind => (kind, false),
        };
        match kind {
            Kind::Hash => column.binary_len(32),
            Kind::Address => column.binary_len(20),
            Kind::Whole => column.big_integer(),
            Kind::Text => column.text(),
            Kind::Bytes | Kind::Maybe(_) => column.blob(),
            Kind::Bool => column.boolean(),
        };
        if !null {
            column.not_null();
        }
        column
    }
}

/// Makes the tables, their indexes, and their comments where the engine keeps comments.
pub(super) async fn create(manager: &SchemaManager<'_>, tables: &[Table]) -> Result<(), DbErr> {
    create_checked(manager, tables, &[]).await
}

/// Makes tables whose rows the engine itself checks.
pub(super) async fn create_checked(
    manager: &SchemaManager<'_>,
    tables: &[Table],
    checks: &[Check],
) -> Result<(), DbErr> {
    let engine = manager.get_database_backend();
    for table in tables {
        let mut create = Create::create();
        create.table(Alias::new(table.name));
        for column in table.columns {
            create.col(column.definition());
        }
        for check in checks.iter().filter(|check| check.0 == table.name) {
            create.check(Expr::cust(check.1));
        }
        let mut key = Index::create();
        for column in table.key {
            key.col(Alias::new(*column));
        }
        create.primary_key(&mut key);
        match engine {
            // The rows lie in their key, which is how they are found: half the work of a table with hidden row numbers.
            DbBackend::Sqlite => drop(create.extra("WITHOUT ROWID")),
            DbBackend::Postgres => {}
            _ => return Err(super::other_engine()),
        }
        manager.create_table(create).await?;
        create_indexes(manager, table.name, table.indexes).await?;
        if engine == DbBackend::Postgres {
            let columns = table.columns.iter().map(|column| (column.0, column.2));
            comment(manager.get_connection(), table.name, table.comment, columns).await?;
        }
    }
    Ok(())
}

async fn create_indexes(manager: &SchemaManager<'_>, table: &str, indexes: &[TableIndex]) -> Result<(), DbErr> {
    for index in indexes {
        let mut create = Index::create();
        create.name(index.name).table(Alias::new(table));
        for column in index.columns {
            create.col(Alias::new(*column));
        }
        if index.unique {
            create.unique();
        }
        manager.create_index(create).await?;
    }
    Ok(())
}

/// Adds columns, which must be ones that may be empty, and indexes to a table that is there.
pub(super) async fn add(
    manager: &SchemaManager<'_>,
    table: &str,
    columns: &[Column],
    indexes: &[TableIndex],
) -> Result<(), DbErr> {
    for column in columns {
        let alter = Create::alter().table(Alias::new(table)).add_column(column.definition()).to_owned();
        manager.alter_table(alter).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            comment_on_columns(manager.get_connection(), table, [(column.0, column.2)]).await?;
        }
    }
    create_indexes(manager, table, indexes).await
}

/// Takes them away again.
pub(super) async fn drop_added(
    manager: &SchemaManager<'_>,
    table: &str,
    columns: &[Column],
    indexes: &[TableIndex],
) -> Result<(), DbErr> {
    for index in indexes {
        manager.drop_index(Index::drop().name(index.name).table(Alias::new(table)).to_owned()).await?;
    }
    for column in columns {
        let alter = Create::alter().table(Alias::new(table)).drop_column(Alias::new(column.0)).to_owned();
        manager.alter_table(alter).await?;
    }
    Ok(())
}

/// Drops the tables, newest first.
pub(super) async fn drop_all(manager: &SchemaManager<'_>, tables: &[Table]) -> Result<(), DbErr> {
    for table in tables.iter().rev() {
        manager.drop_table(Create::drop().table(Alias::new(table.name)).to_owned()).await?;
    }
    Ok(())
}

/// The table in which SeaORM notes what was applied explains itself too.
pub(super) async fn comment_on_ledger(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    if db.get_database_backend() != DbBackend::Postgres {
        return Ok(());
    }
    let columns = [("version", "Name of the step."), ("applied_at", "When it was applied, Unix seconds.")];
    comment(db, "seaql_migrations", "Steps that brought the tables to their present form.", columns).await
}

async fn comment(
    db: &impl ConnectionTrait,
    table: &str,
    text: &str,
    columns: impl IntoIterator<Item = (&str, &str)>,
) -> Result<(), DbErr> {
    db.execute_unprepared(&format!("COMMENT ON TABLE \"{table}\" IS '{}';", quoted(text))).await?;
    comment_on_columns(db, table, columns).await
}

async fn comment_on_columns(
    db: &impl ConnectionTrait,
    table: &str,
    columns: impl IntoIterator<Item = (&str, &str)>,
) -> Result<(), DbErr> {
    let mut sql = String::new();
    for (column, text) in columns {
        sql.push_str(&format!("COMMENT ON COLUMN \"{table}\".\"{column}\" IS '{}';", quoted(text)));
    }
    db.execute_unprepared(&sql).await.map(drop)
}

fn quoted(text: &str) -> String {
    text.replace('\'', "''")
}
