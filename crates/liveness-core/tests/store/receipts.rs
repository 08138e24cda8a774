//! What a receipt is made of: the record, its entry, and the proof that the log has it.

use std::fs;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use liveness_core::store::{InLog, RecordInLog, StoreError};
use liveness_core::trail::{TlogProof, TrailKey};

use crate::database::{Database, Link, on_each_engine};
use crate::samples::{recording, with_face};

/// A database with the records 1 of user 1, and 2 of user 2, with a face.
async fn two_records(database: &Database) -> Arc<TrailKey> {
    let key = Arc::new(TrailKey::generate().unwrap().key);
    database.store.trail().sign_entries(&key).unwrap();
    database.record(recording(1, "one")).await;
    database.record(with_face(recording(2, "two"))).await;
    key
}

async fn look(database: &Database, key: &Arc<TrailKey>, user: i64, id: i64) -> Result<InLog, StoreError> {
    database.store.trail().record_in_log(key, user, id).await
}

async fn proven(database: &Database, key: &Arc<TrailKey>, user: i64, id: i64) -> RecordInLog {
    match look(database, key, user, id).await.unwrap() {
        InLog::Proven(found) => *found,
        other => panic!("{other:?}"),
    }
}

async fn a_checkpoint_is_signed_at_once_for_who_waits_for_it(database: Database) {
    let key = two_records(&database).await;
    let trail = database.store.trail();
    let keeper = trail.keep(Arc::clone(&key), false).unwrap();
    let first = proven(&database, &key, 1, 1).await;
    // The next checkpoint would be signed 10 s later.
    database.record(recording(2, "three")).await;

    let third = proven(&database, &key, 2, 3).await;

    for found in [first, third] {
        let proof = TlogProof::parse(&found.proof).unwrap();
        assert_eq!(proof.index, found.index);
        proof.verify(found.entry.as_bytes(), key.verifier()).unwrap();
        for said in [&found.user_sha256, &found.record_sha256] {
            assert!(found.entry.contains(said.as_str()), "{said} in {}", found.entry);
        }
    }
    assert_eq!(keeper.found(), 0);
}

async fn only_ones_own_records_are_found(database: Database) {
    let key = two_records(&database).await;
    database.store.trail().keep(Arc::clone(&key), false).unwrap().stop();

    let own = proven(&database, &key, 2, 2).await;
    assert_eq!((own.id, own.session_id.as_str()), (2, "two"));
    assert!(own.face_sha256.is_some());
    for (user, id) in [(2, 1), (1, 2), (1, 3), (1, -1)] {
        assert_eq!(look(&database, &key, user, id).await.unwrap(), InLog::NoRecord);
    }
}

async fn nothing_is_certified_of_what_was_changed(database: Database) {
    let key = two_records(&database).await;
    database.store.trail().keep(Arc::clone(&key), false).unwrap().stop();
    let cases = [
        (
            "UPDATE liveness_checks SET session_id = 'forged' WHERE id = 1",
            "it was changed since it was recorded",
        ),
        (
            "UPDATE liveness_audit_entries SET outcome = '01' WHERE liveness_check_id = 1",
            "proof",
        ),
        (
            "UPDATE liveness_audit_entries SET record_digest = NULL WHERE liveness_check_id = 1",
            "no audit entry tells of its recording",
        ),
    ];
    for (statement, expected) in cases {
        database.execute(statement);
        let refused = look(&database, &key, 1, 1).await.unwrap_err();
        let StoreError::Internal(cause) = &refused else {
            panic!("{refused:?}");
        };
        assert!(cause.to_string().contains("record 1 has no receipt"), "{cause}");
        assert!(cause.to_string().contains(expected), "{cause}");
    }
    proven(&database, &key, 2, 2).await;
}

async fn a_record_from_before_records_were_bound_is_told_apart(database: Database) {
    let key = two_records(&database).await;
    database.execute("UPDATE liveness_trail_head SET last_unbound_check_id = 1");
    database.store.trail().keep(Arc::clone(&key), false).unwrap().stop();

    assert_eq!(look(&database, &key, 1, 1).await.unwrap(), InLog::Unbound);
    assert_eq!(proven(&database, &key, 2, 2).await.id, 2);
}

async fn where_nobody_keeps_the_trail_there_is_no_receipt_now(database: Database) {
    let key = two_records(&database).await;
    let refused = look(&database, &key, 1, 1).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
}

/// The bytes of a value, as docs/trail.md says.
fn bytes_of(link: &mut Link, column: &str) -> Vec<u8> {
    let of = format!("FROM liveness_checks WHERE id = 2 AND {column} IS NOT NULL");
    let with_length = |bytes: Vec<u8>| [&[3], &(bytes.len() as u64).to_be_bytes()[..], &bytes].concat();
    match link
        .texts(&format!("SELECT typeof({column}) {of}"))
        .first()
        .map(String::as_str)
    {
        None => vec![0],
        Some("integer") => [&[1], &link.number(&format!("SELECT {column} {of}")).to_be_bytes()[..]].concat(),
        Some("real") => {
            let text = link.texts(&format!("SELECT CAST({column} AS TEXT) {of}")).remove(0);
            [&[2], &text.parse::<f64>().unwrap().to_be_bytes()[..]].concat()
        }
        Some(_) => with_length(link.bytes(&format!("SELECT CAST({column} AS BLOB) {of}"))),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_says_which_bytes_a_record_has() {
    let database = Database::sqlite();
    let key = two_records(&database).await;
    database.store.trail().keep(Arc::clone(&key), false).unwrap().stop();
    let found = proven(&database, &key, 2, 2).await;
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/trail.md");
    let document = fs::read_to_string(document).unwrap();
    let (_, records) = document
        .split_once("These are the values of the columns, in this order:")
        .unwrap();
    let (columns, _) = records.split_once("The last four").unwrap();
    let columns = columns.split('`').skip(1).step_by(2);
    let link = &mut database.connect();
    assert_eq!(
        link.number("SELECT count(*) FROM liveness_checks WHERE verdict IS NOT NULL"),
        2
    );

    let nonce = found.nonce.unwrap();
    let nonce = (0..nonce.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&nonce[at..at + 2], 16).unwrap());
    let mut hashed: Vec<u8> = nonce.collect();
    hashed.extend(columns.flat_map(|column| bytes_of(link, column)));

    let digest = digest(&SHA256, &hashed);
    let digest: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, found.record_sha256);
}

on_each_engine! {
    a_checkpoint_is_signed_at_once_for_who_waits_for_it,
    only_ones_own_records_are_found,
    ;
    not on Citus:
    nothing_is_certified_of_what_was_changed,
    a_record_from_before_records_were_bound_is_told_apart,
    where_nobody_keeps_the_trail_there_is_no_receipt_now,
}
