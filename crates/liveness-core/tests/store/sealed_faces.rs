//! Faces that are sealed: they lie nowhere in clear, open only in their place, and not at all once their key is erased.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use liveness_core::faces::{FileKeeper, KeyKeeper as _};
use liveness_core::store::{FaceKeys, Recording, Store, StoreError, TrailPart};
use liveness_core::trail::TrailKey;
use liveness_core::{FaceImage, LivenessCheck};
use tempfile::TempDir;

use crate::database::{Database, Place, on_each_engine};
use crate::samples::{at_once, audit_entry, jpeg, order, recording, with_face};

pub(crate) const PATTERN: &[u8] = b"a face that nobody may read";

/// Key-encryption keys in a folder, and a database for the wrapped keys on the same engine as the records.
pub(crate) struct Vault {
    folder: TempDir,
    pub(crate) place: Place,
}

impl Vault {
    pub(crate) fn of(database: &Database) -> Self {
        let place = match **database {
            Place::File(_) => Place::file(),
            Place::Server(_) => Place::server(),
        };
        let folder = tempfile::tempdir().unwrap();
        Self { folder, place }
    }

    pub(crate) fn keeper_folder(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    pub(crate) fn keys(&self) -> FaceKeys {
        let keeper = FileKeeper::open(&self.keeper_folder()).unwrap();
        FaceKeys::open(&self.place.url(), Arc::new(keeper)).unwrap()
    }

    /// A store on the database that seals faces, as of another process.
    pub(crate) fn open(&self, database: &Database) -> Store {
        let store = database.open().with_sealed_faces(self.keys()).unwrap();
        store.migrate().unwrap();
        store
    }
}

pub(crate) fn patterned(user: i64, session: &str) -> Recording {
    let mut recording = recording(user, session);
    let header = jpeg().bytes()[..16].to_vec();
    recording.check.image = Some(FaceImage::from_bytes([header, PATTERN.repeat(2000)].concat()).unwrap());
    recording
}

pub(crate) async fn record(store: &Store, recording: Recording) -> LivenessCheck {
    store.checks().record(recording).await.unwrap().check
}

pub(crate) async fn face_of(store: &Store, check: &LivenessCheck) -> Option<FaceImage> {
    store.faces().of(check).await.unwrap().map(|kept| kept.image)
}

pub(crate) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|found| found == part)
}

/// The bytes of all files of a folder.
pub(crate) fn files_in(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| (file.clone(), fs::read(file).unwrap())).collect()
}

async fn a_sealed_face_is_nowhere_in_clear_and_opens(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let recording = patterned(1234, "session");
    let face = recording.check.image.clone();
    let check = record(&store, recording).await;

    assert!(face_of(&store, &check).await == face);
    let evidence = store.checks().evidence(check.id).await.unwrap().unwrap();
    assert!(evidence.check.has_image && evidence.face.map(|kept| kept.image) == face);
    let kept = database.connect().bytes("SELECT bytes FROM liveness_images");
    assert!(!contains(&kept, PATTERN) && !contains(&kept, &jpeg().bytes()[..16]));
    assert_eq!(database.texts("SELECT media_type FROM liveness_images"), ["image/jpeg"]);
    for place in [&*database, &vault.place] {
        if let Place::File(folder) = place {
            let files = files_in(folder.path());
            assert!(files.len() >= 2, "the database and its log");
            for (file, bytes) in files {
                assert!(!contains(&bytes, PATTERN), "{}", file.display());
            }
        }
    }
}

async fn a_face_in_the_place_of_another_does_not_open(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    // Two records of one session of one user differ only in their ids.
    let checks = [
        record(&store, patterned(1, "session")).await,
        record(&store, patterned(1, "session")).await,
    ];
    let [first, second] = [&checks[0], &checks[1]].map(|check| check.id);
    database.execute(&format!(
        "CREATE TABLE swapped AS SELECT * FROM liveness_images; \
         UPDATE liveness_images SET (bytes, sealed_key_id) = (SELECT bytes, sealed_key_id FROM swapped \
         WHERE liveness_check_id = {first} + {second} - liveness_images.liveness_check_id)"
    ));
    for check in &checks {
        let told = store.faces().of(check).await.unwrap_err();
        assert!(
            matches!(&told, StoreError::Internal(cause) if cause.to_string().contains(&format!("record {}", check.id)))
        );
    }
    // In its own place again, each opens.
    database.execute(
        "UPDATE liveness_images SET (bytes, sealed_key_id) = (SELECT bytes, sealed_key_id FROM swapped \
         WHERE swapped.liveness_check_id = liveness_images.liveness_check_id)",
    );
    for check in &checks {
        assert!(face_of(&store, check).await.is_some());
    }
}

