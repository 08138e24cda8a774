//! Brings the schema up to date. The migrations are compiled in; each engine has a tree of its own, of equal names.

use std::collections::BTreeMap;

use diesel::dsl::sql;
use diesel::migration::MigrationSource;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use super::connection::{Connection, Purpose, on_either};
use super::error::StoreError;
use super::postgres::PostgresSettings;

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// Nodes that begin at once take turns: SQLite has one writer, and PostgreSQL is asked for a lock. Its number means
/// nothing; it is ours.
const TAKE_TURNS: &str = "SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(5496712038112)";

/// Runs the migrations that the database lacks, and gives back their names.
pub(crate) fn run(conn: &mut Connection<'_>, settings: &PostgresSettings) -> Result<Vec<String>, StoreError> {
    let names = names()?;
    let applied = conn.transaction(Purpose::Write, |conn| {
        if let Connection::Postgres(postgres) = conn {
            check(postgres, settings)?;
            conn.execute(TAKE_TURNS)?;
            if let Some(schema) = settings.quoted_schema() {
                // What is made without a schema's name is made in the first of the path.
                conn.execute(&format!(
                    "CREATE SCHEMA IF NOT EXISTS {schema}; SET LOCAL search_path = {schema}"
                ))?;
            }
        }
        let applied = match conn {
            Connection::Sqlite(conn) => conn.run_pending_migrations(SQLITE),
            Connection::Postgres(conn) => conn.run_pending_migrations(POSTGRES),
        };
        let applied = applied.map_err(StoreError::internal)?;
        let name = |version: String| names.get(&version).cloned().unwrap_or(version);
        Ok(applied
            .iter()
            .map(|version| name(version.to_string()))
            .collect::<Vec<_>>())
    })?;
    for name in &applied {
        log::info!("migrated the database to {name}");
    }
    Ok(applied)
}

/// The migrations that the database lacks, by name, and the versions in it that this program does not know.
pub(crate) fn state(conn: &mut Connection<'_>) -> Result<(Vec<String>, Vec<String>), StoreError> {
    let mut names = names()?;
    let mut unknown = Vec::new();
    for version in applied(conn)? {
        if names.remove(&version).is_none() {
            unknown.push(version);
        }
    }
    Ok((names.into_values().collect(), unknown))
}

/// Those that the database has. diesel's own question would make their table.
fn applied(conn: &mut Connection<'_>) -> Result<Vec<String>, StoreError> {
    let table = match conn {
        Connection::Sqlite(_) => "SELECT count(*) FROM sqlite_master WHERE name = '__diesel_schema_migrations'",
        Connection::Postgres(_) => {
            "SELECT count(*) FROM pg_class WHERE oid = to_regclass('__diesel_schema_migrations')"
        }
    };
    let tables: i64 = on_either!(conn, |conn| sql::<BigInt>(table).get_result(*conn))?;
    if tables == 0 {
        return Ok(Vec::new());
    }
    let versions = sql::<Text>("SELECT version FROM __diesel_schema_migrations ORDER BY version");
    Ok(on_either!(conn, |conn| versions.load(*conn))?)
}

/// The names of the migrations, which are the same for both engines, by their versions.
fn names() -> Result<BTreeMap<String, String>, StoreError> {
    let migrations = MigrationSource::<diesel::sqlite::Sqlite>::migrations(&SQLITE).map_err(StoreError::internal)?;
    let named = migrations.iter().map(|migration| {
        let name = migration.name();
        (name.version().to_string(), name.to_string())
    });
    Ok(named.collect())
}

/// Refuses a database that cannot hold every text, and tables in another schema that would hide ours.
fn check(conn: &mut PgConnection, settings: &PostgresSettings) -> Result<(), StoreError> {
    let encoding: String = sql::<Text>("SELECT current_setting('server_encoding')").get_result(conn)?;
    if encoding != "UTF8" {
        return Err(StoreError::internal(format!(
            "its encoding is {encoding}, and must be UTF8"
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
