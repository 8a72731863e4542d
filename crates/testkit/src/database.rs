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

    /// The same for measures: the server waits for the disk at each commit. Comes before any other database of this
    /// process, for all have one server.
    #[must_use]
    pub fn durable_postgres() -> Option<Self> {
        cluster::DURABLE.store(true, Ordering::Relaxed);
        let database = Self::postgres()?;
        let kept = database.psql("SELECT current_setting('fsync') || current_setting('synchronous_commit')");
        assert_eq!(kept, "onon", "the server of this process was started before, without waiting for the disk");
        Some(database)
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

    /// What the program `pgbench` prints that runs this script, for measures beside others. Fails the test with SQLite.
    #[must_use]
    pub fn pgbench(&self, args: &[&str], script: &str) -> String {
        match (self.engine, Cluster::of_this_process()) {
            (Engine::Postgres, Ok(cluster)) => cluster.pgbench(self.url.as_str(), args, script),
            _ => panic!("pgbench speaks with PostgreSQL only"),
        }
    }
}

fn parse(url: &str) -> Url {
    url.parse().unwrap_or_else(|error| panic!("{url}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::path::Path;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    use super::*;

    #[test]
    fn databases_are_empty_and_ones_own() {
        let Some(first) = TestDatabase::postgres() else { return };
        let Some(second) = TestDatabase::postgres() else { return };
        assert_eq!(first.psql("CREATE TABLE a (b INT); SELECT count(*) FROM a"), "0");
        assert_eq!(second.psql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
        assert_ne!(TestDatabase::sqlite().url(), TestDatabase::sqlite().url());
    }

    /// Run by the test below in a process of its own, which is killed.
    #[test]
    #[ignore = "waits to be killed"]
    fn holds_a_server() {
        if let Ok(cluster) = Cluster::of_this_process() {
            println!("\nserver {}", cluster.url(""));
        }
        loop {
            std::thread::park();
        }
    }

    #[tokio::test]
    async fn the_server_ends_with_a_process_that_is_killed() {
        if Cluster::of_this_process().is_err() {
            crate::skip!(Need::Postgres, "no server to kill");
        }
        let mut holder = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "database::tests::holds_a_server"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(holder.stdout.take().unwrap()).lines();
        let url = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("server ").map(str::to_owned)).unwrap();
        let folder = parse(&url).query_pairs().find_map(|(name, value)| (name == "host").then(|| value.into_owned()));
        let folder = folder.unwrap();
        assert!(Path::new(&folder).join(".s.PGSQL.5432").exists(), "it runs");
        holder.kill().unwrap();
        holder.wait().unwrap();
        let gone = async || (!Path::new(&folder).exists()).then_some(());
        crate::eventually(Duration::from_secs(30), gone).await;
    }
}
