//! Which migrations a database has, and whether this program may run with them.

use std::collections::BTreeMap;

use diesel::dsl::sql;
use diesel::migration::MigrationSource;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;

use super::SQLITE;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::engine::postgres::PostgresSettings;
use crate::store::engine::schema_gate::SchemaFit;

/// The difference between the migrations of a database and those of this program.
#[derive(Debug, Default)]
pub(crate) struct SchemaState {
    /// The names of the migrations that the database lacks.
    pub(crate) lacking: Vec<String>,
    /// The versions in the database that this program does not know, and must not run with.
    pub(crate) unknown: Vec<String>,
}

impl SchemaState {
    /// Whether this program may run with the schema.
    pub(crate) fn fit(&self) -> SchemaFit {
        if !self.unknown.is_empty() {
            SchemaFit::Newer
        } else if self.lacking.is_empty() {
            SchemaFit::Fits
        } else {
            SchemaFit::NotUpToDate
        }
    }
}

/// Looks at the schema. Changes nothing, and needs no more than the right to read.
pub(crate) fn state(conn: &mut Connection<'_>, settings: &PostgresSettings) -> Result<SchemaState, StoreError> {
    let mut names = names()?;
    let newest = names.keys().next_back().cloned().unwrap_or_default();
    let mut unknown = Vec::new();
    for version in applied(conn, settings)? {
        if names.remove(&version).is_none() {
            unknown.push(version);
        }
    }
    if !unknown.is_empty() {
        let compatible = compatible_with(conn, &newest)?;
        unknown.retain(|version| !compatible.contains(version));
    }
    Ok(SchemaState {
        lacking: names.into_values().collect(),
        unknown,
    })
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

/// The versions that were applied to the database. diesel's own query would create the table of versions.
fn applied(conn: &mut Connection<'_>, settings: &PostgresSettings) -> Result<Vec<String>, StoreError> {
    // An embedding backend may have a table of versions too, in another schema.
    let table = match settings.quoted_schema() {
        Some(schema) => format!("{schema}.__diesel_schema_migrations"),
        None => "__diesel_schema_migrations".to_owned(),
    };
    if !has_table(conn, &table)? {
        return Ok(Vec::new());
    }
    let versions = sql::<Text>(&format!("SELECT version FROM {table} ORDER BY version"));
    Ok(on_either!(conn, |conn| versions.load(*conn))?)
}

/// Whether there is a table of this name, on PostgreSQL in the search path.
pub(crate) fn has_table(conn: &mut Connection<'_>, name: &str) -> Result<bool, StoreError> {
    let name = name.replace('\'', "''");
    let tables = match conn {
        Connection::Sqlite(_) => format!("SELECT count(*) FROM sqlite_master WHERE name = '{name}'"),
        Connection::Postgres(_) | Connection::Citus(_) => {
            format!("SELECT count(*) FROM pg_class WHERE oid = to_regclass('{name}')")
        }
    };
    let tables: i64 = on_either!(conn, |conn| sql::<BigInt>(&tables).get_result(*conn))?;
    Ok(tables > 0)
}

/// The names of the migrations by their versions. They are the same for both engines.
pub(super) fn names() -> Result<BTreeMap<String, String>, StoreError> {
    let migrations = MigrationSource::<Sqlite>::migrations(&SQLITE).map_err(StoreError::internal)?;
    let named = migrations.iter().map(|migration| {
        let name = migration.name();
        (name.version().to_string(), name.to_string())
    });
    Ok(named.collect())
}
