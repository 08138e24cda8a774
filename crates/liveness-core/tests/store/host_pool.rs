//! A backend that embeds the store brings a pool of its own, with tables of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up ends there")]

use diesel::RunQueryDsl as _;
use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::sql_types::BigInt;
use liveness_core::store::{SqlitePool, SqliteSettings, Store};
use tempfile::TempDir;

use crate::database::recording;

/// A backend with a table of invoices.
pub(crate) struct Host {
    pool: SqlitePool,
    _folder: TempDir,
}

impl Host {
    pub(crate) fn new(connections: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pool = Pool::builder()
            .max_size(connections)
            .connection_customizer(Box::new(SqliteSettings::default()))
            .build(ConnectionManager::new(folder.path().join("own.db").to_string_lossy()))
            .unwrap();
        let host = Self { pool, _folder: folder };
        host.execute("CREATE TABLE invoices (id INTEGER PRIMARY KEY); INSERT INTO invoices VALUES (1), (2), (3)");
        host
    }

    pub(crate) fn migrated_store(&self) -> Store {
        let store = Store::from_sqlite_pool(self.pool.clone()).unwrap();
        store.migrate().unwrap();
        store
    }

    pub(crate) fn execute(&self, statements: &str) {
        self.pool.get().unwrap().batch_execute(statements).unwrap();
    }

    pub(crate) fn number(&self, query: &str) -> i64 {
        sql::<BigInt>(query).get_result(&mut self.pool.get().unwrap()).unwrap()
    }
}

#[tokio::test]
async fn a_pool_with_the_settings_records_beside_the_hosts_tables() {
    let host = Host::new(2);
    let store = host.migrated_store();

    let recorded = store.record(recording(1, "session-1")).await.unwrap();

    assert_eq!(recorded.check.id, 1);
    assert_eq!(host.number("SELECT count(*) FROM invoices"), 3);
    let others = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'liveness_%' \
         AND name NOT IN ('invoices', '__diesel_schema_migrations')";
    assert_eq!(host.number(others), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_of_one_connection_serves_reads_and_writes_at_once() {
    let host = Host::new(1);
    let store = host.migrated_store();
    let calls: Vec<_> = (1..=16)
        .map(|user| {
            let store = store.clone();
            tokio::spawn(async move {
                store.record(recording(user, &format!("session-{user}"))).await?;
                store.users(vec![user]).await
            })
        })
        .collect();

    for call in calls {
        call.await.unwrap().unwrap();
    }

    assert_eq!(host.number("SELECT count(*) FROM liveness_checks"), 16);
}

#[test]
fn migrating_again_changes_nothing() {
    let host = Host::new(1);
    let store = host.migrated_store();
    let version = host.number("PRAGMA schema_version");

    store.migrate().unwrap();

    assert_eq!(host.number("PRAGMA schema_version"), version);
}

#[test]
fn a_pool_without_the_settings_is_refused_by_what_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.db");
    let pool = Pool::builder()
        .max_size(1)
        .build(ConnectionManager::new(path.to_string_lossy()))
        .unwrap();

    let refused = Store::from_sqlite_pool(pool).unwrap_err().to_string();

    let expected = "the database's connections have journal_mode=delete, synchronous=2, foreign_keys=1; \
         they need wal, 2 (FULL) and 1, as SqliteSettings sets them";
    assert_eq!(refused, expected);
}

#[test]
fn a_pool_in_memory_is_refused() {
    let settings = Box::new(SqliteSettings::default());
    let pool = Pool::builder()
        .max_size(1)
        .connection_customizer(settings)
        .build(ConnectionManager::new(":memory:"))
        .unwrap();

    let refused = Store::from_sqlite_pool(pool).unwrap_err().to_string();

    assert!(refused.contains("journal_mode=memory"), "{refused}");
}
