//! The store against real databases: every test runs with SQLite and with PostgreSQL.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed expectation is a failed test")]

/// Makes a test of each named function for each engine.
macro_rules! on_both_engines {
    ($($name:ident)*) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    super::$name(&testkit::TestDatabase::sqlite()).await;
                }
            )*
        }
        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let Some(database) = testkit::TestDatabase::postgres() else { return };
                    super::$name(&database).await;
                }
            )*
        }
    };
}

mod commit;
mod fixture;
mod lease;
mod ledger;
mod presence;
mod read;
mod receipt;
mod request;
mod rewind;
mod schema;
mod sign_in;
