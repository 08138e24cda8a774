//! A backend that embeds the store has its own pool and its own tables.

use diesel::PgConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Error, Pool};
use liveness_core::store::{
    GroupCommit, PostgresPool, PostgresSettings, SqlitePool, SqliteSettings, Store, StoreError,
};

use crate::database::{Place, on_each_engine};
use crate::samples::{at_once, recording};

pub(crate) fn sqlite_pool(place: &Place, connections: u32) -> SqlitePool {
    Pool::builder()
        .max_size(connections)
        .connection_customizer(Box::new(SqliteSettings::default()))
        .build(ConnectionManager::new(place.path().to_string_lossy()))
        .unwrap()
}

pub(crate) fn postgres_pool(
    place: &Place,
    connections: u32,
    settings: impl CustomizeConnection<PgConnection, Error>,
) -> PostgresPool {
    Pool::builder()
        .max_size(connections)
        .connection_customizer(Box::new(settings))
        .build(ConnectionManager::new(place.url()))
        .unwrap()
}

/// Leaves connections as they come, without the settings of the store.
#[derive(Debug)]
pub(crate) struct AsTheyCome;

impl CustomizeConnection<PgConnection, Error> for AsTheyCome {}

/// Creates a table of the backend.
pub(crate) const INVOICES: &str =
    "CREATE TABLE invoices (id INTEGER PRIMARY KEY); INSERT INTO invoices VALUES (1), (2), (3)";

/// A store on the pool of a backend, in a database with the backend's table of invoices.
fn embedded(place: &Place, connections: u32) -> Store {
    place.execute(INVOICES);
    let store = match place {
        Place::File(_) => Store::from_sqlite_pool(sqlite_pool(place, connections)),
        Place::Server(_) => {
            let settings = PostgresSettings::default();
            Store::from_postgres_pool(postgres_pool(place, connections, settings.clone()), settings)
        }
    };
    let store = store.unwrap();
    store.migrate().unwrap();
    store
}

/// The names of all tables, in alphabetical order.
fn tables(place: &Place) -> Vec<String> {
    place.texts(place.pick(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
    ))
}

async fn a_pool_with_the_settings_records_beside_the_hosts_tables(place: Place) {
    let store = embedded(&place, 2);

    let recorded = store.checks().record(recording(1, "session-1")).await.unwrap();

    assert_eq!(recorded.check.id, 1);
    assert_eq!(place.number("SELECT count(*) FROM invoices"), 3);
    let mut others = tables(&place);
    others.retain(|name| !name.starts_with("liveness_"));
    assert_eq!(others, ["__diesel_schema_migrations", "invoices"]);
}

async fn a_pool_of_one_connection_serves_reads_and_writes_at_once(place: Place) {
    let store = embedded(&place, 1);
    let calls = (1..=16).map(|user| {
        let store = store.clone();
        async move {
            store
                .checks()
                .record(recording(user, &format!("session-{user}")))
                .await?;
            store.users().find(vec![user]).await
        }
    });

    for answer in at_once(calls).await {
        answer.unwrap();
    }

    assert_eq!(place.number("SELECT count(*) FROM liveness_checks"), 16);
}

async fn a_host_may_say_how_writes_are_collected(place: Place) {
    let settings = GroupCommit {
        queue: 0,
        ..GroupCommit::default()
    };

    let store = embedded(&place, 2).with_group_commit(settings).unwrap();

    let refused = store.checks().record(recording(1, "session-1")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    let store = store.with_group_commit(GroupCommit::default()).unwrap();
    assert!(store.checks().record(recording(1, "session-1")).await.is_ok());
}

async fn migrating_again_changes_nothing(place: Place) {
    let store = embedded(&place, 1);
    let version = place.pick(
        "SELECT schema_version FROM pragma_schema_version",
        "SELECT max(xmin::text::bigint) FROM pg_class",
    );
    let before = place.number(version);

    store.migrate().unwrap();

    assert_eq!(place.number(version), before);
    place.execute("CREATE TABLE receipts (id INTEGER PRIMARY KEY)");
    assert_ne!(place.number(version), before);
}

#[test]
fn an_sqlite_pool_without_the_settings_is_refused_by_what_it_needs() {
    let place = Place::file();
    let pool = Pool::builder()
        .max_size(1)
        .build(ConnectionManager::new(place.path().to_string_lossy()))
        .unwrap();

    let refused = Store::from_sqlite_pool(pool).unwrap_err().to_string();

    let expected = "the database's connections have journal_mode=delete, synchronous=2, foreign_keys=1; \
         they need wal, 2 (FULL) and 1, as SqliteSettings sets them";
    assert_eq!(refused, expected);
}

#[test]
fn an_sqlite_pool_in_memory_is_refused() {
    let settings = Box::new(SqliteSettings::default());
    let pool = Pool::builder()
        .max_size(1)
        .connection_customizer(settings)
        .build(ConnectionManager::new(":memory:"))
        .unwrap();

    let refused = Store::from_sqlite_pool(pool).unwrap_err().to_string();

    assert!(refused.contains("journal_mode=memory"), "{refused}");
}

on_each_engine! {
    a_pool_with_the_settings_records_beside_the_hosts_tables,
    a_pool_of_one_connection_serves_reads_and_writes_at_once,
    a_host_may_say_how_writes_are_collected,
    migrating_again_changes_nothing,
}
