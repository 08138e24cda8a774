//! Erasures of single records, as their retention orders them: what names the person is gone from them, and nothing else is.

use liveness_core::store::{ErasureError, Store};
use liveness_core::{CompletionRule, Decision, Timestamp};

use crate::database::{Database, on_each_engine};
use crate::erasures::{findings, signed};
use crate::samples::{HOUR, NOW, at, decision, made_at, order};
use crate::sealed_faces::{Vault, face_of, record};
use crate::unfinished_erasures::{a_minute_later, let_commits_fail, let_commits_succeed};
use crate::user_erasures::{ADDRESS, NAME, everything_in, look, of_jane};

/// The ids of the records that are due, and the users who keep theirs.
async fn old(store: &Store, user: Option<i64>, before: Timestamp) -> (Vec<i64>, Vec<i64>) {
    let (mut due, mut held, mut after) = (Vec::new(), Vec::new(), None);
    while let Some(found) = store.erasures().old_records(user, before, after).await.unwrap() {
        due.extend(found.due.into_iter().map(|(id, _)| id));
        held.extend(found.held);
        after = Some(found.next);
    }
    (due, held)
}

async fn what_names_the_person_is_gone_from_one_record(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let pem = signed(&store);
    let gone = record(&store, of_jane("session-1")).await;
    store.trail().append_all(vec![look()]).await.unwrap();
    let decided = decision(gone.id, "reviewer-1", Decision::Approve, 0);
    store.reviews().decide(decided).await.unwrap();
    assert_eq!(findings(&store, &pem), [""; 0]);
    let before = everything_in(&database);
    assert!(before.contains(NAME) && before.contains(ADDRESS) && before.contains("passport"));

    let erased = store.erasures().erase_record(gone.id, order()).await.unwrap();

    assert_eq!((erased.liveness_check_id, erased.erased_at), (gone.id, at(NOW + HOUR)));
    assert!(erased.face_digest.is_some());
    assert_eq!(face_of(&store, &gone).await, None);
    let after = everything_in(&database);
    assert!(
        !after.contains(NAME) && !after.contains(ADDRESS) && !after.contains("passport"),
        "{after}"
    );
    assert_eq!(
        database.number("SELECT count(*) FROM liveness_audit_entries WHERE principal = 'reviewer-1'"),
        2
    );
    assert_eq!(findings(&store, &pem), [""; 0]);
    let completing = store
        .checks()
        .completing(1, CompletionRule::AnySuccessful)
        .await
        .unwrap();
    assert_eq!(completing.map(|check| check.session_id), Some("session-1".into()));
    let again = store.erasures().erase_record(gone.id, order()).await;
    assert!(matches!(again, Err(ErasureError::Erased)));
    let decided = decision(gone.id, "reviewer-2", Decision::Approve, 1);
    assert!(store.reviews().decide(decided).await.is_err());
}

async fn the_other_records_of_the_user_stay_until_the_user_is_erased(database: Database) {
    let store = &database.store;
    let pem = signed(store);
    let gone = record(store, of_jane("session-1")).await;
    let kept = record(store, of_jane("session-2")).await;
    store.erasures().erase_record(gone.id, order()).await.unwrap();

    let evidence = store.checks().evidence(kept.id).await.unwrap().unwrap();
    assert!(evidence.face.is_some() && evidence.check.has_image);
    assert!(everything_in(&database).contains(NAME));
    assert_eq!(findings(store, &pem), [""; 0]);

    let erased = store.erasures().erase_user(1, true, order()).await.unwrap();
    assert_eq!((erased.records, erased.faces), (2, 1));
    assert!(!everything_in(&database).contains(NAME));
    assert_eq!(findings(store, &pem), [""; 0]);
}

