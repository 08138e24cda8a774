//! What a database says of itself, as plain facts. The caller decides what they mean.

use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::sqlite::SqliteConnection;

use super::citus;
use super::connection::{Connection, Purpose};
use super::error::{StoreError, one_line};
use super::migrations;
use super::postgres::PostgresSettings;
use super::statement_log::{LoggedValues, logged_values};
use crate::Timestamp;

/// What a database says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// The engine and its version.
    pub engine: String,
    /// Names of the migrations that it lacks.
    pub lacking_migrations: Vec<String>,
    /// Versions of migrations that this program does not know: it is older than the database.
    pub unknown_migrations: Vec<String>,
    /// Which question of the messages it refuses and why, if it refuses one. Each was asked to know.
    pub read_refusal: Option<String>,
    /// Why it cannot be written to, if it cannot. Something was written to know, and taken back.
    pub write_refusal: Option<String>,
    /// What this program's role may do to rows that it never changes: `liveness_checks: DELETE`. Empty where there are no
    /// roles.
    pub excess_rights: Vec<String>,
    /// The settings on which it depends whether a commit outlives a power cut.
    pub durability: Vec<Setting>,
    /// Whether the role sees how far the synchronous standbys are; none where there are none.
    pub sees_standbys: Option<bool>,
    /// The settings by which values of our statements reach the log of the server; none where there is no server.
    pub logged_values: Vec<LoggedValues>,
    /// When the newest record was made.
    pub newest_check: Option<Timestamp>,
    /// The time by the server's clock; none where there is no server.
    pub clock: Option<Timestamp>,
    /// The most connections that the server takes; none where there is no server.
    pub max_connections: Option<i64>,
    /// Whether this connection to the server is encrypted; none where there is no server.
    pub is_encrypted: Option<bool>,
}

/// A setting of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub value: String,
    /// Whether commits are durable with it.
    pub is_durable: bool,
}

/// A question to the database, by the name that an operator reads.
pub(crate) type Question = (&'static str, fn(&mut Connection<'_>) -> Result<(), StoreError>);

