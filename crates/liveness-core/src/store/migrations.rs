//! Brings the schema up to date. The migrations are compiled in; each engine has a tree of its own, of equal names.

use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use super::connection::{Connection, Purpose};
use super::error::StoreError;
use super::postgres::PostgresSettings;

const SQLITE: EmbeddedMigrations = embed_migrations!("../../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../../migrations/postgres");

/// Nodes that begin at once take turns: SQLite has one writer, and PostgreSQL is asked for a lock. Its number means
/// nothing; it is ours.
const TAKE_TURNS: &str = "SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(5496712038112)";

pub(super) fn run(conn: &mut Connection<'_>, settings: &PostgresSettings) -> Result<(), StoreError> {
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
        Ok(applied.iter().map(ToString::to_string).collect::<Vec<_>>())
    });
    for version in applied? {
        log::info!("migrated the database to {version}");
    }
    Ok(())
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
