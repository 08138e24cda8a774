//! `faces`, `backup --keys` and what `doctor` says of sealed faces: keys are rotated, and faces in clear are sealed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use liveness_core::Reason;
use liveness_core::faces::FileKeeper;
use liveness_core::store::{ErasureOrder, FaceKeys};
use serde_json::Value;

use crate::binary::{Ended, Place, block_on, recording};
use crate::engine::{Database, Engine, on_each_engine};

const FACE: &[u8] = include_bytes!("../../assets/face.jpg");
/// A part of the face that is in no other file.
const PART: std::ops::Range<usize> = 200..232;
const KEYS: (&str, &str) = ("LIVENESS_FACE_KEYS", "file:face-keys");

/// A place, and on PostgreSQL a second database, for the wrapped keys.
struct Sealed {
    place: Place,
    keys: Option<Database>,
}

impl Sealed {
    fn new(engine: Engine) -> Self {
        let keys = match engine {
            Engine::Sqlite => None,
            Engine::Postgres | Engine::Citus => Some(Database::create(engine)),
        };
        let place = Place::empty(engine);
        let sealed = Self { place, keys };
        sealed.run(&["migrate"]).good();
        sealed
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let mut command = self.place.command(arguments);
        command.envs([KEYS]);
        if let Some(keys) = &self.keys {
            let url = keys
                .settings()
                .into_iter()
                .find(|(name, _)| *name == "LIVENESS_DATABASE_URL");
            command.env("LIVENESS_KEYS_URL", url.unwrap().1);
        }
        command.output().unwrap().into()
    }

    /// The faces of an export.
    fn faces(&self) -> Vec<Value> {
        let export = ["checks", "export", "--faces", "--reason", "a test"];
        let exported = self.run(&export).good();
        let record = |line| serde_json::from_str::<Value>(line).unwrap()["ImageBase64"].clone();
        exported.lines().map(record).filter(|face| !face.is_null()).collect()
    }

    /// Erases the face of a record.
    fn erase(&self, id: i64) {
        let keeper = FileKeeper::open(&self.folder().join("face-keys")).unwrap();
        let url = format!("sqlite://{}", self.folder().join("liveness.keys.db").display());
        let keys = FaceKeys::open(&url, Arc::new(keeper)).unwrap();
        let store = self.place.store().with_sealed_faces(keys).unwrap();
        store.trail().sign_entries(&self.place.0.trail_key()).unwrap();
        let order = ErasureOrder {
            reason: Reason::parse("asked for").unwrap(),
            entry: recording(1, "session", 60, None).audit_entry,
            traceparent: None,
        };
        let erased = block_on(store.erasures().erase_face(id, order)).unwrap();
        assert_eq!(erased.liveness_check_id, id);
        store.close(Duration::from_secs(1));
    }

    fn folder(&self) -> PathBuf {
        self.place.0.folder().to_owned()
    }
}

fn faces_in_clear_are_sealed_and_their_keys_rotated(engine: Engine) {
    let sealed = Sealed::new(engine);
    for number in 1..=20 {
        sealed.place.record(number, &format!("session-{number}"), 0, Some(FACE));
    }
    let before = sealed.faces();
    assert_eq!(before.len(), 20);

    let told = sealed.run(&["faces", "seal"]).good();
    assert!(told.starts_with("20 faces were sealed; "), "{told}");
    assert_eq!(sealed.faces(), before);
    assert_eq!(sealed.run(&["faces", "seal"]).good(), "no face was in clear\n");
    let told = sealed.run(&["faces", "seal", "--compact"]).good();
    assert_eq!(told, "0 faces were sealed, and the database was written anew\n");

    let told = sealed.run(&["faces", "rotate"]).good();
    // One key was used by each face, and some were ready and are not used.
    let rewrapped: u64 = told.split(' ').next().unwrap().parse().unwrap();
    assert!(rewrapped >= 20 && told.contains(" are wrapped by 00000002-"), "{told}");
    assert!(told.contains("; destroyed: 00000001-"), "{told}");
    assert_eq!(fs::read_dir(sealed.folder().join("face-keys")).unwrap().count(), 1);
    assert_eq!(sealed.faces(), before);

    let sealings = sealed.place.told_by("faces seal");
    // Each sealed face has an entry of its own.
    let faces = sealings.iter().filter(|entry| entry.0.face_digest.is_some()).count();
    assert_eq!(faces, 20);
    assert!(
        sealings.iter().any(|entry| entry.0.shown.count == Some(20)),
        "{sealings:?}"
    );
    let rotations = sealed.place.told_by("faces rotate");
    let is_done = |detail: &String| detail.starts_with("done; 00000001-");
    assert!(
        rotations
            .iter()
            .any(|entry| entry.0.shown.detail.as_ref().is_some_and(is_done)),
        "{rotations:?}"
    );
    let verified = sealed.run(&["trail", "verify"]).good();
    assert!(
        verified.ends_with("nothing was changed, taken away or put in\n"),
        "{verified}"
    );
    // Who has no keys sees no face, and is told why.
    let refused = sealed.place.run(&["checks", "export", "--faces", "--reason", "a test"]);
    assert!(refused.failure().1.contains("set LIVENESS_FACE_KEYS"), "{refused:?}");
    sealed.place.run(&["checks", "export"]).good();
}