async fn a_record_that_was_changed_before_it_was_erased_is_found_for_good(database: Database) {
    let store = &database.store;
    let pem = signed(store);
    let alone = record(store, of_jane("session-1")).await;
    let with_user = record(store, of_jane("session-2")).await;
    let untouched = record(store, of_jane("session-3")).await;
    database.execute(&format!(
        "UPDATE liveness_checks SET lighting_value = 0.25 WHERE id <> {}",
        untouched.id
    ));

    store.erasures().erase_record(alone.id, order()).await.unwrap();
    store.erasures().erase_user(1, true, order()).await.unwrap();

    let found = findings(store, &pem);
    for id in [alone.id, with_user.id] {
        let changed = format!("record {id} was changed (leaf ");
        assert!(found.iter().any(|finding| finding.starts_with(&changed)), "{found:?}");
    }
    let of_another = format!("record {} ", untouched.id);
    assert!(!found.iter().any(|finding| finding.contains(&of_another)), "{found:?}");
    assert!(!everything_in(&database).contains(NAME));
}

async fn a_record_is_old_until_it_is_erased_and_never_while_its_user_is_held(database: Database) {
    let store = &database.store;
    signed(store);
    let mut ids = Vec::new();
    for (user, hours) in [(1, 0), (2, 1), (1, 2), (3, 9)] {
        let mut recording = made_at(NOW + hours * HOUR, of_jane(&format!("session-{user}-{hours}")));
        recording.check.user.id = user;
        recording.check.image = recording.check.image.filter(|_| user != 2);
        recording.audit_entry.self_service_user_id = Some(user);
        ids.push(record(store, recording).await.id);
    }
    // A record that had no names from the beginning.
    database.execute(&format!(
        "UPDATE liveness_checks SET device_info = NULL, client_ip = NULL, metadata = NULL, image_metadata = NULL, image_path = NULL, \
         pre_registration_id = NULL, idempotency_key = NULL WHERE id = {}",
        ids[1]
    ));
    let before = at(NOW + 5 * HOUR);
    assert_eq!(old(store, None, before).await, (ids[..3].to_vec(), vec![]));
    assert_eq!(old(store, Some(1), before).await, (vec![ids[0], ids[2]], vec![]));

    store.holds().place(1, true, order()).await.unwrap();
    assert_eq!(old(store, None, before).await, (vec![ids[1]], vec![1]));
    let held = store.erasures().erase_record(ids[0], order()).await;
    assert!(matches!(held, Err(ErasureError::Held)));
    store.holds().lift(1, order()).await.unwrap();

    for (place, id) in ids[..3].iter().enumerate() {
        store.erasures().erase_record(*id, order()).await.unwrap();
        assert_eq!(old(store, None, before).await.0, ids[place + 1..3]);
    }
    let no_record = store.erasures().erase_record(9000, order()).await;
    assert!(matches!(no_record, Err(ErasureError::NoSuchRecord)));
}

async fn an_erasure_whose_commit_fails_is_completed_by_the_job(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let pem = signed(&store);
    let check = record(&store, of_jane("session-1")).await;
    let_commits_fail(&database);

    let failed = store.erasures().erase_record(check.id, order()).await;

    assert!(matches!(failed, Err(ErasureError::Store(_))), "{failed:?}");
    assert_eq!(face_of(&store, &check).await, None);
    let_commits_succeed(&database);
    let orders = "SELECT count(*) FROM liveness_jobs WHERE kind = 'erasures.complete'";
    assert_eq!(database.number(orders), 1);
    a_minute_later(&store, &database).await;

    assert!(!everything_in(&database).contains(NAME));
    let receipt = store.trail().newest(1).await.unwrap().remove(0);
    assert_eq!(receipt.principal, "officer-1");
    assert_eq!(findings(&store, &pem), [""; 0]);
}

on_each_engine!(
    what_names_the_person_is_gone_from_one_record,
    the_other_records_of_the_user_stay_until_the_user_is_erased,
    a_record_that_was_changed_before_it_was_erased_is_found_for_good,
    a_record_is_old_until_it_is_erased_and_never_while_its_user_is_held;
    not on Citus: an_erasure_whose_commit_fails_is_completed_by_the_job,
);
