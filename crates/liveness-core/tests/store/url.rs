//! A database URL is `sqlite://PATH`, where the path may contain anything but `?`, or `postgres://…`.

use std::fs;

use liveness_core::store::{Store, StoreSettings};

use crate::samples::recording;

/// The error that an operator gets for this URL.
fn refusal(url: &str) -> String {
    match Store::open(url) {
        Ok(store) => panic!("{url} opened {store:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_url_of_another_kind_is_refused_in_one_line() {
    let form = "the database URL must be sqlite://PATH or postgres://…";
    let urls = [
        "",
        "sqlite://",
        "sqlite:liveness.db",
        "/var/lib/liveness.db",
        ":memory:",
        "mysql://localhost/liveness",
        "SQLITE:///tmp/liveness.db",
        "sqlite:///tmp/a?mode=ro",
        "postgres:/liveness",
        "POSTGRES://localhost/liveness",
        "host=localhost dbname=liveness",
    ];

    for url in urls {
        assert_eq!(refusal(url), form, "{url}");
    }
}

#[test]
fn a_refusal_holds_no_password() {
    let refused = refusal("postgress://admin:hunter2@localhost/liveness");

    assert!(!refused.contains("hunter2"), "{refused}");
}

#[test]
fn a_store_on_a_server_opens_without_it_and_prints_no_password() {
    for scheme in ["postgres", "postgresql"] {
        let store = Store::open(&format!("{scheme}://admin:hunter2@127.0.0.1:1/liveness")).unwrap();

        let printed = format!("{store:?}");
        assert!(printed.contains("PgConnection"), "{printed}");
        assert!(!printed.contains("hunter2"), "{printed}");
    }
}

#[test]
fn there_is_at_least_one_connection() {
    let settings = StoreSettings {
        connections: 0,
        ..StoreSettings::default()
    };

    let refused = Store::open_with("postgres://127.0.0.1:1/liveness", settings).unwrap_err();

    assert_eq!(refused.to_string(), "there must be at least one connection");
}

#[test]
fn a_path_that_cannot_be_a_database_is_refused_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().display();

    let directory = refusal(&format!("sqlite://{folder}"));
    let nowhere = refusal(&format!("sqlite://{folder}/no/such/folder.db"));

    assert!(
        directory.contains(&format!("{folder}: ")) && directory.contains("is no file"),
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

        store.checks().record(recording(1, "session-1")).await.unwrap();

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

    store.checks().record(recording(1, "session-1")).await.unwrap();
}
