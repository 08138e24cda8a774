//! The audit trail as a log: what is in it, and that nothing is changed, taken away or put in unseen.

use std::fs;

use liveness_core::store::{Store, TrailPart, TrailVerification, insert_audit_entry};
use liveness_core::trail::{
    HashTiles, SignedCheckpoint, TrailKey, inclusion_proof, leaf_hash, tile_path, verify_inclusion,
};
use liveness_core::{AuditSubject, Shown};

use crate::database::{Database, Link, on_each_engine};
use crate::samples::{at_once, audit_entry, recording, with_face};

fn key() -> TrailKey {
    TrailKey::generate().unwrap().key
}

/// Another handle to the same key.
fn again(pem: &str) -> TrailKey {
    TrailKey::from_pem(pem).unwrap()
}

fn verify(store: &Store, key: &TrailKey) -> TrailVerification {
    store.trail().verify(key, false, TrailPart::WHOLE, |_, _| {}).unwrap()
}

/// Puts what is new into the log, and signs a checkpoint of it.
fn integrate(store: &Store, pem: &str) {
    store.trail().keep(again(pem), false).unwrap().stop();
}

/// A database with records, faces, looks and a list, all of it in the log. The key is given as PEM.
async fn evidence(database: &Database) -> String {
    let made = TrailKey::generate().unwrap();
    database.store.trail().sign_entries(&made.key).unwrap();
    for user in 1..=6 {
        let of_user = recording(user, &format!("session-{user}"));
        database
            .record(if user % 2 == 0 { with_face(of_user) } else { of_user })
            .await;
    }
    let look = |subject| liveness_core::AuditEntry {
        subject,
        message: "GetLivenessCheckQuery".into(),
        principal: "reviewer-1".into(),
        ..audit_entry(2)
    };
    let looks = vec![
        look(AuditSubject {
            liveness_check_id: Some(2),
            face_digest: Some([7; 32]),
            shown: Shown::default(),
        }),
        look(AuditSubject {
            shown: Shown {
                records: vec![1, 2, 300],
                count: Some(3),
                page: Some(1),
                page_size: Some(20),
                purpose: Some("Ticket 4711".into()),
                ..Shown::default()
            },
            ..AuditSubject::default()
        }),
    ];
    database.store.trail().append_all(looks).await.unwrap();
    integrate(&database.store, made.pem.as_str());
    made.pem.as_str().to_owned()
}

async fn every_entry_is_in_the_log_and_binds_its_record_and_face(database: Database) {
    let pem = evidence(&database).await;

    let verified = verify(&database.store, &again(&pem));

    let expected = TrailVerification {
        // The first leaf says where the log begins.
        size: 9,
        signed: 9,
        entries: 9,
        records: 6,
        faces: 3,
        ..TrailVerification::default()
    };
    assert_eq!(verified, expected);
    let parts = (0..7).map(|number| TrailPart { number, of: 7 });
    let parts: Vec<_> = parts
        .map(|part| {
            database
                .store
                .trail()
                .verify(&again(&pem), false, part, |_, _| {})
                .unwrap()
        })
        .collect();
    assert_eq!(parts.iter().map(|part| part.entries).sum::<u64>(), 9);
    assert!(parts.iter().all(|part| part.findings.is_empty()), "{parts:?}");
}