async fn a_changed_byte_does_not_open(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let check = record(&store, patterned(1, "session")).await;
    let change = database.pick(
        "UPDATE liveness_images SET bytes = CAST(substr(bytes, 1, 999) || X'00' || substr(bytes, 1001) AS BLOB)",
        "UPDATE liveness_images SET bytes = set_byte(bytes, 999, get_byte(bytes, 999) # 1)",
    );
    let before = database.connect().bytes("SELECT bytes FROM liveness_images");
    database.execute(change);
    if database.connect().bytes("SELECT bytes FROM liveness_images") != before {
        assert!(matches!(store.faces().of(&check).await, Err(StoreError::Internal(_))));
    }
    // What was changed so that it is no sealed face any more.
    database.execute(database.pick(
        "UPDATE liveness_images SET bytes = X'FFD8FF'",
        "UPDATE liveness_images SET bytes = '\\xFFD8FF'",
    ));
    assert!(matches!(store.faces().of(&check).await, Err(StoreError::Internal(_))));
}

async fn an_erased_face_is_gone_for_every_store_and_the_others_stay(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let other = vault.open(&database);
    let [gone, kept] = [
        record(&store, patterned(1, "session-1")).await,
        record(&store, patterned(2, "session-2")).await,
    ];
    assert!(face_of(&other, &gone).await.is_some());
    let key = |check: &LivenessCheck| {
        let of = format!(
            "SELECT sealed_key_id FROM liveness_images WHERE liveness_check_id = {}",
            check.id
        );
        database.connect().bytes(&of)
    };
    let [gone_key, kept_key] = [key(&gone), key(&kept)];

    store.erasures().erase_face(gone.id, order()).await.unwrap();

    for store in [&store, &other] {
        assert_eq!(face_of(store, &gone).await, None);
        assert!(face_of(store, &kept).await.is_some());
        let evidence = store.checks().evidence(gone.id).await.unwrap().unwrap();
        assert!(!evidence.check.has_image && evidence.face.is_none());
    }
    if let Place::File(folder) = &vault.place {
        let files = files_in(folder.path());
        let holds = |key: &[u8]| files.iter().any(|(_, bytes)| contains(bytes, key));
        assert!(holds(&kept_key) && !holds(&gone_key));
    }
}

async fn after_a_rotation_no_older_key_store_opens_a_face(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let mut checks = Vec::new();
    for number in 1..=300 {
        checks.push(record(&store, with_face(recording(number, &format!("session-{number}")))).await);
    }
    // A backup of the key store, and of its key-encryption keys.
    vault
        .place
        .execute("CREATE TABLE backup AS SELECT * FROM liveness_face_keys");
    let erased = checks.pop().unwrap();
    store.erasures().erase_face(erased.id, order()).await.unwrap();
    let keeper = FileKeeper::open(&vault.keeper_folder()).unwrap();
    let old = keeper.current().unwrap();
    let mut told = Vec::new();

    let rotated = vault.keys().rotate(|many| told.push(many)).unwrap();

    assert_eq!(
        (rotated.destroyed, rotated.current.clone()),
        (vec![old], keeper.current().unwrap())
    );
    assert_eq!((told.is_sorted(), told.last()), (true, Some(&rotated.rewrapped)));
    assert_eq!(fs::read_dir(vault.keeper_folder()).unwrap().count(), 1);
    // The store that was open before, with keys that it had ready.
    for number in 301..=310 {
        checks.push(record(&store, with_face(recording(number, &format!("session-{number}")))).await);
    }
    for check in &checks {
        assert!(face_of(&store, check).await.is_some());
    }
    let by_current = format!(
        "SELECT count(*) FROM liveness_face_keys WHERE kek_id <> '{}'",
        rotated.current
    );
    assert_eq!(vault.place.number(&by_current), 0);
    vault
        .place
        .execute("DELETE FROM liveness_face_keys; INSERT INTO liveness_face_keys SELECT * FROM backup");
    assert!(matches!(
        store.faces().of(&checks[0]).await,
        Err(StoreError::Internal(_))
    ));
    // The backup has the key of the erased face too, and nothing unwraps it.
    assert_eq!(face_of(&store, &erased).await, None);
}

async fn faces_are_recorded_and_opened_while_keys_are_rotated(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let keys = vault.keys();
    let rotating = tokio::task::spawn_blocking(move || {
        for _ in 0..5 {
            keys.rotate(|_| {}).unwrap();
        }
    });
    let calls = (1..=60).map(|number| {
        let store = store.clone();
        async move {
            let check = record(&store, with_face(recording(number, &format!("session-{number}")))).await;
            assert!(face_of(&store, &check).await.is_some());
            check
        }
    });
    let checks = at_once(calls).await;
    rotating.await.unwrap();
    for check in checks {
        assert!(face_of(&store, &check).await.is_some());
    }
}

