//! Faces in a place outside the database: a folder here, by the same crate that speaks to S3.

use std::fs;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use liveness_core::faces::{FacePlace, FileKeeper, ObjectName, ObjectPlace, StoredObject};
use liveness_core::store::{FaceKeys, Recording, Store, StoreError, TrailPart};
use liveness_core::trail::TrailKey;
use liveness_core::{Clock as _, CompletionRule, FaceImage, LivenessCheck, SystemClock, Timestamp};
use object_store::local::LocalFileSystem;
use tempfile::TempDir;

use crate::database::{Database, on_each_engine};
use crate::samples::{HOUR, jpeg, keyed, order, recording, with_face};

const PATTERN: &[u8] = b"a face that nobody may read";

/// A folder with the objects, and the keys of the faces in them.
struct Vault {
    folder: TempDir,
}

impl Vault {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("objects")).unwrap();
        Self { folder }
    }

    fn objects(&self) -> PathBuf {
        self.folder.path().join("objects")
    }

    fn place(&self) -> Arc<dyn FacePlace> {
        let folder = LocalFileSystem::new_with_prefix(self.objects()).unwrap();
        Arc::new(ObjectPlace::new(Arc::new(folder), "faces").unwrap())
    }

    fn sealing(&self, database: &Database) -> Store {
        let keeper = FileKeeper::open(&self.folder.path().join("keys")).unwrap();
        let keys = self.folder.path().join("liveness.keys.db");
        let keys = FaceKeys::open(&format!("sqlite://{}", keys.display()), Arc::new(keeper)).unwrap();
        let store = database.open().with_sealed_faces(keys).unwrap();
        store.migrate().unwrap();
        store
    }

    /// A store that puts its faces here.
    fn open(&self, database: &Database) -> Store {
        self.sealing(database).with_faces_in(self.place()).unwrap()
    }

    fn names(&self) -> Vec<ObjectName> {
        let mut names = Vec::new();
        let listed = self.place().list(&mut |StoredObject { name, .. }| {
            names.push(name);
            ControlFlow::Continue(())
        });
        listed.unwrap();
        names
    }

    fn file_of(&self, name: &str) -> PathBuf {
        self.objects().join("faces").join(name)
    }
}

fn patterned(user: i64, session: &str) -> Recording {
    let mut recording = recording(user, session);
    let header = jpeg().bytes()[..16].to_vec();
    recording.check.image = Some(FaceImage::from_bytes([header, PATTERN.repeat(2000)].concat()).unwrap());
    recording
}

async fn record(store: &Store, recording: Recording) -> LivenessCheck {
    store.checks().record(recording).await.unwrap().check
}

async fn face_of(store: &Store, check: &LivenessCheck) -> Option<FaceImage> {
    store.faces().of(check).await.unwrap().map(|kept| kept.image)
}

fn object_of(database: &Database, check: &LivenessCheck) -> String {
    let name = format!(
        "SELECT object_name FROM liveness_images WHERE liveness_check_id = {}",
        check.id
    );
    database.texts(&name).remove(0)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|found| found == part)
}

fn in_hours(hours: i64) -> Timestamp {
    Timestamp::from_unix_millis(SystemClock.now().unix_millis() + hours * HOUR).unwrap()
}

async fn a_face_is_sealed_in_an_object_and_every_look_finds_it(database: Database) {
    let vault = Vault::new();
    let store = vault.open(&database);
    store.check_face_place().unwrap();
    let recording = patterned(1234, "session");
    let face = recording.check.image.clone();
    let check = record(&store, recording).await;

    let kept = store.faces().of(&check).await.unwrap().unwrap();
    assert!(Some(&kept.image) == face.as_ref());
    let evidence = store.checks().evidence(check.id).await.unwrap().unwrap();
    assert!(evidence.check.has_image && evidence.face == Some(kept.clone()));
    let rule = CompletionRule::AnySuccessful;
    let completing = store.checks().completing_with_face(1234, rule).await.unwrap().unwrap();
    assert_eq!(completing.1, Some(kept.clone()));

    let object = fs::read(vault.file_of(&object_of(&database, &check))).unwrap();
    assert_eq!(vault.names().len(), 1, "the probe is gone");
    assert!(!contains(&object, PATTERN) && object.len() > PATTERN.len() * 2000);
    assert_eq!(kept.digest[..], *digest(&SHA256, &object).as_ref());
    let bound = "SELECT face_digest FROM liveness_audit_entries WHERE face_digest IS NOT NULL";
    assert_eq!(database.connect().bytes(bound), kept.digest);
    let row = database.connect().bytes("SELECT bytes FROM liveness_images");
    assert!(row.len() < 200, "the row leads to the face, and has none of it");
}