/// Asks the database. The `questions` are asked where the schema is there. `write` is tried and rolled back, to see whether
/// the database can be written to. The rows of the tables `kept` are never changed,
/// but for the column that is named beside the table.
pub(crate) fn diagnose(
    conn: &mut Connection<'_>,
    settings: &PostgresSettings,
    newest_check: fn(&mut Connection<'_>) -> Result<Option<Timestamp>, StoreError>,
    questions: &[Question],
    write: fn(&mut Connection<'_>) -> Result<(), StoreError>,
    kept: &[(&str, &str)],
) -> Result<Diagnosis, StoreError> {
    let schema = migrations::state(conn, settings)?;
    let has_schema = schema.lacking.is_empty();
    let about = match conn {
        Connection::Sqlite(conn) => of_sqlite(conn)?,
        Connection::Postgres(conn) => of_postgres(conn)?,
        Connection::Citus(conn) => {
            let about = of_postgres(conn)?;
            let version = citus::version(conn)?;
            Diagnosis {
                engine: format!("{} with Citus {version}", about.engine),
                ..about
            }
        }
    };
    let read_refusal = read_refusal(conn, if has_schema { questions } else { &[] })?;
    let is_read = has_schema && read_refusal.is_none();
    let newest_check = if is_read { newest_check(conn)? } else { None };
    Ok(Diagnosis {
        excess_rights: excess_rights(conn, kept)?,
        lacking_migrations: schema.lacking,
        unknown_migrations: schema.unknown,
        read_refusal,
        write_refusal: write_refusal(conn, if has_schema { write } else { create_table }),
        newest_check,
        ..about
    })
}

/// Asks until a question is refused. A connection that breaks refuses none.
fn read_refusal(conn: &mut Connection<'_>, questions: &[Question]) -> Result<Option<String>, StoreError> {
    for (name, ask) in questions {
        match ask(conn) {
            Err(error) if error.is_of_the_connection() => return Err(error),
            Err(error) => return Ok(Some(format!("{name}: {}", one_line(&error.cause())))),
            Ok(()) => {}
        }
    }
    Ok(None)
}

/// Writes something and rolls it back.
fn write_refusal(
    conn: &mut Connection<'_>,
    write: fn(&mut Connection<'_>) -> Result<(), StoreError>,
) -> Option<String> {
    let mut tried = None;
    let ended = conn.transaction(Purpose::Write, |conn| {
        tried = Some(write(conn));
        Err::<(), _>(StoreError::internal("it was only tried"))
    });
    let refused = tried.unwrap_or(ended).err()?;
    Some(one_line(&refused.cause()))
}

fn create_table(conn: &mut Connection<'_>) -> Result<(), StoreError> {
    Ok(conn.execute("CREATE TABLE liveness_doctor (id INTEGER NOT NULL)")?)
}

/// Asks PostgreSQL what the role may do to the rows of tables, besides reading them and adding more.
fn excess_rights(conn: &mut Connection<'_>, kept: &[(&str, &str)]) -> Result<Vec<String>, StoreError> {
    let (Connection::Postgres(conn) | Connection::Citus(conn)) = conn else {
        return Ok(Vec::new());
    };
    let kept = kept
        .iter()
        .map(|(table, column)| format!("(to_regclass('{table}'), '{column}')"));
    let kept: Vec<_> = kept.collect();
    let rights = format!(
        "SELECT relname || ': ' || string_agg(verb, ', ' ORDER BY verb) FROM (VALUES {}) AS kept (id, changes) \
         JOIN pg_class ON pg_class.oid = kept.id, unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS verb \
         WHERE has_table_privilege(pg_class.oid, verb) OR verb = 'UPDATE' AND EXISTS (SELECT FROM pg_attribute \
            WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped AND attname <> kept.changes \
            AND has_column_privilege(pg_class.oid, attnum, verb)) \
         GROUP BY relname ORDER BY relname",
        kept.join(", ")
    );
    Ok(sql::<Text>(&rights).load(*conn)?)
}

fn of_sqlite(conn: &mut SqliteConnection) -> Result<Diagnosis, StoreError> {
    let settings = "SELECT sqlite_version(), (SELECT journal_mode FROM pragma_journal_mode), \
        (SELECT synchronous FROM pragma_synchronous)";
    let (version, journal_mode, synchronous): (String, String, i64) =
        sql::<(Text, Text, BigInt)>(settings).get_result(conn)?;
    Ok(Diagnosis {
        durability: vec![
            Setting {
                name: "journal_mode",
                is_durable: journal_mode == "wal",
                value: journal_mode,
            },
            Setting {
                name: "synchronous",
                is_durable: synchronous >= 2,
                value: synchronous.to_string(),
            },
        ],
        ..nothing_of(format!("SQLite {version}"))
    })
}

fn of_postgres(conn: &mut PgConnection) -> Result<Diagnosis, StoreError> {
    let settings = "SELECT current_setting('server_version'), current_setting('fsync'), \
        current_setting('full_page_writes'), current_setting('synchronous_commit'), \
        current_setting('synchronous_standby_names'), current_setting('max_connections')::bigint, \
        (extract(epoch FROM clock_timestamp()) * 1000)::bigint, \
        coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false), \
        pg_has_role('pg_read_all_stats', 'USAGE')";
    type Row = (String, String, String, String, String, i64, i64, bool, bool);
    type Types = (Text, Text, Text, Text, Text, BigInt, BigInt, Bool, Bool);
    let row: Row = sql::<Types>(settings).get_result(conn)?;
    let (version, fsync, full_page_writes, synchronous_commit, standbys, max_connections, clock, ..) = row;
    let (.., is_encrypted, sees_all) = row;
    let is_on = |name, value: String| Setting {
        name,
        is_durable: value != "off",
        value,
    };
    // With one of these a commit does not wait until the standby has it on its disk.
    let sees_standbys = (!standbys.is_empty()).then_some(sees_all);
    let is_weak = !standbys.is_empty() && matches!(synchronous_commit.as_str(), "local" | "remote_write");
    let synchronous_commit = is_on("synchronous_commit", synchronous_commit);
    Ok(Diagnosis {
        durability: vec![
            is_on("fsync", fsync),
            is_on("full_page_writes", full_page_writes),
            Setting {
                is_durable: synchronous_commit.is_durable && !is_weak,
                ..synchronous_commit
            },
            // Without a standby there is none to lose commits by.
            is_on("synchronous_standby_names", standbys),
        ],
        sees_standbys,
        logged_values: logged_values(conn)?,
        clock: Timestamp::from_unix_millis(clock),
        max_connections: Some(max_connections),
        is_encrypted: Some(is_encrypted),
        ..nothing_of(format!("PostgreSQL {version}"))
    })
}

fn nothing_of(engine: String) -> Diagnosis {
    Diagnosis {
        engine,
        lacking_migrations: Vec::new(),
        unknown_migrations: Vec::new(),
        read_refusal: None,
        write_refusal: None,
        excess_rights: Vec::new(),
        durability: Vec::new(),
        sees_standbys: None,
        logged_values: Vec::new(),
        newest_check: None,
        clock: None,
        max_connections: None,
        is_encrypted: None,
    }
}