on_each_engine!(faces_in_clear_are_sealed_and_their_keys_rotated);

#[test]
fn a_backup_has_the_faces_sealed_and_the_keys_have_one_of_their_own() {
    let sealed = Sealed::new(Engine::Sqlite);
    sealed.place.record(1, "session-1", 0, Some(FACE));
    sealed.run(&["faces", "seal", "--compact"]).good();

    // It needs no keys.
    let told = sealed.place.run(&["backup", "backup.db"]).good();
    assert!(told.starts_with("backup.db: 1 records, 1 faces, "), "{told}");
    let told = sealed.run(&["backup", "--keys", "keys.db"]).good();
    assert!(
        told.starts_with("keys.db: ") && told.contains(" keys of faces; SHA-256 "),
        "{told}"
    );
    for name in ["backup.db", "keys.db", "liveness.db", "liveness.keys.db"] {
        let file = sealed.folder().join(name);
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600,
            "{name}"
        );
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(PART.len()).any(|part| part == &FACE[PART]), "{name}");
    }

    // Both together are restored.
    let before = sealed.faces();
    assert_eq!(before.len(), 1);
    for (backup, database) in [("backup.db", "liveness.db"), ("keys.db", "liveness.keys.db")] {
        fs::rename(sealed.folder().join(backup), sealed.folder().join(database)).unwrap();
    }
    assert_eq!(sealed.faces(), before);
}

#[test]
fn an_old_backup_with_the_keys_of_today_opens_what_was_kept_and_not_what_was_erased() {
    let sealed = Sealed::new(Engine::Sqlite);
    for number in 1..=3 {
        sealed.place.record(number, &format!("session-{number}"), 0, Some(FACE));
    }
    sealed.run(&["faces", "seal", "--compact"]).good();
    for backup in [&["backup", "old.db"][..], &["backup", "--keys", "old-keys.db"]] {
        sealed.run(backup).good();
    }
    sealed.erase(2);
    sealed.run(&["faces", "rotate"]).good();
    sealed.run(&["backup", "--keys", "keys.db"]).good();
    let restore =
        |backup: &str, name: &str| fs::copy(sealed.folder().join(backup), sealed.folder().join(name)).unwrap();

    restore("old.db", "liveness.db");
    restore("keys.db", "liveness.keys.db");

    assert_eq!(sealed.faces().len(), 2);
    // The key store of that day is wrapped by a key that is gone.
    restore("old-keys.db", "liveness.keys.db");
    let refused = sealed.run(&["checks", "export", "--faces", "--reason", "a test"]);
    assert!(
        refused
            .failure()
            .1
            .contains("faces cannot be opened: the key-encryption key 00000001-"),
        "{refused:?}"
    );
}

