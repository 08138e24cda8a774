//! Erasures of faces, legal holds, and what `trail verify` says of both.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use diesel::sqlite::SqliteConnection;
use liveness_core::jobs::{NewJob, ROTATE_FACE_KEYS};
use liveness_core::store::{
    CheckFilter, EmptyLog, ErasedFace, ErasureError, JobRunner, JobSettings, PageRequest, Recording, Store, StoreError,
    TrailPart, TrailVerification,
};
use liveness_core::trail::TrailKey;
use liveness_core::{FaceErasure, LivenessCheck};
use tokio::sync::Barrier;

use crate::database::{Database, Place, on_each_engine};
use crate::samples::{HOUR, NOW, at, order, recording, with_face};
use crate::sealed_faces::{PATTERN, Vault, contains, face_of, files_in, patterned, record};

/// What is wrong with the trail once all entries are in the log.
pub(crate) fn findings(store: &Store, pem: &str) -> Vec<String> {
    let key = || TrailKey::from_pem(pem).unwrap();
    store.trail().keep(key(), false).unwrap().stop();
    verified(store, pem).findings
}

fn verified(store: &Store, pem: &str) -> TrailVerification {
    let key = TrailKey::from_pem(pem).unwrap();
    store.trail().verify(&key, false, TrailPart::WHOLE, |_, _| {}).unwrap()
}

/// Gives the store a key of the trail. Returns it as PEM.
pub(crate) fn signed(store: &Store) -> String {
    let made = TrailKey::generate().unwrap();
    store.trail().sign_entries(&made.key).unwrap();
    made.pem.as_str().to_owned()
}

fn of_pre_registration(recording: Recording) -> Recording {
    let mut recording = recording;
    recording.check.user.pre_registration_id = Some(77);
    recording
}

/// How many records there are with a face and without one, in lists of all and of a pre-registration.
async fn totals(store: &Store) -> [i64; 4] {
    let mut totals = [0; 4];
    for (place, (pre_registration_id, has_image)) in [(None, true), (None, false), (Some(77), true), (Some(77), false)]
        .into_iter()
        .enumerate()
    {
        let filter = CheckFilter {
            pre_registration_id,
            has_image: Some(has_image),
            ..CheckFilter::default()
        };
        let page = store
            .checks()
            .page(filter.clone(), PageRequest { number: 1, size: 100 })
            .await
            .unwrap();
        assert_eq!(page.items.len() as i64, page.total);
        assert!(page.items.iter().all(|check| check.has_image == has_image));
        let exported = store.checks().after(filter, None, 100).await.unwrap();
        assert_eq!(exported.len() as i64, page.total);
        totals[place] = page.total;
    }
    totals
}

