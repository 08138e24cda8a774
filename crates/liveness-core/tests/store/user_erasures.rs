//! Erasures of users: what names a person is gone, what is left is proven, and what is changed afterwards is found.

use std::net::IpAddr;
use std::sync::Arc;

use liveness_core::store::{ErasedUser, ErasureError, InLog, Recording, Store, TrailPart};
use liveness_core::trail::TrailKey;
use liveness_core::{AuditEntry, AuditSubject, ImagePath, ReceivedObject, Shown, User};

use crate::database::{Database, on_each_engine};
use crate::erasures::{findings, signed};
use crate::samples::{HOUR, NOW, at, audit_entry, keyed, order, recording, with_face};
use crate::sealed_faces::{Vault, record};

/// A word that names the person, and is in everything that was recorded of them.
pub(crate) const NAME: &str = "jane";
pub(crate) const ADDRESS: &str = "41.58.12.100";

pub(crate) fn jane() -> User {
    User {
        id: 1,
        user_id: "USR-jane".into(),
        pre_registration_id: Some(77),
        email_address: Some("jane@example.com".into()),
        first_name: Some("jane".into()),
        display_name: Some("jane doe".into()),
        ..User::default()
    }
}

fn address() -> Option<IpAddr> {
    Some(ADDRESS.parse().unwrap())
}