/// What somebody does to the database who has all rights in it, and what is found.
const TAMPERING: &[(&str, &str)] = &[
    (
        "UPDATE liveness_checks SET verification_result = true, passed = true WHERE id = 3",
        "record 3 was changed",
    ),
    (
        "UPDATE liveness_checks SET created_at = created_at + 1 WHERE id = 4",
        "record 4 was changed",
    ),
    (
        "UPDATE liveness_checks SET metadata = '{}' WHERE id = 1",
        "record 1 was changed",
    ),
    (
        "UPDATE liveness_images SET bytes = (SELECT leaf_hash FROM liveness_audit_entries WHERE id = 1) \
         WHERE liveness_check_id = 2",
        "the face of record 2 was changed",
    ),
    (
        "UPDATE liveness_images SET media_type = 'image/png' WHERE liveness_check_id = 6",
        "the media type of the face of record 6 was changed",
    ),
    (
        "UPDATE liveness_images SET self_service_user_id = 5 WHERE liveness_check_id = 6",
        "the face of record 6 was given to another user",
    ),
    (
        "DELETE FROM liveness_images WHERE liveness_check_id = 2",
        "the face of record 2 was taken away",
    ),
    (
        "INSERT INTO liveness_images SELECT 1, media_type, bytes, 1, NULL, NULL FROM liveness_images WHERE liveness_check_id = 2",
        "the face of record 1 was put in",
    ),
    ("DELETE FROM liveness_checks WHERE id = 5", "record 5 was taken away"),
    (
        "INSERT INTO liveness_checks (id, self_service_user_id, session_id, is_successful, passed, has_image, created_at) \
         VALUES (7, 1, 'forged', true, true, false, 1774188005000)",
        "record 7 was put in: no audit entry tells of its recording",
    ),
    (
        "DELETE FROM liveness_audit_entries WHERE id = 7",
        "the audit entry of leaf … was taken away",
    ),
    (
        "UPDATE liveness_audit_entries SET principal = 'reviewer-2' WHERE id = 7",
        "audit entry 7 … was changed: its leaf says something else",
    ),
    (
        "UPDATE liveness_audit_entries SET at = at - 60000 WHERE id = 8",
        "audit entry 8 … was changed: its leaf says something else",
    ),
    (
        "UPDATE liveness_audit_entries SET subject = replace(subject, 'Ticket 4711', 'Ticket 4712') WHERE id = 8",
        "audit entry 8 … was changed: its leaf says something else",
    ),
    (
        "UPDATE liveness_audit_entries SET self_service_user_id = 3 WHERE id = 7",
        "audit entry 7 … was changed: its leaf says something else",
    ),
    (
        "UPDATE liveness_audit_entries SET writer = NULL WHERE id = 7",
        "audit entry 7 was put in: it is not in the log",
    ),
    // Two entries change places.
    (
        "UPDATE liveness_audit_entries SET writer_count = \
         (SELECT sum(writer_count) FROM liveness_audit_entries WHERE id IN (7, 8)) - writer_count WHERE id IN (7, 8)",
        "audit entry 7 … was changed: its leaf says something else",
    ),
    // An entry is put in, as a copy of another one.
    (
        "INSERT INTO liveness_audit_entries (id, at, request_id, principal, roles, message, outcome, nonces, writer, \
         writer_count, leaf_hash, mac) SELECT 9, at, request_id, 'reviewer-9', roles, message, outcome, nonces, writer, \
         writer_count, leaf_hash, mac FROM liveness_audit_entries WHERE id = 7",
        "audit entry 9 was put in: leaf … is that of another",
    ),
    // As one of a writer that nobody knows.
    (
        "INSERT INTO liveness_audit_entries (id, at, request_id, principal, roles, message, outcome, nonces, writer, \
         writer_count, leaf_hash, mac) SELECT 9, at, request_id, 'reviewer-9', roles, message, outcome, nonces, leaf_hash, \
         1, leaf_hash, mac FROM liveness_audit_entries WHERE id = 7",
        "audit entry 9 was put in: it is not in the log",
    ),
    // As one from before entries had a writer.
    (
        "INSERT INTO liveness_audit_entries (id, at, request_id, principal, roles, message, outcome) \
         VALUES (9, 1774188005000, 'r', 'reviewer-9', 'admin', 'GetLivenessCheckQuery', '00')",
        "audit entry 9 was put in: it is not in the log",
    ),
    (
        "UPDATE liveness_trail_head SET last_unbound_check_id = 100",
        "the row of liveness_trail_head was changed: the first leaf says something else",
    ),
    (
        "UPDATE liveness_trail_head SET size = 8",
        "the log has 8 entries, but a checkpoint of it has 9: its end was taken away",
    ),
    (
        "UPDATE liveness_trail_tiles SET hashes = (SELECT leaf_hash FROM liveness_audit_entries WHERE id = 1) WHERE level = 0",
        "tile",
    ),
    (
        "UPDATE liveness_trail_checkpoints SET note = replace(note, 'liveness.log/', 'other.log/')",
        "the checkpoint of 9 entries is not signed by the key of the trail",
    ),
    (
        "DELETE FROM liveness_trail_checkpoints",
        "the log has no checkpoint that the key of the trail has signed",
    ),
    // An entry is put in behind the last one of its writer, and is said to be in the log.
    (
        "UPDATE liveness_trail_runs SET entries = entries + 1 WHERE first_index > 0; \
         INSERT INTO liveness_audit_entries (id, at, request_id, principal, roles, message, outcome, nonces, writer, \
         writer_count, leaf_hash, mac) SELECT 9, at, request_id, 'reviewer-9', roles, message, outcome, nonces, writer, \
         9, leaf_hash, mac FROM liveness_audit_entries WHERE id = 7",
        "audit entry 9 was put in: it is not in the log",
    ),
    // The same by a run that begins before the log.
    (
        "INSERT INTO liveness_trail_runs SELECT -100, leaf_hash, 1, 200 FROM liveness_audit_entries WHERE id = 1; \
         INSERT INTO liveness_audit_entries (id, at, request_id, principal, roles, message, outcome, nonces, writer, \
         writer_count, leaf_hash, mac) SELECT 9, at, request_id, 'reviewer-9', roles, message, outcome, nonces, \
         (SELECT leaf_hash FROM liveness_audit_entries WHERE id = 1), 104, leaf_hash, mac \
         FROM liveness_audit_entries WHERE id = 7",
        "audit entry 9 was put in: it is not in the log",
    ),
    (
        "UPDATE liveness_trail_head SET size = 10",
        "no run leads to each leaf from 0 to 9",
    ),
    (
        "UPDATE liveness_trail_checkpoints SET size = 8",
        "the row of the checkpoint of 9 entries was changed",
    ),
    (
        "UPDATE liveness_trail_checkpoints SET hour = hour + 1",
        "the row of the checkpoint of 9 entries was changed",
    ),
    // The look that a search for record 300 is to find.
    (
        "DELETE FROM liveness_audit_lists WHERE bucket = 1",
        "a row of liveness_audit_lists was taken away: it leads from records to the list of audit entry 8",
    ),
    // What nobody uses any more is swept away: keys and objects.
    (
        "UPDATE liveness_images SET sealed_key_id = (SELECT leaf_hash FROM liveness_audit_entries WHERE id = 1) \
         WHERE liveness_check_id = 6",
        "the face of record 6 was given another key than it is sealed with",
    ),
    (
        "UPDATE liveness_images SET object_name = 'x' WHERE liveness_check_id = 6",
        "the face of record 6 is in object x of an object store, and none is named",
    ),
    (
        "UPDATE liveness_images SET self_service_user_id = NULL WHERE liveness_check_id = 6",
        "the face of record 6 was given to another user",
    ),
    (
        "INSERT INTO liveness_user_erasures VALUES (4, 1774188005000, 1774188005000, 1, 1, 0, 0)",
        "the erasure of user 4 was put in: no audit entry tells of it",
    ),
    (
        "DELETE FROM liveness_trail_runs WHERE first_index > 0",
        "audit entry 1 was put in: it is not in the log",
    ),
];

