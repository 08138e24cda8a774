//! What a database URL may say: `sqlite://PATH`, whatever stands in the path but `?`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use liveness_core::store::Store;

use crate::database::{Database, recording};

/// What an operator reads who gives this URL.
fn refusal(url: &str) -> String {
    match Store::open(url) {
        Ok(store) => panic!("{url} opened {store:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_url_of_another_kind_is_refused_in_one_line() {
    let form = "the database URL must be sqlite://PATH";
    let cases = [
        ("", form),
        ("sqlite://", form),
        ("sqlite:liveness.db", form),
        ("/var/lib/liveness.db", form),
        (":memory:", form),
        ("mysql://localhost/liveness", form),
        ("SQLITE:///tmp/liveness.db", form),
        ("sqlite:///tmp/a?mode=ro", form),
        (
            "postgres://u:p@localhost/liveness",
            "the database URL starts with postgres://, which this version cannot open; use sqlite://PATH",
        ),
        (
            "postgresql://localhost",
            "the database URL starts with postgresql://, which this version cannot open; use sqlite://PATH",
        ),
    ];

    for (url, expected) in cases {
        assert_eq!(refusal(url), expected, "{url}");
    }
}

#[test]
fn a_refusal_holds_no_password() {
    let refused = refusal("postgres://admin:hunter2@localhost/liveness");

    assert!(!refused.contains("hunter2"), "{refused}");
}

#[test]
fn a_path_that_cannot_be_a_database_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().display();

    let directory = refusal(&format!("sqlite://{folder}"));
    let nowhere = refusal(&format!("sqlite://{folder}/no/such/folder.db"));

    assert!(
        directory.contains(&format!("{folder}: ")) && directory.contains("Is a directory"),
        "{directory}"
    );
    assert!(
        nowhere.contains("folder.db: ") && nowhere.contains("No such file"),
        "{nowhere}"
    );
    assert!(!directory.contains('\n') && !nowhere.contains('\n'));
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("letter.txt");
    let text = "Dear Sir or Madam, ".repeat(100);
    fs::write(&file, &text).unwrap();

    let refused = refusal(&format!("sqlite://{}", file.display()));

    assert!(
        refused.contains("file is not a database") && !refused.contains('\n'),
        "{refused}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

#[tokio::test]
async fn any_file_name_is_taken_to_the_letter() {
    for name in [
        "a b.db",
        "50%.db",
        "a%20b.db",
        "#1.db",
        "a#b&c=d.db",
        "é~+@:;,!.db",
        "'\"`\\.db",
        "%3Fmode=memory",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/{name}", folder.path().display())).unwrap();
        store.migrate().unwrap();

        store.record(recording(1, "session-1")).await.unwrap();

        let files = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let databases: Vec<_> = files
            .filter(|file| !file.ends_with("-wal") && !file.ends_with("-shm"))
            .collect();
        assert_eq!(databases, [name]);
    }
}

#[tokio::test]
async fn a_path_may_begin_with_two_slashes() {
    let folder = tempfile::tempdir().unwrap();

    let store = Store::open(&format!("sqlite:///{}/liveness.db", folder.path().display())).unwrap();
    store.migrate().unwrap();

    store.record(recording(1, "session-1")).await.unwrap();
}

#[tokio::test]
async fn only_its_owner_may_read_the_file() {
    let database = Database::new();
    database.record(recording(1, "session-1")).await;

    for suffix in ["", "-wal", "-shm"] {
        let path = format!("{}{suffix}", database.path().display());
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{path}");
    }
}

#[tokio::test]
async fn what_was_recorded_is_there_when_the_file_is_opened_again() {
    let database = Database::new();
    database.record(recording(1, "session-1")).await;

    let again = Store::open(&format!("sqlite://{}", database.path().display())).unwrap();
    again.migrate().unwrap();
    let second = again.record(recording(1, "session-1")).await.unwrap();

    assert_eq!(second.check.id, 2);
}