#[test]
fn doctor_warns_of_faces_in_clear_and_checks_the_keys() {
    let sealed = Sealed::new(Engine::Sqlite);
    sealed.place.record(1, "session-1", 0, Some(FACE));
    sealed.run(&["faces", "seal"]).good();
    let tells = |told: &Ended, expected: &str| assert!(told.out.contains(expected), "{expected}:\n{}", told.out);

    let told = sealed.place.run(&["doctor"]);
    tells(&told, "warning  faces: they are recorded in clear");
    let told = sealed.run(&["doctor"]);
    tells(
        &told,
        "ok       faces: each is sealed with a key of its own, and the keys open",
    );
    tells(&told, "ok       files: liveness.keys.db is its owner's only");

    let (folder, hidden) = (sealed.folder().join("face-keys"), sealed.folder().join("hidden"));
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let told = sealed.run(&["doctor"]);
    tells(
        &told,
        "problem  faces: LIVENESS_FACE_KEYS: face-keys can be read or written by others than its owner; chmod 700",
    );
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();

    fs::rename(&folder, &hidden).unwrap();
    let told = sealed.run(&["doctor"]);
    tells(&told, "hint     faces: LIVENESS_FACE_KEYS: face-keys is not there yet");
    assert!(!folder.exists());
    // A new key is no key of the faces that are there.
    let refused = sealed.run(&["faces", "seal"]);
    assert!(
        refused
            .failure()
            .1
            .contains("faces cannot be opened: the key-encryption key 00000001-"),
        "{refused:?}"
    );
    fs::remove_dir_all(&folder).unwrap();
    fs::rename(&hidden, &folder).unwrap();

    fs::rename(sealed.folder().join("liveness.keys.db"), &hidden).unwrap();
    let told = sealed.run(&["doctor"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    tells(
        &told,
        "problem  faces: LIVENESS_KEYS_URL: liveness.keys.db is not there, and faces are sealed; put its backup back",
    );
    let refused = sealed.run(&["faces", "seal"]);
    let expected = "LIVENESS_KEYS_URL: the key store of the faces: faces are sealed, and it has no key";
    assert!(refused.failure().1.starts_with(expected), "{refused:?}");
}

/// Every subcommand that needs the key store names it, and not the database.
#[test]
fn trouble_of_the_key_store_is_told_by_its_own_setting() {
    let sealed = Sealed::new(Engine::Sqlite);
    sealed.place.record(1, "session-1", 0, Some(FACE));
    sealed.run(&["faces", "seal"]).good();
    let subcommands: [&[&str]; 6] = [
        &["serve"],
        &["migrate"],
        &["doctor"],
        &["faces", "seal"],
        &["faces", "rotate"],
        &["checks", "export", "--faces", "--reason", "a test"],
    ];
    for url in [
        // Nobody listens on it.
        "postgres://127.0.0.1:1/keys",
        "sqlite://no/such/folder/keys.db",
        "sqlite://face-keys",
        "postgres://u:p@h@x/keys",
    ] {
        // The host waits for a server that may come yet.
        let waits = url.starts_with("postgres://127");
        for arguments in subcommands
            .iter()
            .filter(|arguments| !waits || ***arguments != ["serve"])
        {
            let mut command = sealed.place.command(arguments);
            command.envs([KEYS, ("LIVENESS_KEYS_URL", url)]);
            command.env("LIVENESS_JWT_SECRET", crate::binary::SECRET);
            let ended: Ended = command.output().unwrap().into();
            assert_eq!(ended.code, Some(1), "{url} {arguments:?}: {ended:?}");
            let told = format!("{}{}", ended.out, ended.err);
            let named: Vec<_> = told
                .lines()
                .filter(|line| line.contains("LIVENESS_KEYS_URL: "))
                .collect();
            assert_eq!(named.len(), 1, "{url} {arguments:?}: {told}");
            assert!(!told.contains("LIVENESS_DATABASE_URL: "), "{url} {arguments:?}: {told}");
        }
    }
}

#[test]
fn settings_that_do_not_fit_together_are_told_in_one_line() {
    let place = Place::new(Engine::Sqlite);
    let run = |settings: &[(&str, &str)]| -> Ended {
        let settings = settings.iter().copied();
        place
            .command(&["faces", "rotate"])
            .envs(settings)
            .output()
            .unwrap()
            .into()
    };
    let refused = run(&[]);
    assert_eq!(refused.failure().0, Some(1));
    assert!(
        refused.failure().1.starts_with("LIVENESS_FACE_KEYS: it is not set"),
        "{refused:?}"
    );
    let refused = run(&[("LIVENESS_FACE_KEYS", "face-keys")]);
    assert_eq!(refused.failure().0, Some(2));
    assert!(refused.failure().1.contains("must be file:DIR"), "{refused:?}");
    let same = ("LIVENESS_KEYS_URL", "sqlite://liveness.db");
    let refused = run(&[KEYS, same]);
    assert!(
        refused
            .failure()
            .1
            .starts_with("LIVENESS_KEYS_URL: it must not be LIVENESS_DATABASE_URL"),
        "{refused:?}"
    );
    let refused = run(&[("LIVENESS_FACE_KEYS", "file:no/such/folder")]);
    assert!(
        refused
            .failure()
            .1
            .starts_with("LIVENESS_FACE_KEYS: cannot make no/such/folder"),
        "{refused:?}"
    );
}
