//! Brings the schema up to date. The migrations are part of the program. Each engine has a folder of migrations of its
//! own, with the same names.

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::backend::Backend;
use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::migration::MigrationSource;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::{Connection, Purpose, on_either};
use super::error::StoreError;
use super::postgres::PostgresSettings;

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// The advisory lock of a migration, so that nodes migrate one after the other. The number has no meaning.
const LOCK: i64 = 5_496_712_038_112;
/// The time between two tries to take the lock. A node must not wait for the lock inside a statement: CREATE INDEX
/// CONCURRENTLY waits for every statement that has begun, so two nodes would wait for each other.
const TURN: Duration = Duration::from_millis(100);

/// Runs the migrations that the database lacks, and returns their names.
///
/// On SQLite, all migrations run in one transaction. On PostgreSQL, each migration runs in a transaction of its own,
/// unless its `metadata.toml` says that it runs outside a transaction.
///
/// On PostgreSQL, `distribute` runs after the migrations.
pub(crate) fn run(
    conn: &mut Connection<'_>,
    settings: &PostgresSettings,
    distribute: fn(&mut PgConnection) -> Result<(), StoreError>,
) -> Result<Vec<String>, StoreError> {
    let names = names()?;
    let applied = match conn {
        Connection::Sqlite(_) => conn.transaction(Purpose::Write, |conn| match conn {
            Connection::Sqlite(conn) => apply(*conn, SQLITE),
            Connection::Postgres(conn) | Connection::Citus(conn) => apply(*conn, POSTGRES),
        }),
        Connection::Postgres(postgres) | Connection::Citus(postgres) => {
            let applied = on_postgres(postgres, settings, distribute);
            // The session ends with this connection, and with it the lock and the settings.
            conn.spoil();
            applied
        }
    }?;
    if let (Connection::Sqlite(_), false) = (&*conn, applied.is_empty()) {
        // The file holds all of it from now on, without the log beside it, however this process ends.
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
    }
    let name = |version: &String| names.get(version).unwrap_or(version).clone();
    let applied: Vec<_> = applied.iter().map(name).collect();
    for name in &applied {
        log::info!("migrated the database to {name}");
    }
    Ok(applied)
}

