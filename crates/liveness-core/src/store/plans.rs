//! Tests that every statement of the store finds its rows by an index. The tests ask both engines for their plans.
//!
//! The tests do not repeat the statements. They listen to a connection while the store works on it.

mod checks;
mod erasures;
mod events;
mod indexes;
mod jobs;
mod lists;
mod rows;
mod sessions;
mod trail;
mod users;

use std::sync::{Arc, Mutex};

use diesel::Connection as _;
use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};
use diesel::sqlite::SqliteConnection;

use self::indexes::{DECIDED, OF_BOTH};
use self::rows::ROWS;
use super::engine::connection::{Connection, on_either};
use super::engine::error::StoreError;
use super::engine::migrations;
use super::engine::postgres::PostgresSettings;
use super::tables::distribution::SHARDING;

#[path = "../../tests/store/cluster.rs"]
mod cluster;

type Heard = Arc<Mutex<Vec<String>>>;

fn listener(heard: &Heard) -> impl Instrumentation + use<> {
    let heard = Arc::clone(heard);
    move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            let sql = text.split(" -- binds").next().unwrap_or_default();
            heard.lock().unwrap().push(sql.to_owned());
        }
    }
}

/// Runs an operation and returns the statements with which it searched.
fn searches(
    conn: &mut Connection<'_>,
    operation: impl FnOnce(&mut Connection<'_>) -> Result<(), StoreError>,
) -> Vec<String> {
    let heard = Heard::default();
    on_either!(conn, |conn| conn.set_instrumentation(listener(&heard)));
    operation(conn).unwrap();
    on_either!(conn, |conn| conn.set_instrumentation(|_: InstrumentationEvent<'_>| {}));
    let sent = heard.lock().unwrap().clone();
    let is_search = |statement: &String| {
        ["SELECT", "UPDATE", "DELETE"]
            .iter()
            .any(|verb| statement.starts_with(verb))
    };
    assert!(sent.iter().any(is_search), "no search among {sent:?}");
    sent.into_iter().filter(is_search).collect()
}

/// The name of an operation, the operation, and the indexes that its searches must use: on SQLite, and on PostgreSQL.
type Case = (
    &'static str,
    fn(&mut Connection<'_>) -> Result<(), StoreError>,
    &'static [(&'static str, &'static str)],
);

/// The cases of all rooms.
fn cases() -> impl Iterator<Item = &'static Case> {
    let rooms = [
        checks::CASES,
        lists::pages::CASES,
        lists::judged::CASES,
        lists::steps::CASES,
        users::CASES,
        erasures::CASES,
        events::CASES,
        trail::CASES,
        sessions::CASES,
        jobs::CASES,
    ];
    rooms.into_iter().flatten()
}

/// The searches for a user's records by their verdict, and for the entries about a record, which are few.
const OF_FEW: [&str; 2] = ["the entries about a record", "a user's page of records to review"];

/// Adds the session by which lists and exports are filtered.
const A_SESSION: &str = "INSERT INTO liveness_sessions VALUES ('s', 1, 5000, 15000)";

/// The steps of SQLite's plans that do not search a table.
const NO_SEARCHES: [&str; 8] = [
    "SCAN CONSTANT ROW",
    "SCALAR SUBQUERY",
    "CORRELATED SCALAR SUBQUERY",
    "LIST SUBQUERY",
    "SCAN json_each",
    "CREATE BLOOM FILTER",
    // What a search has found is counted.
    "CO-ROUTINE counted",
    "SCAN counted",
];

#[test]
fn every_search_goes_by_an_index_on_sqlite() {
    let mut sqlite = SqliteConnection::establish(":memory:").unwrap();
    migrations::run(
        &mut (&mut sqlite).into(),
        &PostgresSettings::default(),
        &SHARDING,
        || None,
    )
    .unwrap();
    Connection::from(&mut sqlite).execute(A_SESSION).unwrap();
    for (name, operation, expected) in cases() {
        let mut is_used = vec![false; expected.len()];
        for search in searches(&mut (&mut sqlite).into(), operation) {
            let explained = sql::<(Integer, Integer, Integer, Text)>(&format!("EXPLAIN QUERY PLAN {search}"));
            let steps: Vec<(i32, i32, i32, String)> = explained.load(&mut sqlite).unwrap();
            let steps: Vec<_> = steps.into_iter().map(|(.., detail)| detail).collect();
            for step in &steps {
                let index = expected.iter().position(|(index, _)| step.contains(index));
                // A step that sorts the rows matches neither, and fails the test.
                let is_no_search = NO_SEARCHES.iter().any(|begin| step.starts_with(begin));
                assert!(index.is_some() || is_no_search, "{name}: {search}: {steps:?}");
                index.inspect(|index| is_used[*index] = true);
            }
        }
        assert!(!is_used.contains(&false), "{name}: {is_used:?}");
    }
}

/// Asks PostgreSQL for the generic plan of a statement, which serves all values.
fn generic_plan(postgres: &mut PgConnection, search: &str) -> Vec<String> {
    let values = (1..=20).filter(|number| search.contains(&format!("${number}"))).count();
    let nulls = vec!["NULL"; values].join(", ");
    let execute = if values == 0 {
        "searched".to_owned()
    } else {
        format!("searched({nulls})")
    };
    let conn: &mut Connection<'_> = &mut postgres.into();
    conn.execute(&format!(
        "SET plan_cache_mode = force_generic_plan; PREPARE searched AS {search}"
    ))
    .unwrap();
    let Connection::Postgres(postgres) = conn else {
        unreachable!()
    };
    let steps = sql::<Text>(&format!("EXPLAIN (COSTS OFF) EXECUTE {execute}"))
        .load(*postgres)
        .unwrap();
    conn.execute("DEALLOCATE searched").unwrap();
    steps
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn every_search_goes_by_an_index_on_postgres() {
    let database = cluster::TestDatabase::create();
    let mut postgres = PgConnection::establish(&database.url()).unwrap();
    migrations::run(
        &mut (&mut postgres).into(),
        &PostgresSettings::default(),
        &SHARDING,
        || None,
    )
    .unwrap();
    let mut postgres = PgConnection::establish(&database.url()).unwrap();
    Connection::from(&mut postgres).execute(A_SESSION).unwrap();
    Connection::from(&mut postgres).execute(ROWS).unwrap();
    for (name, operation, expected) in cases() {
        let mut is_used = vec![false; expected.len()];
        for search in searches(&mut (&mut postgres).into(), operation) {
            let steps = generic_plan(&mut postgres, &search);
            let mut is_found = false;
            for (is_used, (_, index)) in is_used.iter_mut().zip(*expected) {
                if steps.iter().any(|step| step.contains(index)) {
                    (*is_used, is_found) = (true, true);
                }
            }
            // A sort is allowed for few records: those that two filters leave of a user's, and those that people decided about.
            let is_of_few = expected.contains(&OF_BOTH) || expected.contains(&DECIDED) || OF_FEW.contains(name);
            let is_slow = |step: &String| step.contains("Seq Scan") || step.contains("Sort") && !is_of_few;
            assert!(is_found && !steps.iter().any(is_slow), "{name}: {search}: {steps:#?}");
        }
        assert!(!is_used.contains(&false), "{name}: {is_used:?}");
    }
}
