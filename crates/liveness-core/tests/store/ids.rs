//! An id is never used again, also after the newest rows were deleted and the host was started anew.

use crate::database::{Database, on_each_engine};
use crate::samples::recording;

const NEWEST: [&str; 2] = [
    "SELECT max(id) FROM liveness_checks",
    "SELECT max(id) FROM liveness_audit_entries",
];

async fn ids_of_deleted_rows_are_not_used_again(database: Database) {
    for session in ["session-1", "session-2", "session-3"] {
        database.record(recording(1, session)).await;
    }
    let before = NEWEST.map(|newest| database.number(newest));

    for remaining in [1, 0] {
        for (table, newest) in ["checks", "audit_entries"].into_iter().zip(before) {
            let left = newest - 3 + remaining;
            database.execute(&format!("DELETE FROM liveness_{table} WHERE id > {left}"));
        }
    }
    let restarted = database.open();
    restarted.migrate().unwrap();
    restarted.checks().record(recording(2, "session-4")).await.unwrap();

    for (newest, before) in NEWEST.into_iter().zip(before) {
        assert!(database.number(newest) > before, "{newest}");
    }
}

on_each_engine! {
    ids_of_deleted_rows_are_not_used_again,
}