async fn a_face_in_the_place_of_another_does_not_open(database: Database) {
    let vault = Vault::new();
    let store = vault.open(&database);
    // Two records of one session of one user differ only in their ids.
    let checks = [
        record(&store, patterned(1, "session")).await,
        record(&store, patterned(1, "session")).await,
    ];
    let [first, second] = [&checks[0], &checks[1]].map(|check| check.id);
    let swap = |columns: &str| {
        database.execute(&format!(
            "CREATE TABLE swapped AS SELECT * FROM liveness_images; \
             UPDATE liveness_images SET ({columns}) = (SELECT {columns} FROM swapped \
             WHERE liveness_check_id = {first} + {second} - liveness_images.liveness_check_id); \
             DROP TABLE swapped"
        ));
    };
    for columns in ["object_name, media_type", "object_name, bytes, sealed_key_id"] {
        swap(columns);
        for check in &checks {
            let told = store.faces().of(check).await.unwrap_err();
            let record = format!("record {}", check.id);
            assert!(matches!(&told, StoreError::Internal(cause) if cause.to_string().contains(&record)));
        }
        swap(columns);
    }
    // In its own place again, each opens.
    for check in &checks {
        assert!(face_of(&store, check).await.is_some());
    }
}

async fn an_object_that_was_changed_or_taken_away_is_found(database: Database) {
    let vault = Vault::new();
    let store = vault.open(&database);
    let key = Arc::new(TrailKey::generate().unwrap().key);
    store.trail().sign_entries(&key).unwrap();
    let mut checks = Vec::new();
    for number in 1..=20 {
        checks.push(record(&store, with_face(recording(number, &format!("session-{number}")))).await);
    }
    store.trail().keep(Arc::clone(&key), false).unwrap().stop();
    let verify = |store: &Store| store.trail().verify(&key, false, TrailPart::WHOLE, |_, _| {});
    let verified = verify(&store).unwrap();
    assert_eq!((verified.faces, verified.findings), (20, Vec::new()));

    let names: Vec<_> = checks.iter().map(|check| object_of(&database, check)).collect();
    fs::remove_file(vault.file_of(&names[2])).unwrap();
    fs::copy(vault.file_of(&names[4]), vault.file_of(&names[3])).unwrap();
    for check in &checks[2..4] {
        assert!(matches!(store.faces().of(check).await, Err(StoreError::Internal(_))));
    }
    let found = verify(&store).unwrap().findings;
    let of = |check: &LivenessCheck, problem, name| {
        let id = check.id;
        move |finding: &str| {
            finding.starts_with(&format!(
                "the face of record {id} {problem} in the object store: object {name}"
            ))
        }
    };
    assert_eq!(found.len(), 2);
    assert!(of(&checks[2], "was taken away", &names[2])(&found[0]), "{found:?}");
    assert!(of(&checks[3], "was changed", &names[3])(&found[1]), "{found:?}");
    // A store that does not know the place cannot say that all is well.
    let found = verify(&database.store).unwrap().findings;
    assert_eq!(found.len(), 20);
    assert!(
        found
            .iter()
            .all(|finding| finding.contains("none is named in LIVENESS_FACES_URL")),
        "{found:?}"
    );
}

