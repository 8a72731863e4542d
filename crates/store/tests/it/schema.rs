//! The tables themselves.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Database};
use store::{Store, StoreConfig, StoreError};
use testkit::TestDatabase;

use crate::fixture::{batch, begun, chance, open};

on_both_engines! {
    opening_again_changes_nothing
    two_gateways_may_start_at_once
    a_newer_database_is_refused
}

async fn opening_again_changes_nothing(database: &TestDatabase) {
    let store = begun(database).await;
    store.commit(&batch(&[chance(31).block(1, true)])).await.unwrap();
    let text = store.dump_index().await.unwrap();
    let raw = Database::connect(database.url().to_string()).await.unwrap();
    let applied = || async {
        let rows = raw.query_all_raw(sea_orm::Statement::from_string(
            raw.get_database_backend(),
            "SELECT version, applied_at FROM seaql_migrations ORDER BY version",
        ));
        let rows = rows.await.unwrap();
        rows.iter()
            .map(|row| row.try_get_many::<(String, i64)>("", &["version".into(), "applied_at".into()]))
            .collect::<Result<Vec<_>, _>>()
            .unwrap()
    };
    let before = applied().await;
    assert_eq!(
        before.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["m0001_index", "m0002_own", "m0003_keys", "m0004_ledger", "m0005_x402", "m0006_court"]
    );
    let again = open(database).await;
    assert_eq!(applied().await, before);
    assert_eq!(again.dump_index().await.unwrap(), text);
    again.ping().await.unwrap();
    again.close().await.unwrap();
    assert!(again.ping().await.is_err_and(|error| error.is_retryable()));
}

async fn two_gateways_may_start_at_once(database: &TestDatabase) {
    let config = StoreConfig::new(database.url());
    let opened = tokio::join!(Store::open(&config), Store::open(&config), Store::open(&config));
    for store in [opened.0, opened.1, opened.2] {
        store.unwrap().ping().await.unwrap();
    }
}

async fn a_newer_database_is_refused(database: &TestDatabase) {
    open(database).await.close().await.unwrap();
    let raw = Database::connect(database.url().to_string()).await.unwrap();
    raw.execute_unprepared("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 1)")
        .await
        .unwrap();
    let refused = Store::open(&StoreConfig::new(database.url())).await.unwrap_err();
    assert!(matches!(&refused, StoreError::NewerSchema { version } if version == "m9999_later"), "{refused}");
    assert!(!refused.is_retryable());
}

#[tokio::test]
async fn psql_shows_what_each_table_and_column_means() {
    let Some(database) = TestDatabase::postgres() else { return };
    open(&database).await;
    let silent = "SELECT c.relname || '.' || COALESCE(a.attname, '') FROM pg_class c \
        JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public' \
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
        WHERE c.relkind = 'r' AND (obj_description(c.oid, 'pg_class') IS NULL \
        OR col_description(c.oid, a.attnum) IS NULL)";
    assert_eq!(database.psql(silent), "", "tables and columns without a comment");
    let tables =
        database.psql("SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace");
    assert_eq!(tables, "37");
    let shown = database.psql("\\d+ jobs");
    assert!(shown.contains("Everything locked, extensions included, in smallest units."), "{shown}");
}

#[tokio::test]
async fn addresses_that_cannot_be_used_are_refused() {
    for (url, retryable) in [
        ("mysql://a@b/c", false),
        ("sqlite::memory:", false),
        ("sqlite:", false),
        ("sqlite:///nowhere/at/all.sqlite", true),
        ("postgres://me:secret@127.0.0.1:1/none", true),
    ] {
        let config =
            StoreConfig { acquire_within: Duration::from_millis(300), ..StoreConfig::new(url.parse().unwrap()) };
        let refused = Store::open(&config).await.unwrap_err();
        assert_eq!(refused.is_retryable(), retryable, "{url}: {refused:?}");
        assert_eq!(matches!(refused, StoreError::Unreachable { .. }), retryable, "{url}: {refused:?}");
        assert!(!format!("{refused} {refused:?}").contains("secret"), "{refused:?}");
    }
}