/// Applies the migrations that the database lacks, and returns their versions.
fn apply<DB: Backend>(
    harness: &mut impl MigrationHarness<DB>,
    migrations: EmbeddedMigrations,
) -> Result<Vec<String>, StoreError> {
    let applied = harness
        .run_pending_migrations(migrations)
        .map_err(StoreError::internal)?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

fn on_postgres(
    conn: &mut PgConnection,
    settings: &PostgresSettings,
    distribute: fn(&mut PgConnection) -> Result<(), StoreError>,
) -> Result<Vec<String>, StoreError> {
    check(conn, settings)?;
    conn.batch_execute("SET lock_timeout = 0")?;
    while !sql::<Bool>(&format!("SELECT pg_try_advisory_lock({LOCK})")).get_result(conn)? {
        std::thread::sleep(TURN);
    }
    if let Some(schema) = settings.quoted_schema() {
        // A table without a schema in its name is created in the first schema of the search path.
        conn.batch_execute(&format!(
            "CREATE SCHEMA IF NOT EXISTS {schema}; SET search_path = {schema}"
        ))?;
    }
    drop_invalid_indexes(conn)?;
    let applied = apply(conn, POSTGRES)?;
    distribute(conn)?;
    Ok(applied)
}

/// Drops invalid indexes. An interrupted CREATE INDEX CONCURRENTLY leaves one. No query uses it, and the next try to
/// create the index would fail.
fn drop_invalid_indexes(conn: &mut PgConnection) -> Result<(), StoreError> {
    let invalid = "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid \
        JOIN pg_namespace ON pg_namespace.oid = relnamespace \
        WHERE NOT indisvalid AND relname LIKE 'liveness\\_%' AND nspname = current_schema()";
    let invalid: Vec<String> = sql::<Text>(invalid).load(conn)?;
    for index in invalid {
        conn.batch_execute(&format!("DROP INDEX {index}"))?;
    }
    Ok(())
}

/// The names of the migrations that the database lacks, and the versions in the database that this program does not
/// know, and must not run with.
pub(crate) fn state(conn: &mut Connection<'_>) -> Result<(Vec<String>, Vec<String>), StoreError> {
    let mut names = names()?;
    let newest = names.keys().next_back().cloned().unwrap_or_default();
    let mut unknown = Vec::new();
    for version in applied(conn)? {
        if names.remove(&version).is_none() {
            unknown.push(version);
        }
    }
    if !unknown.is_empty() {
        let compatible = compatible_with(conn, &newest)?;
        unknown.retain(|version| !compatible.contains(version));
    }
    Ok((names.into_values().collect(), unknown))
}

/// Refuses a database with a migration that this program must not run with.
pub(crate) fn refuse_newer(conn: &mut Connection<'_>) -> Result<(), StoreError> {
    match state(conn)?.1.first() {
        None => Ok(()),
        Some(version) => Err(StoreError::internal(format!(
            "its schema is newer than this program, with migration {version}; install the version that made it, or a \
             later one"
        ))),
    }
}

/// The versions of migrations that a program may run with, though it does not know them, because it knows `newest`.
///
/// A migration says so itself, if programs of before it neither miss what it takes away nor have to write what it adds.
/// It adds a row with its own version, and with that of the newest migration that the oldest of these programs knows:
///
/// ```sql
/// CREATE TABLE IF NOT EXISTS liveness_compatible_migrations (version TEXT PRIMARY KEY, oldest_program TEXT NOT NULL);
/// INSERT INTO liveness_compatible_migrations VALUES ('20270101000000', '20261129120500');
/// ```
fn compatible_with(conn: &mut Connection<'_>, newest: &str) -> Result<Vec<String>, StoreError> {
    if !has_table(conn, "liveness_compatible_migrations")? {
        return Ok(Vec::new());
    }
    let rows = sql::<(Text, Text)>("SELECT version, oldest_program FROM liveness_compatible_migrations");
    let rows: Vec<(String, String)> = on_either!(conn, |conn| rows.load(*conn))?;
    let compatible = rows.into_iter().filter(|(_, oldest)| oldest.as_str() <= newest);
    Ok(compatible.map(|(version, _)| version).collect())
}

/// Whether there is a table of this name, on PostgreSQL in the search path.
pub(crate) fn has_table(conn: &mut Connection<'_>, name: &str) -> Result<bool, StoreError> {
    let tables = match conn {
        Connection::Sqlite(_) => format!("SELECT count(*) FROM sqlite_master WHERE name = '{name}'"),
        Connection::Postgres(_) | Connection::Citus(_) => {
            format!("SELECT count(*) FROM pg_class WHERE oid = to_regclass('{name}')")
        }
    };
    let tables: i64 = on_either!(conn, |conn| sql::<BigInt>(&tables).get_result(*conn))?;
    Ok(tables > 0)
}

/// The versions that were applied to the database. diesel's own query would create the table of versions.
fn applied(conn: &mut Connection<'_>) -> Result<Vec<String>, StoreError> {
    if !has_table(conn, "__diesel_schema_migrations")? {
        return Ok(Vec::new());
    }
    let versions = sql::<Text>("SELECT version FROM __diesel_schema_migrations ORDER BY version");
    Ok(on_either!(conn, |conn| versions.load(*conn))?)
}

/// The names of the migrations by their versions. They are the same for both engines.
fn names() -> Result<BTreeMap<String, String>, StoreError> {
    let migrations = MigrationSource::<diesel::sqlite::Sqlite>::migrations(&SQLITE).map_err(StoreError::internal)?;
    let named = migrations.iter().map(|migration| {
        let name = migration.name();
        (name.version().to_string(), name.to_string())
    });
    Ok(named.collect())
}

/// Refuses a database that cannot store every text, and a database where tables in another schema would hide our
/// tables.
fn check(conn: &mut PgConnection, settings: &PostgresSettings) -> Result<(), StoreError> {
    let encoding: String = sql::<Text>("SELECT current_setting('server_encoding')").get_result(conn)?;
    if encoding != "UTF8" {
        return Err(StoreError::internal(format!(
            "its encoding is {encoding}, but must be UTF8"
        )));
    }
    let found = "SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = to_regclass('liveness_checks')";
    let found: Option<String> = sql::<Text>(found).get_result(conn).optional()?;
    match (found, settings.schema()) {
        (Some(found), Some(own)) if found.trim_matches('"') != own => Err(StoreError::internal(format!(
            "schema {found}, which comes before {own} in the search path, has liveness tables of its own"
        ))),
        _ => Ok(()),
    }
}
