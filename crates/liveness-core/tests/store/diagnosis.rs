//! The diagnosis of a database, which changes nothing in it.

use liveness_core::store::{Diagnosis, Store, StoreSettings};
use liveness_core::{Clock as _, SystemClock};

use crate::database::{Database, Place, on_each_engine};
use crate::samples::{NOW, at, recording};

async fn a_good_database_is_reported_as_good(database: Database) {
    let before = SystemClock.now();
    database.record(recording(1, "session-1")).await;

    let told = database.store.diagnose().unwrap();

    let Diagnosis {
        engine,
        read_refusal,
        write_refusal,
        newest_check,
        clock,
        ..
    } = told;
    assert!(
        engine.starts_with(database.pick("SQLite 3.", "PostgreSQL ")),
        "{engine}"
    );
    assert_eq!((read_refusal, write_refusal), (None, None));
    assert_eq!(newest_check, Some(at(NOW)));
    let clock = clock.map(|clock| (clock.unix_millis() - before.unix_millis()).abs() < 60_000);
    assert_eq!(clock, database.pick(None, Some(true)));
}

async fn asking_leaves_nothing_behind(database: Database) {
    database.store.diagnose().unwrap();

    assert_eq!(database.number("SELECT count(*) FROM liveness_audit_entries"), 0);
}

async fn an_empty_database_stays_empty(place: Place) {
    let told = place.open().diagnose().unwrap();

    assert_eq!((told.read_refusal, told.write_refusal), (None, None));
    let tables = place.pick(
        "SELECT count(*) FROM sqlite_master",
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'",
    );
    assert_eq!(place.number(tables), 0);
}

async fn a_question_that_the_database_refuses_is_reported(database: Database) {
    let refusal = || database.store.diagnose().unwrap().read_refusal;
    let empty = refusal();
    database.execute("ALTER TABLE liveness_checks RENAME COLUMN passed TO passed_");
    let renamed = refusal().unwrap();
    database.execute("ALTER TABLE liveness_checks RENAME COLUMN passed_ TO passed");
    database.execute("ALTER TABLE liveness_sessions RENAME COLUMN newest_at TO newest");
    let of_session = refusal().unwrap();
    database.execute("DROP TABLE liveness_images; DROP TABLE liveness_checks");
    let dropped = database.store.diagnose().unwrap();

    assert_eq!(empty, None);
    assert!(
        renamed.starts_with("the status of a user: ") && renamed.contains("passed"),
        "{renamed}"
    );
    assert!(of_session.starts_with("a page of a session: "), "{of_session}");
    assert!(dropped.read_refusal.unwrap().contains("liveness_checks"));
    assert_eq!(dropped.newest_check, None);
}

async fn the_settings_of_durability_are_reported(database: Database) {
    let told = database.store.diagnose().unwrap();

    let names: Vec<_> = told.durability.iter().map(|setting| setting.name).collect();
    let expected = database.pick(
        vec!["journal_mode", "synchronous"],
        vec![
            "fsync",
            "full_page_writes",
            "synchronous_commit",
            "synchronous_standby_names",
        ],
    );
    assert_eq!(names, expected);
    // `.ci/test` starts its server without fsync.
    let bad: Vec<_> = told.durability.iter().filter(|setting| !setting.is_durable).collect();
    assert_eq!(bad.len(), database.pick(0, 2), "{bad:?}");
}

on_each_engine! {
    a_good_database_is_reported_as_good,
    asking_leaves_nothing_behind,
    an_empty_database_stays_empty,
    a_question_that_the_database_refuses_is_reported,
    the_settings_of_durability_are_reported,
}

#[test]
fn a_missing_file_is_not_created_against_the_settings() {
    let place = Place::file();
    let settings = StoreSettings {
        creates_file: false,
        ..StoreSettings::default()
    };

    let opened = Store::open_with(&place.url(), settings);

    assert!(opened.is_err_and(|error| error.to_string().contains("cannot open the database")));
    assert!(!place.path().exists());
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn a_refused_write_is_reported() {
    let place = Place::server();
    place.open().migrate().unwrap();
    let url = format!("{}?options=-cdefault_transaction_read_only%3Don", place.url());

    let told = Store::open(&url).unwrap().diagnose().unwrap();

    let refusal = told.write_refusal.unwrap();
    assert!(refusal.contains("read-only"), "{refusal}");
}

#[test]
fn the_file_of_a_url_is_returned() {
    let file = Store::file_of("sqlite:///var/lib/x.db").unwrap();
    assert_eq!(file, Some("/var/lib/x.db".into()));
    assert_eq!(Store::file_of("postgres:///x").unwrap(), None);
    assert!(Store::file_of("mysql://x").is_err());
    assert!(Store::file_of("postgres://u:p@hunter2@host/x").is_err());
}
