//! `migrate` says what it did.

use crate::binary::{Place, run_with};
use crate::engine::{Engine, on_each_engine};

fn it_tells_what_it_ran_and_then_that_there_was_nothing_to_do(engine: Engine) {
    let place = Place::empty(engine);

    let first = place.run(&["migrate"]).good();
    let second = place.run(&["migrate"]).good();

    assert!(first.starts_with("ran 2026-11-23-000000_liveness\n"), "{first}");
    assert!(
        first.ends_with("migrations ran: the database's schema is up to date\n"),
        "{first}"
    );
    assert_eq!(second, "the database's schema was up to date already\n");
    assert!(place.store().check_schema().is_ok());
}

on_each_engine! {
    it_tells_what_it_ran_and_then_that_there_was_nothing_to_do,
}

#[test]
fn a_database_that_cannot_be_had_is_one_line_without_its_password() {
    for (url, expected) in [
        (
            "sqlite:///no/such/folder/x.db",
            "LIVENESS_DATABASE_URL: cannot open the database",
        ),
        (
            "postgres://u:hunter2@127.0.0.1:1/x",
            "LIVENESS_DATABASE_URL: cannot reach the database",
        ),
        (
            "mysql://u:hunter2@x",
            "LIVENESS_DATABASE_URL: the database URL must be sqlite://PATH or postgres://…",
        ),
    ] {
        let ended = run_with(&["migrate"], &[("LIVENESS_DATABASE_URL", url)]);
        let (code, told) = ended.failure();
        assert_eq!((code, told.starts_with(expected)), (Some(1), true), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
    }
}