/// The tables that are tampered with, each behind those that it refers to.
const TABLES: [&str; 9] = [
    "liveness_checks",
    "liveness_images",
    "liveness_audit_entries",
    "liveness_audit_lists",
    "liveness_user_erasures",
    "liveness_trail_head",
    "liveness_trail_tiles",
    "liveness_trail_checkpoints",
    "liveness_trail_runs",
];

fn keep_copies(link: &mut Link) {
    for table in TABLES {
        link.execute(&format!("CREATE TABLE copy_of_{table} AS SELECT * FROM {table}"))
            .unwrap();
    }
}

fn restore_copies(link: &mut Link) {
    for table in TABLES.iter().rev() {
        link.execute(&format!("DELETE FROM {table}")).unwrap();
    }
    for table in TABLES {
        link.execute(&format!("INSERT INTO {table} SELECT * FROM copy_of_{table}"))
            .unwrap();
    }
}

async fn whatever_is_done_to_the_database_is_found_and_named(database: Database) {
    let pem = evidence(&database).await;
    let mut link = database.connect();
    keep_copies(&mut link);
    for (statement, expected) in TAMPERING {
        link.execute(statement)
            .unwrap_or_else(|error| panic!("{statement}: {error}"));

        let findings = verify(&database.store, &again(&pem)).findings;

        let is_found = findings
            .iter()
            .any(|finding| expected.split('…').all(|part| finding.contains(part)));
        assert!(is_found, "{statement}\nfound {findings:#?}\nand not {expected}");
        restore_copies(&mut link);
        assert_eq!(verify(&database.store, &again(&pem)).findings, [""; 0], "{statement}");
    }
}

