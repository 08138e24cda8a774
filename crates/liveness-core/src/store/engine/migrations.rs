//! Brings the schema up to date. The migrations are part of the program. Each engine has a folder of migrations of its
//! own, with the same names.

mod blockers;
mod state;

use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::migration::Migration;
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

pub(crate) use self::blockers::Companion;
pub(crate) use self::state::{SchemaState, has_table, state};

use self::blockers::{Blockers, while_watched};
use self::state::names;
use super::connection::{Connection, Purpose};
use super::error::StoreError;
use super::postgres::PostgresSettings;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The advisory lock of a migration, so that nodes migrate one after the other. The number has no meaning.
const LOCK: i64 = 5_496_712_038_112;
/// The time between two tries to take the lock. A node must not wait for the lock inside a statement: CREATE INDEX
/// CONCURRENTLY waits for every statement that has begun, so two nodes would wait for each other.
const TURN: Duration = Duration::from_millis(100);
/// The tries after which the log says who has the lock.
const PATIENT_TRIES: u32 = 10;
/// How long a migration in a transaction waits for a lock of another session. Meanwhile all other sessions wait behind
/// it, so it gives up soon, and begins again after a pause.
const LOCK_TIMEOUT: &str = "SET lock_timeout = '2s'";
/// CREATE INDEX CONCURRENTLY holds nobody up while it waits for older transactions, and must not begin again.
const NO_LOCK_TIMEOUT: &str = "SET lock_timeout = 0";
/// The pause of a migration that could not have a lock.
const PAUSE: Duration = Duration::from_secs(2);

/// How the tables are spread over the nodes of a Citus cluster.
pub(crate) struct Sharding {
    /// Whether the tables should be sharded, and are not.
    pub(crate) is_due: fn(&mut PgConnection) -> Result<bool, StoreError>,
    /// Shards the tables.
    pub(crate) shard: fn(&mut PgConnection) -> Result<(), StoreError>,
}

/// Runs the migrations that the database lacks, and returns their names. A database that lacks none is only read.
///
/// On SQLite, all migrations run in one transaction. On PostgreSQL, each migration runs in a transaction of its own,
/// unless its `metadata.toml` says that it runs outside a transaction. After them, the tables are sharded.
///
/// On PostgreSQL, this waits for other nodes that migrate, and for other sessions that use the tables. The log says which
/// sessions these are. `companion` lends a second connection for that.
pub(crate) fn run(
    conn: &mut Connection<'_>,
    settings: &PostgresSettings,
    sharding: &Sharding,
    companion: impl FnOnce() -> Option<Companion>,
) -> Result<Vec<String>, StoreError> {
    let names = names()?;
    let is_up_to_date = state(conn, settings)?.lacking.is_empty();
    let applied = match conn {
        Connection::Sqlite(_) if is_up_to_date => Vec::new(),
        Connection::Sqlite(_) => {
            let applied = conn.transaction(Purpose::Write, on_sqlite)?;
            // The file holds all of it from now on, without the log beside it, however this process ends.
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")?;
            applied
        }
        Connection::Postgres(postgres) | Connection::Citus(postgres) => {
            check(postgres, settings)?;
            if is_up_to_date && !(sharding.is_due)(postgres)? {
                return Ok(Vec::new());
            }
            let applied = on_postgres(postgres, settings, sharding, companion());
            // The session ends with this connection, and with it the lock and the settings.
            conn.spoil();
            applied?
        }
    };
    let name = |version: &String| names.get(version).unwrap_or(version).clone();
    let applied: Vec<_> = applied.iter().map(name).collect();
    for name in &applied {
        log::info!("migrated the database to {name}");
    }
    Ok(applied)
}

fn on_sqlite(conn: &mut Connection<'_>) -> Result<Vec<String>, StoreError> {
    let Connection::Sqlite(conn) = conn else {
        return Ok(Vec::new());
    };
    let applied = conn.run_pending_migrations(SQLITE).map_err(StoreError::internal)?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

fn on_postgres(
    conn: &mut PgConnection,
    settings: &PostgresSettings,
    sharding: &Sharding,
    companion: Option<Companion>,
) -> Result<Vec<String>, StoreError> {
    take_turn(conn)?;
    if let Some(schema) = settings.quoted_schema() {
        // A table without a schema in its name is created in the first schema of the search path.
        conn.batch_execute(&format!(
            "CREATE SCHEMA IF NOT EXISTS {schema}; SET search_path = {schema}"
        ))?;
    }
    let process_id = sql::<Integer>("SELECT pg_backend_pid()").get_result(conn)?;
    while_watched(process_id, companion, || {
        conn.batch_execute(NO_LOCK_TIMEOUT)?;
        drop_invalid_indexes(conn)?;
        let mut applied = Vec::new();
        for migration in conn.pending_migrations(POSTGRES).map_err(StoreError::internal)? {
            applied.push(apply(conn, &*migration)?);
        }
        conn.batch_execute(NO_LOCK_TIMEOUT)?;
        (sharding.shard)(conn)?;
        Ok(applied)
    })
}

/// Waits until no other node migrates.
fn take_turn(conn: &mut PgConnection) -> Result<(), StoreError> {
    let mut blockers = Blockers::default();
    let mut tries = 0;
    while !sql::<Bool>(&format!("SELECT pg_try_advisory_lock({LOCK})")).get_result(conn)? {
        tries += 1;
        if tries >= PATIENT_TRIES {
            // A lock of a 64-bit number is told by its two halves.
            let holder = format!(
                "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 \
                 AND classid = {} AND objid = {} \
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
                LOCK >> 32,
                LOCK & 0xFFFF_FFFF
            );
            blockers.name(conn, &holder);
        }
        thread::sleep(TURN);
    }
    Ok(())
}

/// Applies a migration, and returns its version. Begins again when it could not have a lock.
fn apply(conn: &mut PgConnection, migration: &dyn Migration<Pg>) -> Result<String, StoreError> {
    let is_in_transaction = migration.metadata().run_in_transaction();
    conn.batch_execute(if is_in_transaction {
        LOCK_TIMEOUT
    } else {
        NO_LOCK_TIMEOUT
    })?;
    loop {
        match conn.run_migration(migration) {
            Ok(version) => return Ok(version.to_string()),
            Err(error) if is_in_transaction && is_of_a_lock(&error.to_string()) => thread::sleep(PAUSE),
            Err(error) => return Err(StoreError::internal(error)),
        }
    }
}

/// Whether a migration failed because it could not have a lock.
fn is_of_a_lock(message: &str) -> bool {
    message.contains("lock timeout") || message.contains("deadlock detected")
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
