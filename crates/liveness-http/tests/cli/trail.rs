//! `trail`: a key, a log that is verified, what somebody did to it, and its files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use diesel::SqliteConnection;
use diesel::connection::{Connection as _, SimpleConnection as _};
use liveness_core::trail::TrailKey;

use crate::binary::{Place, run_with};
use crate::engine::{Engine, on_each_engine};

/// A database with two records, one with a face, and their entries in a signed log.
fn evidence(engine: Engine) -> Place {
    let place = Place::new(engine);
    place.record(1, "session-1", 0, None);
    place.record(2, "session-2", 1, Some(include_bytes!("../../assets/face.jpg")));
    place.store().trail().keep(place.0.trail_key(), false).unwrap().stop();
    place
}

fn execute(place: &Place, sql: &str) {
    match place.0.postgres() {
        Some(database) => drop(database.sql(sql)),
        None => SqliteConnection::establish(&place.0.file().to_string_lossy())
            .unwrap()
            .batch_execute(sql)
            .unwrap(),
    }
}

#[test]
fn a_new_key_is_its_owners_alone_and_never_replaces_another() {
    let place = Place::empty(Engine::Sqlite);

    let made = place.run(&["trail", "key", "--new", "bank.pem", "--name", "bank.example/liveness"]);

    let vkey = made.good();
    assert!(vkey.starts_with("bank.example/liveness+"), "{vkey}");
    let file = place.0.folder().join("bank.pem");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let pem = place.read("bank.pem");
    let again = place.run(&["trail", "key", "--new", "bank.pem"]);
    assert_eq!(
        again.failure(),
        (Some(1), "cannot make bank.pem: File exists (os error 17)")
    );
    assert_eq!(place.read("bank.pem"), pem);
    assert_eq!(
        place.run(&["trail", "key", "--trail-key-file", "bank.pem"]).good(),
        vkey
    );
    let nowhere = place.run(&["trail", "key", "--new", "none/bank.pem"]);
    assert!(
        nowhere.failure().1.ends_with("(the folder none is not there)"),
        "{nowhere:?}"
    );
    assert_eq!(fs::read_dir(place.0.folder()).unwrap().count(), 1);
}

#[test]
fn a_key_that_is_not_there_is_not_made_to_be_shown() {
    let shown = run_with(&["trail", "key"], &[]);

    let told = "LIVENESS_TRAIL_KEY_FILE: cannot read liveness.trail.pem: No such file or directory (os error 2)";
    assert_eq!(shown.failure(), (Some(1), told));
    let url = ("LIVENESS_DATABASE_URL", "postgres://db.example/liveness");
    let not_named = run_with(&["trail", "key"], &[url]);
    assert!(
        not_named
            .failure()
            .1
            .starts_with("LIVENESS_TRAIL_KEY_FILE: with PostgreSQL, name the file"),
        "{not_named:?}"
    );
}

fn what_was_tampered_with_is_named(engine: Engine) {
    let place = evidence(engine);

    let whole = place.run(&["trail", "verify"]).good();

    let told = "3 entries in the log, 3 of them signed, 0 waiting; 2 records and 1 faces compared; log ";
    assert!(whole.starts_with(told), "{whole}");
    assert!(
        whole.ends_with("\nnothing was changed, taken away or put in\n"),
        "{whole}"
    );

    execute(
        &place,
        "UPDATE liveness_checks SET session_id = 'session-3' WHERE id = 2",
    );
    execute(&place, "DELETE FROM liveness_audit_entries WHERE id = 1");

    let found = place.run(&["trail", "verify"]);
    assert_eq!((found.code, found.err.as_str()), (Some(1), ""), "{found:?}");
    for told in [
        "record 2 was changed",
        "the audit entry of leaf ",
        "record 1 was put in: no audit entry tells of its recording",
        "\n3 findings\n",
    ] {
        assert!(found.out.contains(told), "{told}: {}", found.out);
    }
}

fn the_log_is_exported_into_an_empty_folder(engine: Engine) {
    let place = evidence(engine);
    let key = place.0.trail_key();

    let exported = place.run(&["trail", "export", "log"]).good();

    assert_eq!(exported, format!("log: 3 entries; verify with {}\n", key.vkey()));
    let checkpoint = place.read("log/checkpoint");
    assert!(
        checkpoint.starts_with(&format!("{}\n3\n", key.origin())),
        "{checkpoint}"
    );
    assert_eq!(place.told_by("trail export").len(), 1);
    let again = place.run(&["trail", "export", "log"]);
    assert_eq!(again.failure(), (Some(1), "log is not empty: name a new folder"));
    // What was refused leaves no entry.
    assert_eq!(place.told_by("trail export").len(), 1);
}

/// Entries signed with another key would be findings for everybody else.
fn a_command_does_not_write_entries_with_the_key_of_another_log(engine: Engine) {
    let place = evidence(engine);
    let log = place.0.trail_key().origin().to_owned();
    place.write("other.pem", TrailKey::generate().unwrap().pem.as_str());
    let entries = place.audit().len();

    let other = place.run(&["checks", "export", "--trail-key-file", "other.pem"]);

    let (code, told) = other.failure();
    assert_eq!(code, Some(1));
    assert!(
        told.starts_with("LIVENESS_TRAIL_KEY_FILE: other.pem is the key of the log "),
        "{told}"
    );
    assert!(told.contains(&format!("in the database is the log {log:?}")), "{told}");
    let gone = place.run(&["checks", "export", "--trail-key-file", "gone.pem"]);
    let expected = format!(
        "LIVENESS_TRAIL_KEY_FILE: gone.pem is not there, and the audit trail goes on only with the key of its log, {log:?}: \
         put your copy of the key there"
    );
    assert_eq!(gone.failure(), (Some(1), expected.as_str()));
    assert_eq!(place.audit().len(), entries);
}

#[test]
fn a_key_that_was_lost_is_not_replaced() {
    let place = evidence(Engine::Sqlite);
    fs::rename(place.0.trail_key_file(), place.0.folder().join("copy.pem")).unwrap();

    let lost = place.run(&["checks", "export"]);

    assert!(lost.failure().1.contains("liveness.trail.pem is not there"), "{lost:?}");
    assert!(!place.0.trail_key_file().exists());
    let mended = place.run(&["checks", "export", "--trail-key-file", "copy.pem"]).good();
    assert_eq!(mended.lines().count(), 2);
}

on_each_engine! {
    what_was_tampered_with_is_named,
    the_log_is_exported_into_an_empty_folder,
    a_command_does_not_write_entries_with_the_key_of_another_log,
}
