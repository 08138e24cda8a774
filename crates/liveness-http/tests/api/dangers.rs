//! A start on what could lose records or give them away is refused, unless it is accepted by the name that is shown.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use serde_json::json;

use crate::durability::until;
use crate::engine::{Database, Engine, on_each_engine};
use crate::server::{SECRET, Server, command, customer};

/// What a server says that does not start.
fn refusal(database: &Database) -> String {
    refusal_of(&mut serve_on(database))
}

fn serve_on(database: &Database) -> Command {
    let mut command = command(&["serve"]);
    command
        .envs([("LIVENESS_JWT_SECRET", SECRET), ("LIVENESS_BIND", "127.0.0.1:0")])
        .envs(database.settings())
        .current_dir(database.folder());
    command
}

fn refusal_of(command: &mut Command) -> String {
    let ended = command.env("RUST_LOG", "error").output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!((ended.status.code(), told.lines().count()), (Some(1), 1), "{told}");
    told
}

/// A server with this accepted serves, and warns of it.
fn assert_starts(server: &Server, warning: &str) {
    assert_eq!(server.get("/health/ready").codes(), (200, "00"));
    let log = server.log();
    assert!(
        log.lines().any(|line| line.contains("WARN") && line.contains(warning)),
        "{log}"
    );
}

/// A server that has made its database, and has ended.
fn ended_server(accepted: &str) -> Server {
    let mut server = Server::with(Engine::Sqlite, &[("LIVENESS_ACCEPT", accepted)]);
    server.signal("TERM");
    server.wait();
    server
}

#[test]
fn a_database_that_everybody_may_change_is_refused() {
    for mode in [0o602, 0o666] {
        let server = ended_server("world-writable");
        set_permissions(server.database().file(), Permissions::from_mode(mode)).unwrap();

        let told = refusal(server.database());
        assert!(told.contains("liveness.db holds faces, and everybody may"), "{told}");
        assert!(told.trim_end().ends_with("LIVENESS_ACCEPT=world-writable"), "{told}");
        assert_starts(&server.restart(), "liveness.db holds faces, and everybody may");
    }
}

#[test]
fn a_database_that_everybody_may_read_is_warned_of() {
    let server = ended_server("");
    set_permissions(server.database().file(), Permissions::from_mode(0o644)).unwrap();

    assert_starts(&server.restart(), "liveness.db holds faces, and everybody may read it");
}

#[test]
fn a_log_beside_the_database_that_everybody_may_change_is_refused() {
    let server = ended_server("");
    let wal = server.database().folder().join("liveness.db-wal");
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(&wal)
        .unwrap();
    set_permissions(&wal, Permissions::from_mode(0o646)).unwrap();

    let told = refusal(server.database());

    assert!(told.contains("liveness.db-wal holds faces"), "{told}");
}

#[test]
fn a_schema_that_is_newer_is_refused_unless_its_migration_says_that_older_programs_may_run() {
    let server = ended_server("newer-schema");
    let mut conn = SqliteConnection::establish(&server.database().file().display().to_string()).unwrap();
    conn.batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')")
        .unwrap();

    let told = refusal(server.database());
    assert!(
        told.contains("it is newer than this program, with migration 29991231000000"),
        "{told}"
    );
    let server = server.restart();
    assert_starts(&server, "it is newer than this program");
    let marks = "CREATE TABLE liveness_compatible_migrations (version TEXT PRIMARY KEY, oldest_program TEXT NOT NULL); \
        INSERT INTO liveness_compatible_migrations VALUES ('29991231000000', '20261129120500')";
    conn.batch_execute(marks).unwrap();
    let log = server.beside().log();
    assert!(!log.contains("newer than this program"), "{log}");
    // It says that only programs of after this one may run.
    conn.batch_execute("UPDATE liveness_compatible_migrations SET oldest_program = '29990101000000'")
        .unwrap();
    assert!(refusal(server.database()).contains("newer than this program"));
}

/// `.ci/test` starts its server without fsync and full_page_writes.
#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_server_that_forgets_when_the_power_fails_is_refused() {
    let database = Database::create(Engine::Postgres);
    let of = |name| format!("durability: {name}=off: what was acknowledged is lost when the power fails");
    let refusal = |accepted| refusal_of(serve_on(&database).env("LIVENESS_ACCEPT", accepted));

    let neither = refusal("");
    let one = refusal("fsync");

    for name in ["fsync", "full_page_writes"] {
        assert!(neither.contains(&of(name)), "{neither}");
        assert!(
            neither.contains(&format!("accept it: LIVENESS_ACCEPT={name}")),
            "{neither}"
        );
    }
    assert!(
        !one.contains(&of("fsync")) && one.contains(&of("full_page_writes")),
        "{one}"
    );
    let server = Server::start(Engine::Postgres);
    for name in ["fsync", "full_page_writes"] {
        assert_starts(&server, &of(name));
    }
}

fn a_schema_that_becomes_newer_ends_the_service_until_it_is_as_before(engine: Engine) {
    let server = Server::start(engine);
    let execute = |sql: &str| match server.database().postgres() {
        Some(database) => PgConnection::establish(&database.url())
            .unwrap()
            .batch_execute(sql)
            .unwrap(),
        None => {
            let file = server.database().file().display().to_string();
            SqliteConnection::establish(&file).unwrap().batch_execute(sql).unwrap();
        }
    };

    execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000000')");
    until(|| server.get("/health/ready").status == 503);
    let answer = server.send("CheckLivenessStatusQuery", &customer(1), &json!({}));
    assert_eq!(answer.codes(), (503, "91"));
    assert_eq!(server.get("/health/live").status, 200);
    let told = "not ready: LIVENESS_DATABASE_URL: the database's schema is newer than this program: it has migration \
        29991231000000; install the version that made it, or a later one";
    assert_eq!(server.log().matches(told).count(), 1, "{}", server.log());

    execute("DELETE FROM __diesel_schema_migrations WHERE version = '29991231000000'");
    until(|| server.get("/health/ready").status == 200);
    let answer = server.send("CheckLivenessStatusQuery", &customer(1), &json!({}));
    assert_eq!(answer.codes(), (200, "00"));
}

on_each_engine!(a_schema_that_becomes_newer_ends_the_service_until_it_is_as_before);