/// The write-ahead log of a SQLite file.
fn log_of(database: &Database) -> Vec<u8> {
    std::fs::read(format!("{}-wal", database.path().display())).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_reader_keeps_in_the_log_is_gone_once_the_job_has_run() {
    let database = Database::sqlite();
    let store = &database.store;
    let check = record(store, patterned(1, "session-1")).await;
    let mut reader = SqliteConnection::establish(database.path().to_str().unwrap()).unwrap();
    reader
        .batch_execute("BEGIN; SELECT count(*) FROM liveness_checks")
        .unwrap();

    store.erasures().erase_face(check.id, order()).await.unwrap();

    assert_eq!(face_of(store, &check).await, None);
    assert!(contains(&log_of(&database), PATTERN));
    let waiting = "SELECT count(*) FROM liveness_jobs WHERE kind = 'erasures.empty-log'";
    assert_eq!(database.number(waiting), 1);

    reader.batch_execute("COMMIT").unwrap();
    let runner = JobRunner::start(store, vec![Box::new(EmptyLog)], JobSettings::default()).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while database.number(waiting) > 0 {
        assert!(Instant::now() < deadline, "the job has not run");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    runner.stop(Duration::from_secs(30));
    assert!(!contains(&log_of(&database), PATTERN));
    assert!(!contains(&std::fs::read(database.path()).unwrap(), PATTERN));
}

async fn an_erased_face_leaves_a_receipt_and_the_others_stay(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let pem = signed(&store);
    let [gone, kept] = [
        record(&store, of_pre_registration(patterned(1, "session-1"))).await,
        record(&store, patterned(2, "session-2")).await,
    ];
    record(&store, recording(3, "session-3")).await;
    assert_eq!(totals(&store).await, [2, 1, 1, 0]);
    let rotation = NewJob::of(ROTATE_FACE_KEYS).due_at(at(NOW + 30 * HOUR));
    store.jobs().enqueue(vec![rotation]).await.unwrap();

    let erased = store.erasures().erase_face(gone.id, order()).await.unwrap();

    let expected = ErasedFace {
        liveness_check_id: gone.id,
        digest: erased.digest,
        erased_at: at(NOW + HOUR),
        unreadable_from: Some(at(NOW + 30 * HOUR)),
    };
    assert_eq!(erased, expected);
    assert_eq!(face_of(&store, &gone).await, None);
    assert!(face_of(&store, &kept).await.is_some());
    assert_eq!(totals(&store).await, [1, 2, 0, 1]);
    let evidence = store.checks().evidence(gone.id).await.unwrap().unwrap();
    let told = FaceErasure {
        digest: erased.digest,
        erased_at: at(NOW + HOUR),
        because: "Request 2026-118".into(),
    };
    assert_eq!((evidence.face, evidence.erasure), (None, Some(told)));
    assert_eq!(
        (evidence.check.has_image, evidence.check.face_erased_at),
        (false, Some(at(NOW + HOUR)))
    );
    assert_eq!(database.number("SELECT count(*) FROM liveness_images"), 1);
    let receipt = store.trail().newest(1).await.unwrap().remove(0);
    assert_eq!(
        (receipt.principal.as_str(), receipt.self_service_user_id),
        ("officer-1", Some(1))
    );
    assert_eq!(receipt.subject.face_digest, Some(erased.digest));
    assert_eq!(receipt.subject.shown.purpose.as_deref(), Some("Request 2026-118"));
    assert_eq!(
        receipt.subject.shown.erasure.unwrap().unreadable_from,
        Some(at(NOW + 30 * HOUR))
    );
    assert_eq!(findings(&store, &pem), [""; 0]);
    let again = store.erasures().erase_face(gone.id, order()).await;
    assert!(matches!(again, Err(ErasureError::Erased)));
}

async fn an_erasure_is_accepted_before_its_entry_is_in_the_log(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let pem = signed(&store);
    let check = record(&store, patterned(1, "session-1")).await;
    assert_eq!(findings(&store, &pem), [""; 0]);

    store.erasures().erase_face(check.id, order()).await.unwrap();

    let verified = verified(&store, &pem);
    assert_eq!((verified.pending, verified.findings), (1, Vec::new()));
}

async fn a_face_in_clear_is_erased_by_its_bytes(database: Database) {
    let store = &database.store;
    let pem = signed(store);
    let check = record(store, patterned(1, "session-1")).await;

    let erased = store.erasures().erase_face(check.id, order()).await.unwrap();

    assert_eq!(erased.unreadable_from, None);
    assert_eq!(face_of(store, &check).await, None);
    assert_eq!(findings(store, &pem), [""; 0]);
    if let Place::File(folder) = &*database {
        for (file, bytes) in files_in(folder.path()) {
            assert!(!contains(&bytes, PATTERN), "{}", file.display());
        }
    }
}

async fn what_cannot_be_erased_is_told_and_left_as_it_is(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let pem = signed(&store);
    let face = record(&store, patterned(1, "session-1")).await;
    let faceless = record(&store, recording(1, "session-1")).await;
    let (erasures, holds) = (store.erasures(), store.holds());

    assert!(matches!(
        erasures.erase_face(99, order()).await,
        Err(ErasureError::NoSuchRecord)
    ));
    assert!(matches!(
        erasures.erase_face(faceless.id, order()).await,
        Err(ErasureError::NoFace)
    ));
    assert!(matches!(
        holds.place(99, false, order()).await,
        Err(ErasureError::NoSuchUser)
    ));
    assert!(matches!(holds.lift(1, order()).await, Err(ErasureError::NotHeld)));
    assert_eq!(holds.place(1, false, order()).await.unwrap(), at(NOW + HOUR));
    assert!(matches!(holds.place(1, false, order()).await, Err(ErasureError::Held)));
    assert!(matches!(
        erasures.erase_face(face.id, order()).await,
        Err(ErasureError::Held)
    ));
    assert!(matches!(
        erasures.erase_user(1, false, order()).await,
        Err(ErasureError::Held)
    ));
    let evidence = store.checks().evidence(face.id).await.unwrap().unwrap();
    assert!(evidence.face.is_some() && evidence.held_since == Some(at(NOW + HOUR)));

    assert_eq!(holds.lift(1, order()).await.unwrap(), at(NOW + HOUR));
    erasures.erase_face(face.id, order()).await.unwrap();
    assert_eq!(findings(&store, &pem), [""; 0]);
}

async fn an_erasure_that_was_interrupted_is_completed(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let pem = signed(&store);
    let check = record(&store, patterned(1, "session-1")).await;
    // Nothing is erased if the receipt cannot be written.
    database.execute("ALTER TABLE liveness_face_erasures RENAME TO hidden");
    let failed = store.erasures().erase_face(check.id, order()).await;
    assert!(matches!(failed, Err(ErasureError::Store(_))));
    database.execute("ALTER TABLE hidden RENAME TO liveness_face_erasures");
    assert!(face_of(&store, &check).await.is_some());
    // The process ended after the key was destroyed, and before the commit.
    vault.place.execute("DELETE FROM liveness_face_keys");
    assert_eq!(face_of(&store, &check).await, None);

    store.erasures().erase_face(check.id, order()).await.unwrap();

    let evidence = store.checks().evidence(check.id).await.unwrap().unwrap();
    assert!(evidence.erasure.is_some());
    assert_eq!(findings(&store, &pem), [""; 0]);
}

async fn of_erasures_and_a_hold_at_once_one_wins(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let pem = signed(&store);
    for user in 1..=4 {
        let check = record(&store, with_face(recording(user, &format!("session-{user}")))).await;
        let others = [vault.open(&database), vault.open(&database)];
        for other in &others {
            let key = TrailKey::from_pem(&pem).unwrap();
            other.trail().sign_entries(&key).unwrap();
        }
        let (erased, held) = race(&store, &others, &check).await;

        assert!(
            erased.len() == 3 && (held.is_ok() || matches!(held, Err(ErasureError::Erased))),
            "{held:?}"
        );
        let done = erased.iter().filter(|erased| erased.is_ok()).count();
        let is_there = face_of(&store, &check).await.is_some();
        assert_eq!(done, usize::from(!is_there), "{erased:?}");
        let refused = |erased: &Result<ErasedFace, ErasureError>| match erased {
            Ok(_) => true,
            Err(ErasureError::Erased) => !is_there,
            Err(ErasureError::Held) => true,
            Err(_) => false,
        };
        assert!(erased.iter().all(refused), "{erased:?}");
    }
    assert_eq!(findings(&store, &pem), [""; 0]);
}

/// Three stores erase a face, and one of them places a hold, all at once.
async fn race(
    store: &Store,
    others: &[Store; 2],
    check: &LivenessCheck,
) -> (Vec<Result<ErasedFace, ErasureError>>, Result<(), ErasureError>) {
    let barrier = Arc::new(Barrier::new(4));
    let erasing = [store, &others[0], &others[1]].map(|store| {
        let (store, barrier, id) = (store.clone(), Arc::clone(&barrier), check.id);
        tokio::spawn(async move {
            barrier.wait().await;
            store.erasures().erase_face(id, order()).await
        })
    });
    barrier.wait().await;
    let held = others[0]
        .holds()
        .place(check.self_service_user_id, false, order())
        .await
        .map(drop);
    let mut erased = Vec::new();
    for erasing in erasing {
        erased.push(erasing.await.unwrap());
    }
    (erased, held)
}

/// What somebody does to the database who has all rights in it, and what is found. The face of record 1 was erased, that of
/// record 2 was not, and record 3 never had one.
const TAMPERING: &[(&str, &str)] = &[
    (
        "DELETE FROM liveness_images WHERE liveness_check_id = 2; \
         INSERT INTO liveness_face_erasures SELECT 2, 2, face_digest, was_sealed, erased_at, because, writer, writer_count \
         FROM liveness_face_erasures; \
         UPDATE liveness_checks SET has_image = false, face_erased_at = 1774191605000 WHERE id = 2",
        "the face of record 2 was taken away",
    ),
    (
        "UPDATE liveness_checks SET has_image = false WHERE id = 2",
        "record 2 was changed",
    ),
    (
        "INSERT INTO liveness_face_erasures SELECT 2, 2, face_digest, was_sealed, erased_at, because, writer, writer_count \
         FROM liveness_face_erasures",
        "the erasure of the face of record 2 was put in or changed: no audit entry tells of it",
    ),
    (
        "UPDATE liveness_checks SET has_image = false, face_erased_at = 1774191605000 WHERE id = 2",
        "the face of record 2 is there, and the record says that it was erased",
    ),
    (
        "UPDATE liveness_checks SET has_image = false, face_erased_at = 1774191605000 WHERE id = 3",
        "record 3 was changed",
    ),
    (
        "UPDATE liveness_checks SET has_image = true, face_erased_at = NULL WHERE id = 1; DELETE FROM liveness_face_erasures",
        "the face of record 1 was erased, and the database does not say so any more",
    ),
    (
        "UPDATE liveness_checks SET face_erased_at = face_erased_at - 1 WHERE id = 1",
        "the face of record 1 was erased, and the database does not say so any more",
    ),
    (
        "UPDATE liveness_face_erasures SET because = 'another reason'",
        "the face of record 1 was taken away",
    ),
    (
        "INSERT INTO liveness_images SELECT 1, media_type, bytes, 1, NULL, NULL FROM liveness_images WHERE liveness_check_id = 2",
        "the face of record 1 was erased, and was put back",
    ),
    (
        "UPDATE liveness_audit_entries SET subject = replace(subject, '2026-118', '2026-119') \
         WHERE message = 'EraseFaceCommand'",
        "was changed: its leaf says something else",
    ),
    (
        "DELETE FROM liveness_audit_entries WHERE message = 'EraseFaceCommand'",
        "was taken away",
    ),
];

async fn tampering_with_an_erasure_is_found(database: Database) {
    let store = &database.store;
    let pem = signed(store);
    record(store, with_face(recording(1, "session-1"))).await;
    record(store, with_face(recording(2, "session-2"))).await;
    record(store, recording(3, "session-3")).await;
    store.erasures().erase_face(1, order()).await.unwrap();
    assert_eq!(findings(store, &pem), [""; 0]);
    for (statements, expected) in TAMPERING {
        let kept = [
            "liveness_checks",
            "liveness_images",
            "liveness_face_erasures",
            "liveness_audit_entries",
        ];
        for table in kept {
            database.execute(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}"));
        }
        database.execute(statements);
        let found = verified(store, &pem).findings;
        assert!(
            found.iter().any(|found| found.contains(expected)),
            "{statements}: {found:?}"
        );
        for table in [
            "liveness_images",
            "liveness_checks",
            "liveness_face_erasures",
            "liveness_audit_entries",
        ] {
            database.execute(&format!("DELETE FROM {table}"));
        }
        for table in kept {
            database.execute(&format!(
                "INSERT INTO {table} SELECT * FROM kept_{table}; DROP TABLE kept_{table}"
            ));
        }
        assert_eq!(verified(store, &pem).findings, [""; 0], "{statements}");
    }
}

async fn a_face_that_was_swapped_before_it_was_erased_is_found(database: Database) {
    let store = &database.store;
    let pem = signed(store);
    record(store, with_face(recording(1, "session-1"))).await;
    database.execute(database.pick(
        "UPDATE liveness_images SET bytes = X'FFD8FF'",
        "UPDATE liveness_images SET bytes = '\\xFFD8FF'",
    ));

    store.erasures().erase_face(1, order()).await.unwrap();

    let found = findings(store, &pem);
    assert!(
        found.len() == 1 && found[0].contains("the face of record 1 was changed before it was erased"),
        "{found:?}"
    );
}

async fn a_key_of_another_face_is_not_destroyed(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let pem = signed(&store);
    let swapped = record(&store, patterned(1, "session-1")).await;
    let other = record(&store, patterned(2, "session-2")).await;
    database.execute(&format!(
        "UPDATE liveness_images SET sealed_key_id = (SELECT sealed_key_id FROM liveness_images WHERE liveness_check_id = {}) \
         WHERE liveness_check_id = {}",
        other.id, swapped.id
    ));

    let refused = store.erasures().erase_face(swapped.id, order()).await;

    assert!(matches!(refused, Err(ErasureError::Store(_))), "{refused:?}");
    assert!(face_of(&store, &other).await.is_some());
    let given = format!(
        "the face of record {} was given another key than it is sealed with",
        swapped.id
    );
    let found = findings(&store, &pem);
    assert!(found.iter().any(|finding| finding.starts_with(&given)), "{found:?}");
}

async fn a_rotation_says_since_when_a_face_is_unreadable(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    record(&store, patterned(1, "session-1")).await;
    let keys = store.face_keys().unwrap();
    assert_eq!(keys.unreadable_since(at(NOW)).unwrap(), None);

    vault.keys().rotate(|_| {}).unwrap();

    let since = keys.unreadable_since(at(NOW)).unwrap().unwrap();
    assert_eq!(keys.unreadable_since(at(since.unix_millis() + 1)).unwrap(), None);
}

on_each_engine!(
    an_erased_face_leaves_a_receipt_and_the_others_stay,
    an_erasure_is_accepted_before_its_entry_is_in_the_log,
    a_face_in_clear_is_erased_by_its_bytes,
    what_cannot_be_erased_is_told_and_left_as_it_is,
    of_erasures_and_a_hold_at_once_one_wins,
    a_face_that_was_swapped_before_it_was_erased_is_found,
    a_key_of_another_face_is_not_destroyed,
    a_rotation_says_since_when_a_face_is_unreadable;
    not on Citus: an_erasure_that_was_interrupted_is_completed, tampering_with_an_erasure_is_found,
);

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_face_is_not_erased_by_a_store_without_its_keys() {
    let database = Database::sqlite();
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let check = record(&store, patterned(1, "session-1")).await;

    let refused = database.store.erasures().erase_face(check.id, order()).await;

    assert!(matches!(refused, Err(ErasureError::Store(StoreError::Internal(_)))));
}
