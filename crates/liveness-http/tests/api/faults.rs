//! What goes wrong with a database, and what else a test does to it by SQL.

use diesel::connection::{Connection as _, SimpleConnection as _};
use diesel::{PgConnection, SqliteConnection};

use crate::cluster::TestDatabase;
use crate::durability::until;
use crate::engine::{Database, Engine};
use crate::server::{Answer, Server, customer, report};

/// Runs the test's own SQL, which differs between the engines.
pub fn execute(database: &Database, sqlite: &str, postgres: &str) {
    match database.postgres() {
        None => {
            let mut connection = SqliteConnection::establish(&database.file().to_string_lossy()).unwrap();
            // The server writes too, such as its trail.
            connection.batch_execute("PRAGMA busy_timeout = 60000").unwrap();
            connection.batch_execute(sqlite).unwrap();
        }
        Some(database) => drop(database.sql(postgres)),
    }
}

/// The disk that the trail is on has failed, as far as the server can see.
pub fn break_audit(server: &Server) {
    let on_insert = "CREATE TRIGGER audit_is_broken BEFORE INSERT ON liveness_audit_entries";
    let Some(database) = server.database().postgres() else {
        let disk = "BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END";
        return execute(server.database(), &format!("{on_insert} {disk}"), "");
    };
    // Citus takes a trigger only with this setting, and in a statement of its own.
    let setting = "citus.enable_unsafe_triggers = on";
    database.sql(&format!("ALTER DATABASE {} SET {setting}", database.name()));
    database.sql(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN RAISE 'could not write block 7: Input/output error' USING ERRCODE = 'io_error'; END $$",
    );
    database.sql(&format!("{on_insert} EXECUTE FUNCTION fail()"));
}

pub fn mend_audit(server: &Server) {
    let drop = "DROP TRIGGER audit_is_broken";
    execute(server.database(), drop, &format!("{drop} ON liveness_audit_entries"));
}

/// Nothing can be had of the database any more, as far as the server can see.
pub fn take_away(server: &Server) {
    let Some(database) = server.database().postgres() else {
        let file = server.database().file();
        return std::fs::rename(&file, file.with_extension("elsewhere")).unwrap();
    };
    let name = database.name();
    on_its_cluster(database, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
    let end = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity";
    on_its_cluster(database, &format!("{end} WHERE datname = '{name}'"));
}

/// Gives it back, and waits until a server that has to connect again has done so.
pub fn bring_back(server: &Server) {
    let Some(database) = server.database().postgres() else {
        let file = server.database().file();
        return std::fs::rename(file.with_extension("elsewhere"), &file).unwrap();
    };
    let name = database.name();
    on_its_cluster(database, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
    until(|| server.get("/health/ready").status == 200);
}

/// Runs SQL beside a database that nobody can connect to.
fn on_its_cluster(database: &TestDatabase, sql: &str) {
    let url = database.url().replace(database.name(), "postgres");
    PgConnection::establish(&url).unwrap().batch_execute(sql).unwrap();
}

/// What a command is answered when the database refuses its record with this code, message and detail.
fn submit_refused_with(server: &Server, [code, message, detail]: [&str; 3]) -> Answer {
    server.database().postgres().unwrap().sql(&format!(
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION \
         USING ERRCODE = '{code}', MESSAGE = '{message}', DETAIL = '{detail}'; END $$; \
         CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON liveness_checks EXECUTE FUNCTION refuse()"
    ));
    server.send("SubmitLivenessCheckCommand", &customer(7), &report("session-1", true))
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn what_the_database_will_never_understand_is_a_fault_that_only_the_log_explains() {
    let server = Server::start(Engine::Postgres);
    for (refusal, logged) in [
        (
            ["0A000", "could not create distributed plan", "Possibly by parameters."],
            "could not create distributed plan; detail: Possibly by parameters.",
        ),
        (
            ["XX000", "cache lookup failed for type 1234", "It was dropped."],
            "cache lookup failed for type 1234; detail: It was dropped.",
        ),
    ] {
        let [_, message, detail] = refusal;

        let answer = submit_refused_with(&server, refusal);

        assert_eq!(answer.codes(), (500, "96"), "{refusal:?}");
        let told = answer.json.to_string();
        assert!(!told.contains(message) && !told.contains(detail), "{told}");
        until(|| server.log().contains(logged));
    }
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn what_the_database_may_do_later_is_to_be_repeated() {
    let server = Server::start(Engine::Postgres);
    for refusal in [
        [
            "53100",
            "could not extend file \"base/1/2\": No space left on device",
            "",
        ],
        ["53200", "out of memory", "Failed on request of size 7."],
        ["57014", "canceling statement due to lock timeout", ""],
    ] {
        let answer = submit_refused_with(&server, refusal);

        assert_eq!(answer.codes(), (503, "91"), "{refusal:?}");
        assert!(answer.header("retry-after").is_some());
    }
}
