//! The handle: connections to SQLite or PostgreSQL, and how one writes beside many who read.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, RuntimeErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};

use crate::{config, config::StoreConfig, error::StoreError, migration};

/// Reaching a server takes longer only where it is not there.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// Between two tries of a file that is locked.
const LOCKED_PAUSE: Duration = Duration::from_millis(10);
/// Pages of SQLite's log between two checkpoints: a bulk sync writes the same pages again and again.
const CHECKPOINT_PAGES: &str = "8000";
/// SQLite's page cache in KiB, negative as its pragma wants it: the indexes of a million events fit.
const CACHE_KIB: &str = "-65536";

/// The database of a gateway: the market's index, and what a gateway keeps for itself.
///
/// Clones share their connections.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// One connection with SQLite, where writers would only wait for each other; else the same as `readers`.
    writer: DatabaseConnection,
    readers: DatabaseConnection,
    /// Writes what must survive a power cut at once.
    durable: DatabaseConnection,
    url: String,
}

impl Store {
    /// Connects, and brings the tables to this version. A database that a newer version wrote is refused.
    pub async fn open(config: &StoreConfig) -> Result<Self, StoreError> {
        let url = config::shown(&config.url);
        // A pool that cannot connect goes on trying, and says in the end that it had no free connection.
        let named = |error: StoreError| match error {
            StoreError::Unreachable { reason } | StoreError::Busy { reason } => {
                StoreError::Unreachable { reason: format!("{url}: {reason}") }
            }
            other => other,
        };
        let (writer, readers, durable) = match config.url.scheme() {
            "sqlite" => connect_sqlite(config).await.map_err(named)?,
            "postgres" | "postgresql" => {
                let pool = Database::connect(options(config, config.connections_max)).await;
                let pool = pool.map_err(|error| named(error.into()))?;
                (pool.clone(), pool.clone(), pool)
            }
            other => return Err(StoreError::BadUrl { reason: format!("{other} is no kind of database") }),
        };
        let store = Self { inner: Arc::new(Inner { writer, readers, durable, url: url.clone() }) };
        migration::run(&store).await?;
        Ok(store)
    }

    /// Asks the database whether it is there.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let pinged = self.readers().ping().await;
        pinged.map_err(|error| StoreError::Unreachable { reason: format!("{}: {error}", self.inner.url) })
    }

    /// Ends all connections, once those at work are done. Every clone fails from here on.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.inner.readers.close_by_ref().await?;
        self.inner.durable.close_by_ref().await?;
        Ok(self.inner.writer.close_by_ref().await?)
    }

    pub(crate) fn readers(&self) -> &DatabaseConnection {
        &self.inner.readers
    }

    pub(crate) fn writer(&self) -> &DatabaseConnection {
        &self.inner.writer
    }

    /// For what must not be lost with the power. With SQLite each commit waits for the disk, and for the other writer.
    pub(crate) fn durable(&self) -> &DatabaseConnection {
        &self.inner.durable
    }

    pub(crate) fn engine(&self) -> DbBackend {
        self.inner.writer.get_database_backend()
    }

    pub(crate) fn statement(&self, sql: &str, values: impl IntoIterator<Item = sea_orm::Value>) -> Statement {
        Statement::from_sql_and_values(self.engine(), sql, values)
    }

    /// A transaction that will write. SQLite takes its lock at once: a reader that turns writer may be refused.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, StoreError> {
        begin(self.writer()).await
    }

    /// The same, and its commit survives a power cut.
    pub(crate) async fn begin_durable(&self) -> Result<DatabaseTransaction, StoreError> {
        begin(self.durable()).await
    }
}

async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, StoreError> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    Ok(connection.begin_with_options(options).await?)
}

fn options(config: &StoreConfig, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(config.url.as_str());
    options
        .max_connections(connections.max(1))
        .min_connections(1)
        .connect_timeout(CONNECT_WITHIN)
        .acquire_timeout(config.acquire_within)
        .sqlx_logging(false)
        .record_stmt_in_spans(false);
    options
}

/// Writer, readers, durable writer.
type Connections = (DatabaseConnection, DatabaseConnection, DatabaseConnection);

async fn connect_sqlite(config: &StoreConfig) -> Result<Connections, StoreError> {
    if config.url.host().is_some() || !config.url.path().starts_with('/') || config.url.path() == "/" {
        let reason = "a SQLite database is named by the path of its file".to_owned();
        return Err(StoreError::BadUrl { reason });
    }
    let busy = config.busy_within;
    let with = |connections, synchronous| {
        let mut options = options(config, connections);
        options.map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(synchronous)
                .busy_timeout(busy)
                .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
                .pragma("cache_size", CACHE_KIB)
        });
        // Idle connections cost nothing, and opening one costs a reader the first answer.
        options.idle_timeout(None).max_lifetime(None).test_before_acquire(false);
        options
    };
    // A power cut may lose the writer's last commits, never the file: the index can be read from the chain again, and
    // what a gateway keeps for itself is safe to lose for a second.
    let writer = connect_patiently(|| with(1, SqliteSynchronous::Normal), busy).await?;
    let readers = connect_patiently(|| with(config.connections_max, SqliteSynchronous::Normal), busy).await?;
    let durable = connect_patiently(|| with(1, SqliteSynchronous::Full), busy).await?;
    Ok((writer, readers, durable))
}

/// Connects. A file that another gateway is making at this moment is locked, and SQLite's own patience does not cover the
/// change of its journal's mode.
async fn connect_patiently(options: impl Fn() -> ConnectOptions, busy: Duration) -> Result<DatabaseConnection, DbErr> {
    let began = Instant::now();
    loop {
        match Database::connect(options()).await {
            Err(error) if is_locked(&error) && began.elapsed() < busy => tokio::time::sleep(LOCKED_PAUSE).await,
            done => return done,
        }
    }
}

/// SQLITE_BUSY, the lowest byte of whatever extends it.
fn is_locked(error: &DbErr) -> bool {
    let (DbErr::Conn(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error))) = error else {
        return false;
    };
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}