async fn an_interrupted_rotation_is_gone_on_with(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let check = record(&store, patterned(1, "session")).await;
    let keeper = FileKeeper::open(&vault.keeper_folder()).unwrap();
    let old = keeper.current().unwrap();
    // As far as a process came that was killed: the new key is made, and the old one retired.
    let new = keeper.rotate().unwrap();
    vault.place.execute("UPDATE liveness_face_keks SET retired_at = 1");

    assert!(face_of(&store, &check).await.is_some());
    let rotated = vault.keys().rotate(|_| {}).unwrap();
    assert_eq!((rotated.current, rotated.destroyed), (new, vec![old]));
    assert!(face_of(&store, &check).await.is_some());
}

async fn a_key_without_its_record_opens_nothing_and_blocks_nothing(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    // The transaction fails after the key is durable, as if the process had ended there.
    database.execute("ALTER TABLE liveness_check_totals RENAME TO hidden");
    store.checks().record(patterned(1, "session")).await.unwrap_err();
    assert!(vault.place.number("SELECT count(*) FROM liveness_face_keys") > 0);
    database.execute("ALTER TABLE hidden RENAME TO liveness_check_totals");
    assert_eq!(database.rows(), [0; 5]);

    let check = record(&store, patterned(1, "session")).await;
    assert!(face_of(&store, &check).await.is_some());
    assert_eq!(database.rows(), [1, 1, 1, 0, 1]);
}

async fn faces_in_clear_are_sealed_later(database: Database) {
    let mut checks = Vec::new();
    for number in 1..=20 {
        checks.push(record(&database.store, patterned(number, &format!("session-{number}"))).await);
    }
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    checks.push(record(&store, patterned(21, "session-21")).await);
    for check in &checks {
        assert!(face_of(&store, check).await.is_some());
    }
    assert_eq!(store.faces_in_clear().unwrap(), 20);

    let key = Arc::new(TrailKey::generate().unwrap().key);
    store.trail().sign_entries(&key).unwrap();
    let mut sealing = store.seal_old_faces(audit_entry(1)).unwrap();
    let mut sealed = 0;
    while let Some(many) = sealing.next_faces().unwrap() {
        sealed += many;
    }

    assert_eq!((sealed, store.faces_in_clear().unwrap()), (20, 0));
    // The log tells that the faces became these bytes. Those who recorded before had no key.
    store.trail().keep(Arc::clone(&key), true).unwrap().stop();
    let verified = store.trail().verify(&key, true, TrailPart::WHOLE, |_, _| {}).unwrap();
    assert_eq!((verified.faces, verified.findings), (21, Vec::new()));
    for check in &checks {
        assert_eq!(face_of(&store, check).await, patterned(1, "session").check.image);
    }
    store.compact_faces().unwrap();
    if let Place::File(folder) = &*database {
        for (file, bytes) in files_in(folder.path()) {
            assert!(!contains(&bytes, PATTERN), "{}", file.display());
        }
    }
}

async fn of_two_who_seal_at_once_each_face_is_sealed_by_one(database: Database) {
    let mut checks = Vec::new();
    for number in 1..=40 {
        checks.push(record(&database.store, patterned(number, &format!("session-{number}"))).await);
    }
    let vault = Vault::of(&database);
    let stores = [vault.open(&database), vault.open(&database)];
    let key = Arc::new(TrailKey::generate().unwrap().key);

    let sealing = stores.map(|store| {
        store.trail().sign_entries(&key).unwrap();
        std::thread::spawn(move || {
            let mut sealing = store.seal_old_faces(audit_entry(1)).unwrap();
            let mut sealed = 0;
            while let Some(many) = sealing.next_faces().unwrap() {
                sealed += many;
            }
            sealed
        })
    });
    let sealed: usize = sealing.into_iter().map(|thread| thread.join().unwrap()).sum();

    let told = "SELECT count(*) FROM liveness_audit_entries WHERE message = 'faces seal'";
    assert_eq!((sealed, database.number(told)), (40, 40));
    let store = vault.open(&database);
    for check in &checks {
        assert_eq!(face_of(&store, check).await, patterned(1, "session").check.image);
    }
    store.trail().keep(Arc::clone(&key), true).unwrap().stop();
    let verified = store.trail().verify(&key, true, TrailPart::WHOLE, |_, _| {}).unwrap();
    assert_eq!((verified.faces, verified.findings), (40, Vec::new()));
}