async fn while_the_place_is_out_of_reach_no_face_is_recorded_and_what_has_none_is(database: Database) {
    let vault = Vault::new();
    let store = vault.open(&database);
    let kept = record(&store, patterned(3, "session-3")).await;
    let (there, away) = (vault.objects(), vault.folder.path().join("away"));
    fs::rename(&there, &away).unwrap();
    fs::write(&there, "no folder").unwrap();

    let refused = store.checks().record(patterned(1, "session-1")).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.faces().of(&kept).await, Err(StoreError::Unavailable(_))));
    assert!(store.check_face_place().unwrap_err().is_out_of_reach());
    record(&store, recording(2, "session-2")).await;
    assert_eq!(database.rows(), [2, 1, 2, 0, 2]);

    fs::remove_file(&there).unwrap();
    fs::rename(&away, &there).unwrap();
    record(&store, patterned(1, "session-1")).await;
    assert!(face_of(&store, &kept).await.is_some());
}

async fn what_was_put_in_vain_is_swept_away_after_a_day(database: Database) {
    let vault = Vault::new();
    let store = vault.open(&database);
    let kept = record(&store, patterned(1, "session-1")).await;
    // If the transaction fails after the object is durable, the object is taken back.
    database.execute("ALTER TABLE liveness_check_totals RENAME TO hidden");
    store.checks().record(patterned(2, "session-2")).await.unwrap_err();
    database.execute("ALTER TABLE hidden RENAME TO liveness_check_totals");
    assert_eq!((database.rows(), vault.names().len()), ([1, 1, 1, 0, 1], 1));
    // The process may have ended there.
    vault.place().put(&ObjectName::random().unwrap(), vec![7; 64]).unwrap();
    let of_others = vault.file_of("report.pdf");
    fs::write(&of_others, "of others").unwrap();
    assert_eq!(vault.names().len(), 2);

    let young = store.sweep_objects(in_hours(23), "bank.example/liveness").unwrap();
    assert_eq!((young.old, young.deleted, vault.names().len()), (0, 0, 3));
    let swept = store.sweep_objects(in_hours(25), "bank.example/liveness").unwrap();
    assert_eq!((swept.old, swept.deleted), (2, 1));

    let mut names: Vec<_> = vault.names().iter().map(ToString::to_string).collect();
    names.sort();
    // The first one says whose the place is.
    assert_eq!(names, ["0".repeat(32), object_of(&database, &kept)]);
    assert!(face_of(&store, &kept).await.is_some() && of_others.exists());
}

async fn a_database_that_was_set_back_takes_no_object_away(database: Database) {
    let vault = Vault::new();
    let store = vault.open(&database);
    let kept = record(&store, patterned(1, "session-1")).await;
    let before = vault.names().len();
    store.claim_face_place("bank.example/liveness").unwrap();
    let name = object_of(&database, &kept);
    let names = |name: &str| database.execute(&format!("UPDATE liveness_images SET object_name = '{name}'"));

    // No row leads to the only object.
    names(&ObjectName::random().unwrap().to_string());
    let swept = store.sweep_objects(in_hours(25), "bank.example/liveness").unwrap();
    assert_eq!((swept.old, swept.deleted, vault.names().len()), (1, 0, before + 1));

    for _ in 0..1000 {
        let name = ObjectName::random().unwrap().to_string();
        fs::write(vault.file_of(&name), [7; 16]).unwrap();
    }
    let refused = store.sweep_objects(in_hours(25), "bank.example/liveness");
    assert!(matches!(refused, Err(StoreError::Internal(_))), "{refused:?}");
    assert_eq!(vault.names().len(), before + 1001);

    names(&name);
    assert!(face_of(&store, &kept).await.is_some());
}

async fn nobody_sweeps_the_place_of_another_database(database: Database) {
    let vault = Vault::new();
    let store = vault.open(&database);
    store.claim_face_place("bank.example/liveness").unwrap();
    let check = record(&store, patterned(1, "session")).await;

    let other = Database::sqlite();
    let stranger = vault.open(&other);
    let told = stranger.claim_face_place("shop.example/liveness").unwrap_err();
    assert!(
        !told.is_out_of_reach() && told.to_string().contains("another database"),
        "{told}"
    );
    let swept = stranger.sweep_objects(in_hours(25), "shop.example/liveness");
    assert!(matches!(swept, Err(StoreError::Internal(_))));

    store.claim_face_place("bank.example/liveness").unwrap();
    assert!(face_of(&store, &check).await.is_some());
}

