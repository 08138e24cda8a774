//! A principal looks at so many faces in 24 hours, and at none more, on however many nodes.

use std::time::Duration;

use liveness_core::store::{LookLimit, Looked, Store};
use liveness_core::{AuditEntry, AuditSubject};

use crate::database::{Database, on_each_engine};
use crate::samples::{HOUR, NOW, at, at_once, audit_entry, recording, with_face};

const LOOK: &str = "GetLivenessCheckQuery";

fn look(principal: &str, unix_millis: i64) -> AuditEntry {
    AuditEntry {
        at: at(unix_millis),
        principal: principal.to_owned(),
        message: LOOK.into(),
        subject: AuditSubject {
            liveness_check_id: Some(1),
            face_digest: Some([7; 32]),
            ..AuditSubject::default()
        },
        ..audit_entry(1)
    }
}

async fn append(store: &Store, faces_a_day: u32, entry: AuditEntry) -> Looked {
    let messages = &[LOOK, "GetUserLivenessCheckQuery"];
    let limit = LookLimit { faces_a_day, messages };
    store.trail().append_look(entry, limit).await.unwrap()
}

fn refused(wait: i64) -> Looked {
    Looked::Refused {
        retry_after: Duration::from_millis(u64::try_from(wait).unwrap()),
    }
}

async fn the_next_look_is_allowed_when_the_oldest_that_counts_is_a_day_old(database: Database) {
    let store = &database.store;
    for hour in [0, 3, 4] {
        assert_eq!(append(store, 3, look("a", NOW + hour * HOUR)).await, Looked::Allowed);
    }

    assert_eq!(append(store, 3, look("a", NOW + 5 * HOUR)).await, refused(19 * HOUR));
    assert_eq!(append(store, 3, look("a", NOW + 24 * HOUR - 1)).await, refused(1));
    assert_eq!(append(store, 3, look("a", NOW + 24 * HOUR)).await, Looked::Allowed);
    assert_eq!(append(store, 3, look("a", NOW + 24 * HOUR)).await, refused(3 * HOUR));
    // With a lower limit, more of the looks have to be a day old.
    assert_eq!(append(store, 1, look("a", NOW + 25 * HOUR)).await, refused(23 * HOUR));
}

async fn a_refused_look_leaves_an_entry_that_names_the_record_and_no_face(database: Database) {
    append(&database.store, 1, look("a", NOW)).await;
    append(&database.store, 1, look("a", NOW + 1)).await;

    let entries = database.store.trail().newest(10).await.unwrap();

    let of = |entry: &AuditEntry| {
        let AuditSubject {
            liveness_check_id,
            face_digest,
            ..
        } = entry.subject;
        (entry.outcome.to_string(), liveness_check_id, face_digest)
    };
    let entries: Vec<_> = entries.iter().map(of).collect();
    let expected = [("65".into(), Some(1), None), ("00".into(), Some(1), Some([7; 32]))];
    assert_eq!(entries, expected);
}

async fn only_looks_of_the_same_principal_count(database: Database) {
    let store = &database.store;
    append(store, 1, look("a", NOW)).await;
    let other_issuer = AuditEntry {
        issuer: Some("https://other.example".into()),
        ..look("a", NOW)
    };
    let no_issuer = AuditEntry {
        issuer: None,
        ..look("a", NOW)
    };

    for entry in [look("b", NOW), other_issuer, no_issuer] {
        assert_eq!(append(store, 1, entry.clone()).await, Looked::Allowed, "{entry:?}");
        assert_eq!(append(store, 1, entry.clone()).await, refused(24 * HOUR), "{entry:?}");
    }
}

async fn what_shows_no_face_does_not_count(database: Database) {
    // A recording of the same principal has a face, and is no look.
    let mut recording = with_face(recording(1, "session-1"));
    recording.audit_entry.principal = "a".into();
    database.record(recording).await;
    let faceless = AuditEntry {
        subject: AuditSubject::default(),
        ..look("a", NOW)
    };
    let export = AuditEntry {
        message: "checks export".into(),
        ..look("a", NOW)
    };
    let failed = AuditEntry {
        outcome: "91".into(),
        ..look("a", NOW)
    };
    let entries = vec![faceless, export, failed];
    database.store.trail().append_all(entries).await.unwrap();

    assert_eq!(append(&database.store, 1, look("a", NOW)).await, Looked::Allowed);
    assert_eq!(append(&database.store, 1, look("a", NOW)).await, refused(24 * HOUR));
}

async fn of_forty_looks_at_once_on_two_stores_none_is_one_too_many(database: Database) {
    let stores = [database.store.clone(), database.open()];
    let calls = (0..40).map(|number| {
        let store = stores[number % 2].clone();
        // Two principals, each of them on both stores.
        let principal = if number / 2 % 2 == 0 { "a" } else { "b" };
        async move { append(&store, 7, look(principal, NOW)).await }
    });

    let answers = at_once(calls).await;

    let allowed = answers.iter().filter(|looked| **looked == Looked::Allowed).count();
    assert_eq!((answers.len(), allowed), (40, 14));
    let written = "SELECT count(*) FROM liveness_audit_entries WHERE outcome = ";
    assert_eq!(database.number(&format!("{written}'00'")), 14);
    assert_eq!(database.number(&format!("{written}'65'")), 26);
}

on_each_engine! {
    the_next_look_is_allowed_when_the_oldest_that_counts_is_a_day_old,
    a_refused_look_leaves_an_entry_that_names_the_record_and_no_face,
    only_looks_of_the_same_principal_count,
    what_shows_no_face_does_not_count,
    of_forty_looks_at_once_on_two_stores_none_is_one_too_many,
}