async fn keys_that_are_not_those_of_the_faces_are_refused(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    store.check_faces().unwrap();
    let check = record(&store, patterned(1, "session")).await;
    store.check_faces().unwrap();

    // Without keys.
    assert!(matches!(
        database.store.faces().of(&check).await,
        Err(StoreError::Internal(_))
    ));
    let told = database.store.check_faces().unwrap_err().to_string();
    assert!(told.contains("LIVENESS_FACE_KEYS"), "{told}");

    // An empty key store, in which every face seems to be erased.
    let empty = Vault::of(&database);
    let told = empty.open(&database).check_faces().unwrap_err();
    assert!(told.to_string().contains("LIVENESS_KEYS_URL"), "{told}");

    // The right key store, and the key-encryption keys of another.
    let keeper = FileKeeper::open(&empty.keeper_folder()).unwrap();
    let keys = FaceKeys::open(&vault.place.url(), Arc::new(keeper)).unwrap();
    let told = database
        .open()
        .with_sealed_faces(keys)
        .unwrap()
        .check_faces()
        .unwrap_err();
    let own = FileKeeper::open(&vault.keeper_folder()).unwrap().current().unwrap();
    assert!(told.to_string().contains(own.as_str()), "{told}");
}

async fn a_face_that_was_swapped_is_not_sealed(database: Database) {
    for user in [1, 2] {
        record(&database.store, patterned(user, &format!("session-{user}"))).await;
    }
    let other = database.pick("x'00'", "'\\x00'::bytea");
    database.execute(&format!(
        "UPDATE liveness_images SET bytes = {other} WHERE liveness_check_id = 2"
    ));
    let vault = Vault::of(&database);
    let store = vault.open(&database);

    let refused = store.seal_old_faces(audit_entry(1)).unwrap().next_faces().unwrap_err();

    let cause = std::error::Error::source(&refused).unwrap().to_string();
    assert_eq!(
        cause,
        "the face of record 2 is not the one that was recorded: run `trail verify`"
    );
    assert_eq!(store.faces_in_clear().unwrap(), 2);
}

async fn rotations_at_once_leave_a_key_that_wraps(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let before = record(&store, patterned(1, "session-1")).await;
    for _ in 0..5 {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                // One may find that another has destroyed the key that it works on.
                scope.spawn(|| drop(vault.keys().rotate(|_| {})));
            }
        });
        // The next one ends what was left.
        store.face_keys().unwrap().rotate(|_| {}).unwrap();
    }
    let store = vault.open(&database);
    let after = record(&store, patterned(2, "session-2")).await;
    for check in [&before, &after] {
        assert!(face_of(&store, check).await.is_some());
    }
    let wrapping = "SELECT count(DISTINCT kek_id) FROM liveness_face_keys";
    assert_eq!(vault.place.number(wrapping), 1);
}

on_each_engine!(
    a_face_that_was_swapped_is_not_sealed,
    a_sealed_face_is_nowhere_in_clear_and_opens,
    a_changed_byte_does_not_open,
    an_erased_face_is_gone_for_every_store_and_the_others_stay,
    after_a_rotation_no_older_key_store_opens_a_face,
    faces_are_recorded_and_opened_while_keys_are_rotated,
    an_interrupted_rotation_is_gone_on_with,
    faces_in_clear_are_sealed_later,
    of_two_who_seal_at_once_each_face_is_sealed_by_one,
    rotations_at_once_leave_a_key_that_wraps,
    keys_that_are_not_those_of_the_faces_are_refused;
    not on Citus: a_face_in_the_place_of_another_does_not_open, a_key_without_its_record_opens_nothing_and_blocks_nothing,
);

#[tokio::test(flavor = "multi_thread")]
async fn without_the_key_store_no_face_is_recorded_and_what_has_none_is() {
    let database = Database::sqlite();
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let moved = vault.place.path().with_extension("moved");
    fs::rename(vault.place.path(), &moved).unwrap();

    let refused = store.checks().record(patterned(1, "session-1")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    record(&store, recording(2, "session-2")).await;
    assert_eq!(database.rows(), [1, 0, 1, 0, 1]);

    fs::rename(&moved, vault.place.path()).unwrap();
    record(&store, patterned(1, "session-1")).await;
}

#[test]
fn the_key_store_is_beside_a_file() {
    let beside = FaceKeys::url_beside;
    assert_eq!(
        beside("sqlite:///var/lib/liveness/liveness.db").as_deref(),
        Some("sqlite:///var/lib/liveness/liveness.keys.db")
    );
    assert_eq!(beside("sqlite://records").as_deref(), Some("sqlite://records.keys.db"));
    assert_eq!(beside("postgres://db.example/liveness"), None);
}