async fn what_a_repeated_or_refused_call_has_put_is_deleted_at_once(database: Database) {
    let vault = Vault::new();
    let store = vault.open(&database);
    let call = || with_face(keyed(1, "session", "key", "body"));
    let first = record(&store, call()).await;
    let again = store.checks().record(call()).await.unwrap();

    assert!(again.is_replay && again.check.id == first.id);
    assert_eq!(database.rows(), [1, 1, 1, 1, 2]);
    let of_another = store.checks().record(with_face(recording(2, "session"))).await;
    assert!(
        matches!(of_another, Err(StoreError::SessionOfAnotherUser)),
        "{of_another:?}"
    );
    let names = || vault.names().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(), [object_of(&database, &first)]);
    assert_eq!(face_of(&store, &first).await, Some(jpeg()));
    store.erasures().erase_face(first.id, order()).await.unwrap();
    assert_eq!(names(), [""; 0]);
}

async fn faces_are_found_in_the_place_in_which_each_was_recorded(database: Database) {
    let vault = Vault::new();
    let in_clear = record(&database.store, patterned(1, "session-1")).await;
    let sealed = record(&vault.sealing(&database), patterned(2, "session-2")).await;
    let store = vault.open(&database);
    let in_object = record(&store, patterned(3, "session-3")).await;
    let back = vault.sealing(&database).with_older_faces_in(vault.place()).unwrap();
    let sealed_again = record(&back, patterned(4, "session-4")).await;

    assert_eq!(vault.names().len(), 1);
    for store in [&store, &back] {
        for check in [&in_clear, &sealed, &in_object, &sealed_again] {
            assert!(face_of(store, check).await.is_some(), "record {}", check.id);
        }
    }
    // Who forgets the place is told, before anybody misses a face.
    let forgetful = vault.sealing(&database);
    let told = forgetful.check_face_place().unwrap_err().to_string();
    assert!(told.contains("LIVENESS_FACES_URL"), "{told}");
    assert!(matches!(
        forgetful.faces().of(&in_object).await,
        Err(StoreError::Internal(_))
    ));
}

async fn an_erased_face_is_gone_with_or_without_its_object(database: Database) {
    let vault = Vault::new();
    let store = vault.open(&database);
    let checks = [
        record(&store, patterned(1, "session-1")).await,
        record(&store, patterned(2, "session-2")).await,
    ];
    let [object, missing] = checks
        .each_ref()
        .map(|check| vault.file_of(&object_of(&database, check)));
    fs::remove_file(missing).unwrap();
    let recorded = store.checks().evidence(checks[0].id).await.unwrap().unwrap();
    for (check, recorded) in checks.iter().zip([recorded.face, None]) {
        let erased = store.erasures().erase_face(check.id, order()).await.unwrap();
        assert!(recorded.is_none_or(|face| face.digest == erased.digest));
        assert_eq!(face_of(&store, check).await, None);
        let evidence = store.checks().evidence(check.id).await.unwrap().unwrap();
        assert!(!evidence.check.has_image && evidence.face.is_none());
    }
    assert!(!object.exists());
}

on_each_engine!(
    a_face_is_sealed_in_an_object_and_every_look_finds_it,
    an_object_that_was_changed_or_taken_away_is_found,
    while_the_place_is_out_of_reach_no_face_is_recorded_and_what_has_none_is,
    what_a_repeated_or_refused_call_has_put_is_deleted_at_once,
    a_database_that_was_set_back_takes_no_object_away,
    nobody_sweeps_the_place_of_another_database,
    faces_are_found_in_the_place_in_which_each_was_recorded,
    an_erased_face_is_gone_with_or_without_its_object;
    not on Citus: a_face_in_the_place_of_another_does_not_open, what_was_put_in_vain_is_swept_away_after_a_day,
);

#[test]
fn faces_outside_the_database_are_never_in_clear() {
    let (database, vault) = (Database::sqlite(), Vault::new());
    let told = database.open().with_faces_in(vault.place()).unwrap_err().to_string();
    assert!(told.contains("LIVENESS_FACE_KEYS"), "{told}");
}
