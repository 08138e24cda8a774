//! `backup`: one whole snapshot, beside any load, that nobody else can read.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use liveness_core::Shown;
use liveness_core::store::{CheckFilter, PageRequest, Store};

use crate::binary::{Ended, Place, block_on, recording, run_with};
use crate::engine::Engine;

const FACE: &[u8] = include_bytes!("../../assets/face.jpg");

fn place() -> Place {
    let place = Place::new(Engine::Sqlite);
    place.record(1, "a", 0, None);
    place.record(2, "b", 1, Some(FACE));
    place.record(1, "c", 2, None);
    place
}

/// How many records a database has, which is opened as a server would open it.
fn records(database: &Path) -> i64 {
    let store = Store::open(&format!("sqlite://{}", database.display())).unwrap();
    store.check_schema().unwrap();
    let page = store
        .checks()
        .page(CheckFilter::default(), PageRequest { number: 1, size: 1 });
    block_on(page).unwrap().total
}

fn files(place: &Place) -> Vec<String> {
    let found = std::fs::read_dir(place.0.folder()).unwrap();
    let mut names: Vec<_> = found
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        // The database, and the key of its trail.
        .filter(|name| !name.starts_with("liveness."))
        .collect();
    names.sort();
    names
}

#[test]
fn a_backup_is_whole_and_its_owners_only_and_leaves_entries() {
    let place = place();
    // Whatever the umask of the operator is.
    let binary = env!("CARGO_BIN_EXE_liveness-http");
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 000; exec \"$0\" backup backup.db", binary]);
    let told: Ended = shell.current_dir(place.0.folder()).output().unwrap().into();
    let told = told.good();

    let backup = place.0.folder().join("backup.db");
    let about = std::fs::metadata(&backup).unwrap();
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
    assert_eq!(files(&place), ["backup.db"]);
    let sha256 = told.trim_end().rsplit(' ').next().unwrap();
    assert!(
        told.starts_with("backup.db: 3 records, 1 faces, 4 audit entries; SHA-256 "),
        "{told}"
    );
    let entries = place.audit();
    let of_backup: Vec<_> = entries.iter().filter(|(_, message, _)| message == "backup").collect();
    assert_eq!(of_backup[0].1, "backup");
    let [(begun, None), (done, None)] = &*place.told_by("backup") else {
        panic!("{of_backup:?}")
    };
    assert!(begun.shown.is_empty());
    let expected = Shown {
        detail: Some(format!(
            "done: 3 records, 1 faces, 4 audit entries; file SHA-256 {sha256}"
        )),
        ..Shown::default()
    };
    assert_eq!(done.shown, expected);
    assert!(
        of_backup.iter().all(|(principal, ..)| principal.starts_with("cli:")),
        "{of_backup:?}"
    );
    assert_eq!(records(&backup), 3);
}

#[test]
fn a_backup_ends_while_others_write() {
    let place = Place::new(Engine::Sqlite);
    let is_over = AtomicBool::new(false);
    let store = place.store();
    let record = |user: i64, face: Option<&[u8]>| {
        let check = recording(user, &format!("s-{user}"), user, face);
        block_on(store.checks().record(check)).unwrap();
    };
    for user in 1..=50 {
        record(user, Some(&[FACE, &[0; 200_000]].concat()));
    }
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut user = 50;
            while !is_over.load(Ordering::Relaxed) {
                user += 1;
                record(user, None);
            }
        });
        let told = place.run(&["backup", "backup.db"]);
        is_over.store(true, Ordering::Relaxed);
        told.good();
    });

    assert!(records(&place.0.folder().join("backup.db")) >= 50);
}

#[test]
fn what_is_there_is_never_overwritten() {
    let place = place();
    place.write("there.db", "mine");
    place.write("other.db-wal", "of another database");
    symlink("nowhere", place.0.folder().join("link.db")).unwrap();

    for (file, named) in [
        ("there.db", "there.db"),
        ("other.db", "other.db-wal"),
        ("link.db", "link.db"),
        ("liveness.db", "liveness.db"),
        (".", "."),
    ] {
        let ended = place.run(&["backup", file]);
        let expected = format!("{named} is there already, and is not overwritten; name another file");
        assert_eq!(ended.failure(), (Some(1), &*expected));
    }
    assert_eq!(place.read("there.db"), "mine");
    assert_eq!(files(&place), ["link.db", "other.db-wal", "there.db"]);
    assert_eq!(records(place.0.file().as_path()), 3);
}

#[test]
fn what_cannot_be_audited_or_put_down_is_not_copied() {
    let place = place();
    let ended = place.run(&["backup", "no/such/backup.db"]);
    assert!(
        ended.failure().1.contains("the folder no/such is not there"),
        "{ended:?}"
    );
    assert!(
        place
            .audit()
            .iter()
            .all(|(_, message, _)| !message.starts_with("backup"))
    );

    let mut conn = SqliteConnection::establish(&place.0.file().display().to_string()).unwrap();
    let rename = "PRAGMA busy_timeout = 5000; ALTER TABLE liveness_audit_entries RENAME TO gone";
    conn.batch_execute(rename).unwrap();
    let ended = place.run(&["backup", "backup.db"]);
    assert_eq!(ended.failure().0, Some(1));
    assert_eq!(files(&place), [""; 0]);
}

#[test]
fn a_damaged_database_gives_no_backup() {
    let place = place();
    place.record(3, "d", 3, Some(&[FACE, &[7; 400_000]].concat()));
    let mut conn = SqliteConnection::establish(&place.0.file().display().to_string()).unwrap();
    conn.batch_execute("PRAGMA busy_timeout = 5000; PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    drop(conn);
    // The pages of the face name each other.
    let whole = std::fs::read(place.0.file()).unwrap();
    let damaged: Vec<_> = whole[..whole.len() - 300_000]
        .iter()
        .chain(&[0; 300_000])
        .copied()
        .collect();
    std::fs::write(place.0.file(), damaged).unwrap();

    let ended = place.run(&["backup", "backup.db"]);

    assert_eq!(ended.failure().0, Some(1), "{ended:?}");
    assert_eq!(files(&place), [""; 0]);
}

#[test]
fn of_postgres_it_names_the_tools() {
    let url = ("LIVENESS_DATABASE_URL", "postgres://u:hunter2@127.0.0.1:1/x");

    let ended = run_with(&["backup", "backup.db"], &[url]);

    let (code, told) = ended.failure();
    assert_eq!(code, Some(1));
    assert!(told.contains("pg_dump") && told.contains("pg_basebackup"), "{told}");
}