/// Rows with what their columns do not hold: texts that are no UTF-8 on SQLite, and nothing where something must be on PostgreSQL.
const UNREADABLE: &[(&str, &str, &str)] = &[
    (
        "UPDATE liveness_checks SET device_info = CAST(X'7BFF7D' AS TEXT) WHERE id = 3",
        "ALTER TABLE liveness_checks ALTER COLUMN created_at DROP NOT NULL; UPDATE liveness_checks SET created_at = NULL WHERE id = 3",
        "what leaf ",
    ),
    (
        "UPDATE liveness_audit_entries SET principal = CAST(X'7BFF7D' AS TEXT) WHERE id = 7",
        "ALTER TABLE liveness_audit_entries ALTER COLUMN principal DROP NOT NULL; \
         UPDATE liveness_audit_entries SET principal = NULL WHERE id = 7",
        "what leaf ",
    ),
    (
        "INSERT INTO liveness_decisions VALUES (4, 1, 4, 0, CAST(X'7BFF7D' AS TEXT), NULL, 'reviewer-1', 1, 1, X'01', 1)",
        "ALTER TABLE liveness_decisions ALTER COLUMN reason DROP NOT NULL; \
         INSERT INTO liveness_decisions VALUES (4, 1, 4, 0, NULL, NULL, 'reviewer-1', 1, true, '\\x01', 1)",
        "a decision about record 4 was changed: it cannot be read",
    ),
    (
        "INSERT INTO liveness_face_erasures VALUES (4, 4, X'01', 1, 1, CAST(X'7BFF7D' AS TEXT), X'01', 1)",
        "ALTER TABLE liveness_face_erasures ALTER COLUMN because DROP NOT NULL; \
         INSERT INTO liveness_face_erasures VALUES (4, 4, '\\x01', true, 1, NULL, '\\x01', 1)",
        "the erasure of the face of record 4 was changed: it cannot be read",
    ),
    (
        "INSERT INTO liveness_legal_holds VALUES (4, 1, 'officer-1', CAST(X'7BFF7D' AS TEXT))",
        "ALTER TABLE liveness_legal_holds ALTER COLUMN because DROP NOT NULL; \
         INSERT INTO liveness_legal_holds VALUES (4, 1, 'officer-1', NULL)",
        "the legal hold on user 4 was changed: it cannot be read",
    ),
    (
        "INSERT INTO liveness_trail_checkpoints VALUES (1, 1, 1, CAST(X'7BFF7D' AS TEXT))",
        "ALTER TABLE liveness_trail_checkpoints ALTER COLUMN note DROP NOT NULL; \
         INSERT INTO liveness_trail_checkpoints VALUES (1, 1, 1, NULL)",
        "a checkpoint was changed: it cannot be read",
    ),
];

async fn a_row_that_cannot_be_read_is_found_and_hides_no_other(database: Database) {
    let pem = evidence(&database).await;
    database.execute("UPDATE liveness_checks SET verification_result = true, passed = true WHERE id = 5");
    for (number, (sqlite, postgres, _)) in UNREADABLE.iter().enumerate() {
        database.execute(database.pick(sqlite, postgres));

        let findings = verify(&database.store, &again(&pem)).findings;

        let unreadable = findings
            .iter()
            .filter(|finding| finding.contains("was changed: it cannot be read"));
        assert_eq!(unreadable.count(), number + 1, "{findings:#?}");
        let put_in = UNREADABLE[..=number].iter().map(|(.., expected)| *expected);
        for expected in put_in.chain(["record 5 was changed"]) {
            let is_found = findings.iter().any(|finding| finding.starts_with(expected));
            assert!(is_found, "{expected}: {findings:#?}");
        }
    }
}

/// A column of SQLite holds more than the program reads of it.
async fn a_number_of_more_bits_is_another_number(database: Database) {
    let pem = evidence(&database).await;
    database.execute(database.pick(
        "UPDATE liveness_checks SET session_duration = coalesce(session_duration, 0) + 4294967296 WHERE id = 2",
        "UPDATE liveness_checks SET session_duration = coalesce(session_duration, 0) + 1 WHERE id = 2",
    ));

    let findings = verify(&database.store, &again(&pem)).findings;

    assert!(
        findings.len() == 1 && findings[0].starts_with("record 2 was changed (leaf "),
        "{findings:?}"
    );
}