/// A record of the person, full of names.
pub(crate) fn of_jane(session: &str) -> Recording {
    let mut recording = with_face(keyed(1, session, &format!("{NAME}-{session}"), "{}"));
    let named = serde_json::value::RawValue::from_string(r#"{"holder":"jane"}"#.into()).unwrap();
    let named = ReceivedObject::parse(named).unwrap();
    recording.check.user = jane();
    recording.check.metadata = Some(named.clone());
    recording.check.image_metadata = Some(named);
    recording.check.image_path = Some(ImagePath::parse("/jane/1.jpg").unwrap());
    recording.check.client_address = address();
    recording.audit_entry = of_sender("SubmitLivenessCheckCommand");
    recording
}

/// An entry of a message that the person sent.
pub(crate) fn of_sender(message: &'static str) -> AuditEntry {
    AuditEntry {
        principal: "jane@idp".into(),
        actor: None,
        message: message.into(),
        client_address: address(),
        ..audit_entry(1)
    }
}

/// A look of a reviewer at the person's record.
pub(crate) fn look() -> AuditEntry {
    AuditEntry {
        principal: "reviewer-1".into(),
        roles: "admin".into(),
        message: "GetLivenessCheckQuery".into(),
        subject: AuditSubject {
            liveness_check_id: Some(1),
            face_digest: Some([7; 32]),
            shown: Shown {
                purpose: Some("jane has called".into()),
                ..Shown::default()
            },
        },
        ..audit_entry(1)
    }
}

/// A refused message of the person, which concerned nobody.
fn refused() -> AuditEntry {
    AuditEntry {
        self_service_user_id: None,
        outcome: "57".into(),
        ..of_sender("RetrieveLivenessChecksQuery")
    }
}

/// A store with the records of two users. The first is to be erased.
async fn recorded(store: &Store) {
    store.users().put(vec![jane()], at(NOW)).await.unwrap();
    for number in 1..=20 {
        record(store, of_jane(&format!("session-{number}"))).await;
    }
    record(store, recording(1, "faceless")).await;
    record(store, with_face(recording(2, "of-another"))).await;
    store.trail().append_all(vec![look(), refused()]).await.unwrap();
}

/// Every text and number of the database, one row a line.
pub(crate) fn everything_in(database: &Database) -> String {
    let tables = [
        "liveness_checks",
        "liveness_users",
        "liveness_audit_entries",
        "liveness_face_erasures",
    ];
    let mut all = String::new();
    for table in tables {
        let columns = database.texts(&database.pick(
            format!("SELECT name FROM pragma_table_info('{table}')"),
            format!("SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}'"),
        ));
        for column in columns {
            let text = database.pick(format!("quote({column})"), format!("{column}::text"));
            all += &database
                .texts(&format!(
                    "SELECT coalesce({text}, '') FROM {table} WHERE {text} IS NOT NULL"
                ))
                .join("\n");
        }
    }
    all
}

async fn what_names_the_person_is_gone_and_the_trail_is_whole(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let pem = signed(&store);
    recorded(&store).await;
    assert_eq!(findings(&store, &pem), [""; 0]);
    let before = everything_in(&database);
    assert!(before.contains(NAME) && before.contains(ADDRESS));

    let erased = store.erasures().erase_user(1, false, order()).await.unwrap();

    let expected = ErasedUser {
        self_service_user_id: 1,
        records: 21,
        faces: 20,
        erased_at: at(NOW + HOUR),
        unreadable_from: None,
    };
    assert_eq!(erased, expected);
    let after = everything_in(&database);
    assert!(!after.contains(NAME) && !after.contains(ADDRESS), "{after}");
    assert_eq!(database.number("SELECT count(*) FROM liveness_images"), 1);
    assert_eq!(
        database.number("SELECT CAST(sum(checks) AS BIGINT) FROM liveness_check_totals WHERE pre_registration_id = 77"),
        0
    );
    assert_eq!(
        database
            .number("SELECT CAST(sum(checks) AS BIGINT) FROM liveness_check_totals WHERE pre_registration_id = 0 AND NOT has_image"),
        21
    );
    // The trail goes on to say who has looked.
    assert_eq!(
        database.number("SELECT count(*) FROM liveness_audit_entries WHERE principal = 'reviewer-1'"),
        1
    );
    assert_eq!(findings(&store, &pem), [""; 0]);
    let completing = store
        .checks()
        .completing(1, liveness_core::CompletionRule::AnySuccessful)
        .await
        .unwrap();
    assert_eq!(
        completing.map(|check| (check.session_id, check.has_image)),
        Some(("faceless".into(), false))
    );
    let again = store.erasures().erase_user(1, false, order()).await;
    assert!(matches!(again, Err(ErasureError::Erased)));
}

async fn a_user_who_records_again_can_be_erased_again(database: Database) {
    let store = &database.store;
    let pem = signed(store);
    recorded(store).await;
    store.erasures().erase_user(1, false, order()).await.unwrap();
    record(store, of_jane("session-1")).await;

    let erased = store.erasures().erase_user(1, false, order()).await.unwrap();

    assert_eq!((erased.records, erased.faces), (1, 1));
    assert!(!everything_in(&database).contains(NAME));
    assert_eq!(findings(store, &pem), [""; 0]);
}

async fn an_erasure_that_was_interrupted_goes_on(database: Database) {
    let store = &database.store;
    let pem = signed(store);
    recorded(store).await;
    database.execute("ALTER TABLE liveness_entry_erasures RENAME TO hidden");
    let failed = store.erasures().erase_user(1, false, order()).await;
    assert!(matches!(failed, Err(ErasureError::Store(_))), "{failed:?}");
    database.execute("ALTER TABLE hidden RENAME TO liveness_entry_erasures");
    assert_eq!(findings(store, &pem), [""; 0]);
    let held = store.holds().place(1, false, order()).await;
    assert!(matches!(held, Err(ErasureError::Erased)));

    let erased = store.erasures().erase_user(1, false, order()).await.unwrap();

    assert_eq!((erased.records, erased.faces), (21, 20));
    assert!(!everything_in(&database).contains(NAME));
    assert_eq!(findings(store, &pem), [""; 0]);
}

async fn entries_from_before_there_was_a_log_are_erased_too(database: Database) {
    let store = &database.store;
    let pem = signed(store);
    recorded(store).await;
    // As a version before the log has written it.
    database.execute(
        "INSERT INTO liveness_audit_entries (id, at, request_id, principal, roles, message, outcome, self_service_user_id) \
         VALUES (900, 1, 'r', 'jane@idp', 'customer', 'SubmitLivenessCheckCommand', '00', 1); \
         UPDATE liveness_trail_head SET last_unwritten_id = 900",
    );
    assert_eq!(findings(store, &pem), [""; 0]);

    store.erasures().erase_user(1, false, order()).await.unwrap();

    assert!(!everything_in(&database).contains(NAME));
    assert_eq!(findings(store, &pem), [""; 0]);
}

async fn a_receipt_of_an_erased_record_still_proves_it(database: Database) {
    let store = &database.store;
    let pem = signed(store);
    recorded(store).await;
    store.erasures().erase_user(1, false, order()).await.unwrap();
    assert_eq!(findings(store, &pem), [""; 0]);
    let key = || Arc::new(TrailKey::from_pem(&pem).unwrap());

    let InLog::Proven(proven) = store.trail().record_in_log(&key(), 1, 1).await.unwrap() else {
        panic!("the record is in the log");
    };
    assert_eq!((proven.session_id.as_str(), proven.nonce), ("session-1", None));
    database.execute("UPDATE liveness_checks SET session_id = 'session-2' WHERE id = 1");
    assert!(store.trail().record_in_log(&key(), 1, 1).await.is_err());
}

/// What somebody does to the database who has all rights in it, and what is found. User 1 was erased.
const TAMPERING: &[(&str, &str)] = &[
    (
        "UPDATE liveness_checks SET is_successful = false WHERE id = 1",
        "record 1 was changed",
    ),
    (
        "UPDATE liveness_checks SET client_ip = '10.0.0.1' WHERE id = 2",
        "record 2 was changed",
    ),
    (
        "UPDATE liveness_checks SET created_at = created_at - 1 WHERE id = 21",
        "record 21 was changed",
    ),
    (
        "UPDATE liveness_audit_entries SET principal = 'somebody' WHERE principal = '' AND record_digest IS NOT NULL",
        "was changed: its sender was erased, and it has one",
    ),
    (
        "UPDATE liveness_audit_entries SET principal = '', request_id = '', issuer = NULL, actor = NULL \
         WHERE principal = 'reviewer-1'",
        "was changed: its leaf says something else",
    ),
    (
        "UPDATE liveness_audit_entries SET self_service_user_id = 2 WHERE principal = 'reviewer-1'",
        "and no entry tells of that",
    ),
    ("DELETE FROM liveness_entry_erasures", "and no entry tells of that"),
    (
        "DELETE FROM liveness_user_erasures",
        "the erasure of user 1 was taken away",
    ),
    (
        "INSERT INTO liveness_user_erasures SELECT 2, begun_at, done_at, records, faces, last_created_at, last_check_id \
         FROM liveness_user_erasures",
        "the erasure of user 2 was put in: no audit entry tells of it",
    ),
    (
        "UPDATE liveness_user_erasures SET records = records - 1",
        "the erasure of user 1 was changed",
    ),
    (
        "UPDATE liveness_user_erasures SET done_at = NULL",
        "the erasure of user 1 was changed",
    ),
    (
        "UPDATE liveness_audit_entries SET nonces = (SELECT nonces FROM liveness_audit_entries WHERE principal = '' AND \
         record_digest IS NOT NULL ORDER BY id LIMIT 1) WHERE message = 'EraseFaceCommand' AND liveness_check_id = 1",
        "was changed",
    ),
    (
        "DELETE FROM liveness_audit_entries WHERE message = 'EraseFaceCommand' AND liveness_check_id = 1",
        "record 1 was changed",
    ),
];

async fn tampering_with_what_was_erased_is_found(database: Database) {
    let store = &database.store;
    let pem = signed(store);
    recorded(store).await;
    store.erasures().erase_user(1, false, order()).await.unwrap();
    assert_eq!(findings(store, &pem), [""; 0]);
    let verified = || {
        let key = TrailKey::from_pem(&pem).unwrap();
        store
            .trail()
            .verify(&key, false, TrailPart::WHOLE, |_, _| {})
            .unwrap()
            .findings
    };
    let kept = [
        "liveness_checks",
        "liveness_entry_erasures",
        "liveness_user_erasures",
        "liveness_audit_entries",
    ];
    for (statement, expected) in TAMPERING {
        for table in kept {
            database.execute(&format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}"));
        }
        database.execute(statement);
        let found = verified();
        assert!(
            found.iter().any(|found| found.contains(expected)),
            "{statement}: {found:?}"
        );
        database.execute("DELETE FROM liveness_images");
        for table in kept {
            database.execute(&format!(
                "DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}; DROP TABLE kept_{table}"
            ));
        }
    }
}

async fn who_looked_cannot_be_taken_out_of_the_trail(database: Database) {
    let store = &database.store;
    let pem = signed(store);
    recorded(store).await;
    assert_eq!(findings(store, &pem), [""; 0]);
    // Another store has the key, and so the digests: it erases, and all that says so is taken away again.
    store.erasures().erase_user(2, false, order()).await.unwrap();
    database.execute("DELETE FROM liveness_entry_erasures");

    let found = findings(store, &pem);
    assert!(
        found.iter().any(|found| found.contains("no entry tells of that")),
        "{found:?}"
    );
}

on_each_engine!(
    what_names_the_person_is_gone_and_the_trail_is_whole,
    a_user_who_records_again_can_be_erased_again,
    a_receipt_of_an_erased_record_still_proves_it,
    who_looked_cannot_be_taken_out_of_the_trail;
    not on Citus: an_erasure_that_was_interrupted_goes_on, tampering_with_what_was_erased_is_found,
    entries_from_before_there_was_a_log_are_erased_too,
);
