//! An error names the file or folder that is wrong, whose it is, and what would mend it.
//!
//! Root may read everything. So where the tests run as root, the binary runs without the capabilities for that.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

use crate::binary::{Ended, Place, SECRET, run};
use crate::engine::Engine;

const SUBCOMMANDS: [&[&str]; 5] = [
    &["serve"],
    &["doctor"],
    &["migrate"],
    &["users", "import", "users.csv"],
    &["checks", "export"],
];

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The binary, as a user whom the permissions of files hold for.
fn command(arguments: &[&str]) -> Command {
    // A server that should not have started ends too.
    let mut command = Command::new("timeout");
    command.arg("60");
    if is_root() {
        let lost = "--bounding-set=-dac_override,-dac_read_search,-fowner,-chown";
        command.args(["setpriv", lost, "--inh-caps=-all"]);
    }
    command.arg(env!("CARGO_BIN_EXE_liveness-http"));
    let path = std::env::var_os("PATH").unwrap();
    command.args(arguments).env_clear().env("PATH", path);
    command
        .env("LIVENESS_JWT_SECRET", SECRET)
        .env("LIVENESS_BIND", "127.0.0.1:0");
    command
}

fn run_in(place: &Place, arguments: &[&str]) -> Ended {
    let mut command = command(arguments);
    command.current_dir(place.0.folder()).envs(place.0.settings());
    command.output().unwrap().into()
}

fn place() -> Place {
    let place = Place::empty(Engine::Sqlite);
    // A process of its own leaves no store behind that is closing its files.
    place.run(&["migrate"]);
    // What it leaves beside the file is written back, and SQLite needs no folder that it can write to while it is there.
    for end in ["-wal", "-shm"] {
        let _ = fs::remove_file(place.0.folder().join(format!("liveness.db{end}")));
    }
    place.write("users.csv", "id\n1\n");
    place
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Each subcommand fails, and tells this.
fn assert_all_tell(place: &Place, expected: &str) {
    for arguments in SUBCOMMANDS {
        let ended = run_in(place, arguments);
        assert_eq!(ended.code, Some(1), "{arguments:?} {ended:?}");
        let told = if arguments == ["doctor"] {
            &ended.out
        } else {
            &ended.err
        };
        let told = told.lines().filter(|line| line.contains(expected));
        assert_eq!(told.count(), 1, "{arguments:?} {expected}: {ended:?}");
    }
}

#[test]
fn a_companion_that_cannot_be_used_is_named() {
    for (end, mode, verb) in [
        ("-journal", 0o000, "read"),
        ("-journal", 0o200, "read"),
        ("-wal", 0o000, "read"),
        ("-wal", 0o200, "read"),
        ("-shm", 0o000, "read"),
    ] {
        let place = place();
        if end == "-shm" {
            fs::write(place.0.folder().join("liveness.db-wal"), "").unwrap();
        }
        let companion = place.0.folder().join(format!("liveness.db{end}"));
        // SQLite takes an empty journal for none.
        fs::write(&companion, if end == "-journal" { "x" } else { "" }).unwrap();
        set_mode(&companion, mode);
        let me = rustix::process::geteuid().as_raw();
        let expected = format!("liveness.db{end} cannot be {verb}: it belongs to user {me} and group ");

        assert_all_tell(&place, &expected);
        assert_all_tell(&place, &format!("; chmod u+rw liveness.db{end}"));
    }
}

#[test]
fn a_companion_of_another_user_is_told_with_its_owner() {
    if !is_root() {
        return;
    }
    let place = place();
    let wal = place.0.folder().join("liveness.db-wal");
    fs::write(&wal, "").unwrap();
    set_mode(&wal, 0o600);
    chown(&wal, Some(65_534), Some(65_534)).unwrap();

    assert_all_tell(
        &place,
        "liveness.db-wal cannot be read: it belongs to user 65534 and group 65534, with mode 600",
    );
    assert_all_tell(&place, "; chown 0 liveness.db-wal, or run this as user 65534");
    set_mode(&wal, 0o644);
    assert_all_tell(
        &place,
        "liveness.db-wal cannot be written: it belongs to user 65534 and group 65534",
    );
    let doctor = run_in(&place, &["doctor"]).out;
    assert!(
        doctor.contains("liveness.db-wal belongs to user 65534, and liveness.db to user 0"),
        "{doctor}"
    );
}

#[test]
fn a_database_that_cannot_be_written_is_named() {
    let place = place();
    set_mode(&place.0.file(), 0o400);

    assert_all_tell(&place, "liveness.db cannot be written: it belongs to user ");
    assert_all_tell(&place, "; chmod u+rw liveness.db");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named() {
    let place = place();
    let folder = fs::canonicalize(place.0.folder()).unwrap();
    set_mode(&folder, 0o500);

    let expected = format!(
        "the folder {} cannot be written to: it belongs to user ",
        folder.display()
    );
    assert_all_tell(&place, &expected);
    // There is no database yet.
    set_mode(&folder, 0o700);
    fs::remove_file(place.0.file()).unwrap();
    set_mode(&folder, 0o500);
    for arguments in [&["serve"][..], &["migrate"], &["doctor"]] {
        let ended = run_in(&place, arguments);
        let told = [ended.out, ended.err].concat();
        assert!(
            ended.code == Some(1) && told.contains(&expected),
            "{arguments:?} {told}"
        );
    }
    set_mode(&folder, 0o700);
}

#[test]
fn a_folder_above_that_cannot_be_entered_is_named() {
    let place = place();
    let above = place.0.folder().join("above");
    fs::create_dir_all(above.join("below")).unwrap();
    set_mode(&above, 0o600);
    let url = format!("sqlite://{}/below/x.db", above.display());

    let mut migrate = command(&["migrate", "--database-url", &url]);
    let ended: Ended = migrate.output().unwrap().into();

    let expected = format!("the folder {} cannot be entered: ", above.display());
    let (code, told) = ended.failure();
    assert!(code == Some(1) && told.contains(&expected), "{told}");
    set_mode(&above, 0o700);
}

#[test]
fn what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/no/such/x.db", folder.path().display());

    let ended = run(&["migrate", "--database-url", &url]);

    let expected = format!(
        "the folder {}/no is not there; make it, or correct",
        folder.path().display()
    );
    let (code, told) = ended.failure();
    assert!(code == Some(1) && told.contains(&expected), "{told}");
}
