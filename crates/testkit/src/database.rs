//! Empty databases: SQLite files, and a PostgreSQL cluster that lives and dies with the test process.

use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;
use url::Url;

use crate::skip::{Need, skipped};

mod cluster;
use cluster::Cluster;

/// What keeps the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file.
    Sqlite,
    /// A server.
    Postgres,
}

/// An empty database that nobody else has.
#[derive(Debug)]
pub struct TestDatabase {
    engine: Engine,
    url: Url,
    /// Removed with the database.
    _folder: Option<TempDir>,
}

impl TestDatabase {
    /// A file in a folder of its own.
    #[must_use]
    pub fn sqlite() -> Self {
        let folder = crate::temp_dir();
        let path = folder.path().join("test.sqlite");
        let url = format!("sqlite://{}", path.display());
        Self { engine: Engine::Sqlite, url: parse(&url), _folder: Some(folder) }
    }

    /// A database in the PostgreSQL of this process. Nothing, said loudly, where PostgreSQL is not installed; the test
    /// ends then: `let Some(database) = TestDatabase::postgres() else { return };`.
    #[must_use]
    pub fn postgres() -> Option<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let cluster = match Cluster::of_this_process() {
            Ok(cluster) => cluster,
            Err(why) => {
                skipped(Need::Postgres, why);
                return None;
            }
        };
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        cluster.psql(&cluster.url("postgres"), &format!("CREATE DATABASE {name}"));
        Some(Self { engine: Engine::Postgres, url: parse(&cluster.url(&name)), _folder: None })
    }

    /// One with this engine, where it is installed.
    #[must_use]
    pub fn of(engine: Engine) -> Option<Self> {
        match engine {
            Engine::Sqlite => Some(Self::sqlite()),
            Engine::Postgres => Self::postgres(),
        }
    }

    /// One with each engine that is installed.
    #[must_use]
    pub fn engines() -> Vec<Self> {
        [Engine::Sqlite, Engine::Postgres].into_iter().filter_map(Self::of).collect()
    }

    /// With what it is kept.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> Url {
        self.url.clone()
    }

    /// What the program `psql` prints for this statement, a row a line. Fails the test with SQLite.
    #[must_use]
    pub fn psql(&self, sql: &str) -> String {
        match (self.engine, Cluster::of_this_process()) {
            (Engine::Postgres, Ok(cluster)) => cluster.psql(self.url.as_str(), sql),
            _ => panic!("psql speaks with PostgreSQL only"),
        }
    }
}

fn parse(url: &str) -> Url {
    url.parse().unwrap_or_else(|error| panic!("{url}: {error}"))
}