/// What happens to entries before they are in the log, by somebody who has no key.
async fn what_is_done_to_entries_that_are_not_in_the_log_yet_is_found(database: Database) {
    let pem = evidence(&database).await;
    let entries = vec![audit_entry(1), audit_entry(2), audit_entry(3), audit_entry(4)];
    database.store.trail().append_all(entries).await.unwrap();
    let forged = "INSERT INTO liveness_audit_entries (at, request_id, principal, roles, message, outcome, nonces, writer, \
        writer_count, leaf_hash) SELECT at, request_id, 'reviewer-9', roles, message, outcome, nonces, writer, ";
    let signed = forged.replace("leaf_hash)", "leaf_hash, mac)");
    for statement in [
        "DELETE FROM liveness_audit_entries WHERE id = 10".to_owned(),
        format!("{forged} writer_count, leaf_hash FROM liveness_audit_entries WHERE id = 11"),
        format!("{forged} writer_count + 1, leaf_hash FROM liveness_audit_entries WHERE id = 12"),
        // Copies with the proof of the entry that they are copies of: in its place, and in the next one.
        format!("{signed} writer_count, leaf_hash, mac FROM liveness_audit_entries WHERE id = 12"),
        format!("{signed} writer_count + 1, leaf_hash, mac FROM liveness_audit_entries WHERE id = 12"),
    ] {
        database.execute(&statement);
    }

    let keeper = database.store.trail().keep(again(&pem), false).unwrap();
    keeper.stop();

    let expected = [
        "1 audit entries were taken away or changed before the one with the id 11",
        "audit entry 13 was put in or changed: who wrote it does not have the key of the trail",
        "audit entry 14 was put in or changed: who wrote it does not have the key of the trail",
        "audit entry 15 was put in: its writer has another with its count",
        "audit entry 16 was put in or changed: who wrote it does not have the key of the trail",
    ];
    let mut found = keeper.state().findings;
    found.sort();
    assert_eq!(found, expected);
    // What was put in did not take the place of what was written.
    let log = verify(&database.store, &again(&pem));
    assert_eq!((log.size, log.entries), (12, 12));
    for id in [13, 14, 15, 16] {
        let named = format!("audit entry {id} was put in");
        assert!(
            log.findings.iter().any(|finding| finding.contains(&named)),
            "{id}: {log:?}"
        );
    }
}

async fn entries_of_an_embedding_backend_are_leaves_where_it_says_so(database: Database) {
    let pem = evidence(&database).await;
    match &mut database.connect() {
        Link::Sqlite(conn) => insert_audit_entry(conn, &audit_entry(1)).unwrap(),
        Link::Postgres(conn) => insert_audit_entry(conn, &audit_entry(1)).unwrap(),
    }

    database.store.trail().keep(again(&pem), true).unwrap().stop();

    let trail = database.store.trail();
    let accepting = trail.verify(&again(&pem), true, TrailPart::WHOLE, |_, _| {}).unwrap();
    assert_eq!((accepting.size, accepting.unsigned), (10, 1));
    assert_eq!(accepting.findings, [""; 0]);
    let refusing = verify(&database.store, &again(&pem)).findings;
    assert_eq!(
        refusing,
        ["audit entry 9 (leaf 9) was changed: mac is not made with the key of the trail"]
    );
}

async fn entries_from_before_are_the_first_leaves(database: Database) {
    database.execute(
        "INSERT INTO liveness_audit_entries (id, at, request_id, principal, roles, message, outcome) VALUES \
         (1, 1774188005000, 'r-1', '5', 'customer', 'SubmitLivenessCheckCommand', '00'), \
         (3, 1774188006000, 'r-2', 'reviewer-1', 'admin', 'GetLivenessCheckQuery', '00'); \
         UPDATE liveness_trail_head SET last_unwritten_id = 3",
    );
    let made = TrailKey::generate().unwrap();

    integrate(&database.store, made.pem.as_str());

    let verified = verify(&database.store, &made.key);
    assert_eq!((verified.size, verified.entries), (3, 3));
    assert_eq!(verified.findings, [""; 0]);
    database.execute("UPDATE liveness_audit_entries SET message = 'ListQuery' WHERE id = 3");
    let expected = ["audit entry 3 (leaf 2) was changed: its leaf says something else"];
    assert_eq!(verify(&database.store, &made.key).findings, expected);
}

async fn every_entry_of_several_nodes_is_in_the_log_once(database: Database) {
    let made = TrailKey::generate().unwrap();
    let pem = made.pem.as_str();
    let stores = [database.store.clone(), database.open()];
    let keepers = stores
        .each_ref()
        .map(|store| store.trail().keep(again(pem), false).unwrap());

    let writes = (0..200).map(|number| {
        let store = stores[number % 2].clone();
        async move { store.trail().append(audit_entry(1)).await.unwrap() }
    });
    at_once(writes).await;
    for keeper in &keepers {
        keeper.stop();
    }

    let verified = verify(&database.store, &made.key);
    assert_eq!((verified.size, verified.pending), (201, 0));
    assert_eq!(verified.findings, [""; 0]);
    for keeper in keepers {
        assert_eq!((keeper.state().findings, keeper.state().failure), (Vec::new(), None));
    }
}

