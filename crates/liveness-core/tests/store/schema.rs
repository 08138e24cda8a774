//! The migrations make the schema that the queries believe in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::sql_types::{Integer, Text};
use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection};

use crate::database::{Database, audit_entry, jpeg, keyed};
use crate::recording::everything;

/// A column's name, its type, and whether it may be null.
type Column = (String, String, bool);

/// `schema.rs` is private to the crate, and its tables hide what is null, so the file itself is read.
#[expect(clippy::unwrap_used, reason = "the file is written by diesel, in one form")]
fn believed() -> BTreeMap<String, Vec<Column>> {
    let file = include_str!("../../src/store/schema.rs");
    let table = |text: &str| {
        let (head, columns) = text.split_once(") {\n").unwrap();
        let columns = columns
            .lines()
            .filter_map(|line| line.trim().strip_suffix(',')?.split_once(" -> "));
        let column = |(name, kind): (&str, &str)| {
            let not_null = kind.strip_prefix("Nullable<").and_then(|kind| kind.strip_suffix('>'));
            let stored = match not_null.unwrap_or(kind) {
                "BigInt" | "Integer" | "Bool" => "INTEGER",
                "Text" => "TEXT",
                "Double" => "REAL",
                "Binary" => "BLOB",
                other => panic!("a type that this test does not know: {other}"),
            };
            (name.to_owned(), stored.to_owned(), not_null.is_some())
        };
        (
            head.split_once('(').unwrap().0.trim().to_owned(),
            columns.map(column).collect(),
        )
    };
    file.split("diesel::table! {\n").skip(1).map(table).collect()
}

#[expect(clippy::unwrap_used, reason = "the database is the test's own")]
fn texts(conn: &mut SqliteConnection, query: &str) -> Vec<String> {
    sql::<Text>(query).load(conn).unwrap()
}

/// The tables that are there, with their columns.
#[expect(clippy::unwrap_used, reason = "the database is the test's own")]
fn made(conn: &mut SqliteConnection) -> BTreeMap<String, Vec<Column>> {
    let tables = texts(
        conn,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'liveness_%'",
    );
    let columns_of = |table: String| {
        let query = format!("SELECT name, type, \"notnull\" FROM pragma_table_info('{table}') ORDER BY cid");
        let columns: Vec<(String, String, i32)> = sql::<(Text, Text, Integer)>(&query).load(conn).unwrap();
        (
            table,
            columns
                .into_iter()
                .map(|(name, kind, not_null)| (name, kind, not_null == 0))
                .collect(),
        )
    };
    tables.into_iter().map(columns_of).collect()
}

/// The folders of the migrations, in their order.
#[expect(clippy::unwrap_used, reason = "the folder is there")]
fn migrations() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/sqlite");
    let mut folders: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    folders
}

#[expect(clippy::unwrap_used, reason = "a migration that fails ends the test")]
fn run(conn: &mut SqliteConnection, file: &str, folders: impl IntoIterator<Item = PathBuf>) {
    for folder in folders {
        conn.batch_execute(&fs::read_to_string(folder.join(file)).unwrap())
            .unwrap();
    }
}

#[test]
fn the_migrations_make_what_the_queries_believe_in() {
    let database = Database::new();

    let (believed, made) = (believed(), made(&mut database.connect()));

    assert_eq!(believed.len(), 6);
    assert_eq!(believed, made);
}

#[tokio::test]
async fn a_full_row_of_every_table_is_written_and_read_by_the_store() {
    let database = Database::new();
    let full = everything();
    let (user, created_at) = (full.check.user.clone(), full.check.created_at);
    database.store.add_user(user.clone(), created_at).await.unwrap();
    let recorded = database.record(full).await;

    let check = database
        .store
        .completing_check_with_image(1234, liveness_core::CompletionRule::AnySuccessful)
        .await
        .unwrap();

    assert_eq!(check, Some((recorded.check, Some(jpeg()))));
    assert_eq!(database.store.users(vec![1234]).await.unwrap(), [user]);
    assert_eq!(
        database.store.newest_audit_entries(9).await.unwrap(),
        [audit_entry(1234)]
    );
    for table in believed().keys() {
        assert_eq!(database.number(&format!("SELECT count(*) FROM {table}")), 1, "{table}");
    }
}

#[test]
fn the_migrations_go_up_and_down_and_up_again() {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    let objects = "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name";
    run(&mut conn, "up.sql", migrations());
    let (up, tables) = (texts(&mut conn, objects), made(&mut conn));

    run(&mut conn, "down.sql", migrations().into_iter().rev());
    let down = texts(&mut conn, objects);
    run(&mut conn, "up.sql", migrations());

    assert_eq!(down, Vec::<String>::new());
    assert_eq!((texts(&mut conn, objects), made(&mut conn)), (up, tables));
}

#[test]
fn every_name_begins_with_liveness() {
    let database = Database::new();

    let others =
        database.texts("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'liveness_%' AND name NOT LIKE 'sqlite_%'");

    assert_eq!(others, ["__diesel_schema_migrations"]);
}

#[tokio::test]
async fn the_tables_refuse_what_the_types_refuse() {
    let database = Database::new();
    database.record(keyed(1, "session-1", "key-1", "{}")).await;
    let refused = [
        "UPDATE liveness_checks SET lighting_value = 1.5",
        "UPDATE liveness_checks SET session_duration = -1",
        "UPDATE liveness_checks SET challenge_count = 101",
        "UPDATE liveness_checks SET is_successful = 2",
        "UPDATE liveness_checks SET created_at = 'today'",
        "UPDATE liveness_checks SET session_id = 'of nobody'",
        "UPDATE liveness_idempotency_keys SET fingerprint = x'00'",
        "INSERT INTO liveness_images VALUES (1, 'image/gif', x'00')",
        "INSERT INTO liveness_images VALUES (99, 'image/jpeg', x'00')",
        "INSERT INTO liveness_users (id, user_id, created_at) VALUES (0, 'USR-0', 0)",
    ];
    let mut conn = database.connect();
    conn.batch_execute("PRAGMA foreign_keys = ON").unwrap();

    for statement in refused {
        assert!(conn.batch_execute(statement).is_err(), "{statement}");
    }
}
