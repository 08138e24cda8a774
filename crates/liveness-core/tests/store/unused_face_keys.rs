//! Keys of the key store that no face has: they are found and deleted, and never that of a face.

use liveness_core::faces::FaceKeyId;
use liveness_core::store::StoreError;
use liveness_core::{Clock as _, SystemClock, Timestamp};

use crate::database::{Database, on_each_engine};
use crate::samples::HOUR;
use crate::sealed_faces::{Vault, face_of, patterned, record};

const ALL_KEYS: &str = "SELECT count(*) FROM liveness_face_keys";

/// Adds keys that were made long ago, and that nothing needs.
fn add_old_keys(vault: &Vault, many: u32) {
    let add = vault.place.pick(
        format!(
            "WITH RECURSIVE n(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < {many}) \
             INSERT INTO liveness_face_keys SELECT unhex(printf('%032x', n)), 'kek', X'00', 0 FROM n"
        ),
        format!(
            "INSERT INTO liveness_face_keys \
             SELECT decode(lpad(to_hex(n), 32, '0'), 'hex'), 'kek', '\\x00', 0 FROM generate_series(1, {many}) n"
        ),
    );
    vault.place.execute(&add);
}

fn a_day_ago() -> Timestamp {
    SystemClock.now().plus_millis(-24 * HOUR)
}

fn in_a_day() -> Timestamp {
    SystemClock.now().plus_millis(24 * HOUR)
}

async fn old_keys_without_a_face_are_deleted_and_no_others(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let mut checks = Vec::new();
    for number in 1..=6 {
        checks.push(record(&store, patterned(number, &format!("session-{number}"))).await);
    }
    // As if the first face had been recorded long ago.
    let first = database
        .connect()
        .bytes("SELECT sealed_key_id FROM liveness_images WHERE liveness_check_id = 1");
    let first = FaceKeyId::from_slice(&first).unwrap();
    let old = format!(
        "{}{}",
        vault.place.pick("X'", "'\\x"),
        "000000000000f0f0f0f0f0f0f0f0f0f0'"
    );
    let hex = format!("{}{first}'", vault.place.pick("X'", "'\\x"));
    vault.place.execute(&format!(
        "UPDATE liveness_face_keys SET key_id = {old} WHERE key_id = {hex}"
    ));
    database.execute(&format!(
        "UPDATE liveness_images SET sealed_key_id = {old} WHERE liveness_check_id = 1"
    ));
    let before = vault.place.number(ALL_KEYS);
    add_old_keys(&vault, 300);

    let unused = store.unused_face_keys(a_day_ago()).unwrap();
    assert_eq!(unused.len(), 300);
    assert_eq!(unused.delete().unwrap(), 300);

    assert_eq!(vault.place.number(ALL_KEYS), before);
    assert_eq!(vault.place.number(&format!("{ALL_KEYS} WHERE key_id = {old}")), 1);
    assert!(store.unused_face_keys(a_day_ago()).unwrap().is_empty());
    for check in &checks[1..] {
        assert!(face_of(&store, check).await.is_some());
    }
}

async fn keys_that_recordings_take_meanwhile_are_kept(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    let mut checks = Vec::new();
    // The keys are made one, four and sixteen at a time, so some are ready when they are looked for.
    for number in 1..=3 {
        checks.push(record(&store, patterned(number, &format!("session-{number}"))).await);
    }
    let other = vault.open(&database);
    let writers: Vec<_> = (4..=40)
        .map(|number| {
            let store = if number % 2 == 0 { store.clone() } else { other.clone() };
            tokio::spawn(async move { record(&store, patterned(number, &format!("session-{number}"))).await })
        })
        .collect();
    // The clock of the node that looks is a day ahead: to it, all keys are old.
    let unused = store.unused_face_keys(in_a_day()).unwrap();
    for writer in writers {
        checks.push(writer.await.unwrap());
    }

    let found = unused.len() as u64;
    let deleted = unused.delete().unwrap();

    assert!(deleted <= found);
    let reader = vault.open(&database);
    for check in &checks {
        assert!(face_of(&reader, check).await.is_some(), "{}", check.id);
    }
}

async fn keys_of_another_database_are_left_alone(database: Database) {
    let vault = Vault::of(&database);
    let store = vault.open(&database);
    add_old_keys(&vault, 999);
    assert!(store.unused_face_keys(a_day_ago()).unwrap().is_empty());
    vault.place.execute("DELETE FROM liveness_face_keys");
    record(&store, patterned(1, "session")).await;
    add_old_keys(&vault, 1000);

    let refused = store.unused_face_keys(in_a_day()).unwrap_err();

    assert!(matches!(&refused, StoreError::Internal(why) if why.to_string().contains("another database's")));
    assert!(vault.place.number(ALL_KEYS) > 1000);
}

on_each_engine! {
    old_keys_without_a_face_are_deleted_and_no_others,
    keys_that_recordings_take_meanwhile_are_kept,
    keys_of_another_database_are_left_alone,
}