async fn a_log_that_was_set_back_is_not_gone_on_with(database: Database) {
    let pem = evidence(&database).await;
    let mut link = database.connect();
    keep_copies(&mut link);
    database.store.trail().append(audit_entry(1)).await.unwrap();
    integrate(&database.store, &pem);
    // All but the checkpoints, of which somebody has forgotten one.
    link.execute("DELETE FROM copy_of_liveness_trail_checkpoints").unwrap();
    let checkpoint = "INSERT INTO copy_of_liveness_trail_checkpoints SELECT * FROM liveness_trail_checkpoints";
    link.execute(checkpoint).unwrap();
    restore_copies(&mut link);

    let keeper = database.store.trail().keep(again(&pem), false).unwrap();
    keeper.stop();

    let expected = "the trail has 9 entries, but a checkpoint of it has 10: the database was set back";
    assert_eq!(keeper.state().failure.as_deref(), Some(expected));
    assert_eq!(keeper.state().findings, [expected]);
}

/// The tiles of an export.
struct Exported<'a>(&'a std::path::Path);

impl HashTiles for Exported<'_> {
    type Error = std::io::Error;

    fn tile(&mut self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, std::io::Error> {
        fs::read(self.0.join(tile_path(level, index, width)))
    }
}

async fn an_export_has_all_leaves_and_the_tiles_that_prove_them(database: Database) {
    let pem = evidence(&database).await;
    let entries = vec![audit_entry(1); 300];
    database.store.trail().append_all(entries).await.unwrap();
    integrate(&database.store, &pem);
    let folder = tempfile::tempdir().unwrap();

    let size = database
        .store
        .trail()
        .export(&again(&pem), folder.path(), |_, _| {})
        .unwrap();

    assert_eq!(size, 309);
    let note = fs::read_to_string(folder.path().join("checkpoint")).unwrap();
    let signed = SignedCheckpoint::open(&note, again(&pem).verifier()).unwrap();
    let mut leaves = Vec::new();
    for bundle in ["tile/entries/000", "tile/entries/001.p/53"] {
        let bytes = fs::read(folder.path().join(bundle)).unwrap();
        let mut rest = &bytes[..];
        while let Some((length, more)) = rest.split_first_chunk::<2>() {
            let (leaf, more) = more.split_at(usize::from(u16::from_be_bytes(*length)));
            leaves.push(leaf.to_vec());
            rest = more;
        }
    }
    assert_eq!(leaves.len(), 309);
    let checkpoint = signed.checkpoint();
    for (index, leaf) in (0..).zip(&leaves) {
        let proof = inclusion_proof(&mut Exported(folder.path()), index, size).unwrap();
        verify_inclusion(&leaf_hash(leaf), index, size, &proof, &checkpoint.root).unwrap();
    }
    // What names a person is not in it.
    let text = String::from_utf8(leaves.concat()).unwrap();
    for secret in ["reviewer-1", "issuer.example", "request-1", "cli:root", "Ticket 4711"] {
        assert!(!text.contains(secret), "{secret}");
    }
    for said in [
        r#""records":[1,2,300]"#,
        r#""page":1"#,
        r#""message":"GetLivenessCheckQuery""#,
    ] {
        assert!(text.contains(said), "{said}");
    }
}

#[test]
fn a_store_without_a_key_writes_entries_that_are_in_no_log() {
    let store = Store::in_memory().unwrap();
    store.migrate().unwrap();
    let refused = store
        .trail()
        .export(&key(), std::path::Path::new("/nowhere"), |_, _| {});
    assert_eq!(refused.unwrap_err().to_string(), "the trail has no checkpoint yet");
}

on_each_engine! {
    every_entry_is_in_the_log_and_binds_its_record_and_face,
    entries_of_an_embedding_backend_are_leaves_where_it_says_so,
    every_entry_of_several_nodes_is_in_the_log_once,
    an_export_has_all_leaves_and_the_tiles_that_prove_them,
    ;
    not on Citus:
    a_row_that_cannot_be_read_is_found_and_hides_no_other,
    a_number_of_more_bits_is_another_number,
    whatever_is_done_to_the_database_is_found_and_named,
    what_is_done_to_entries_that_are_not_in_the_log_yet_is_found,
    entries_from_before_are_the_first_leaves,
    a_log_that_was_set_back_is_not_gone_on_with,
}
