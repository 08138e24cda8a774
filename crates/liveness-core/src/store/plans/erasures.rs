//! What erasures, holds and retention ask, and what is asked of faces.

use crate::faces::FaceKeyId;
use crate::store::plans::Case;
use crate::store::plans::indexes::{BY_TIME, ENTRIES_OF_CHECK, HOLD, OF_USER};
use crate::store::tables::erasures::next_rows;
use crate::store::tables::trail::{erased_records, rows as log_rows};
use crate::store::tables::{erasure_rows, faces};

pub(super) const CASES: &[Case] = &[
    (
        "a face",
        |conn| faces::get(conn, 1, 1).map(drop),
        &[("liveness_images USING INTEGER PRIMARY KEY", "liveness_images_pkey")],
    ),
    (
        "whether a face is in an object",
        |conn| faces::any_is_in_object(conn).map(drop),
        &[("liveness_images_object", "liveness_images_object")],
    ),
    (
        "which objects hold a face",
        |conn| faces::in_objects(conn, &["a".into(), "b".into()]).map(drop),
        &[("liveness_images_object (object_name=?)", "liveness_images_object")],
    ),
    (
        "the next records of a user to erase",
        |conn| next_rows::next_records(conn, 1, (1, 1), 16).map(drop),
        &[(OF_USER, OF_USER)],
    ),
    (
        "the oldest faces",
        |conn| next_rows::old_faces(conn, 2, 9, (1, 1)).map(drop),
        &[(
            "liveness_checks_kept_faces (<expr>=? AND created_at>? AND created_at<?)",
            "liveness_checks_kept_faces",
        )],
    ),
    (
        "the oldest records",
        |conn| next_rows::old_records(conn, 9, (1, 1)).map(drop),
        &[("liveness_checks_by_time (created_at>? AND created_at<?)", BY_TIME)],
    ),
    (
        "the oldest records of a user",
        |conn| next_rows::old_records_of(conn, 1, 9, (1, 1)).map(drop),
        &[(OF_USER, OF_USER)],
    ),
    (
        "the entries about a record",
        |conn| next_rows::entries_about(conn, (1, 1), 1).map(drop),
        &[ENTRIES_OF_CHECK],
    ),
    (
        "which records were erased",
        |conn| erased_records::among(conn, &[1, 2]).map(drop),
        &[ENTRIES_OF_CHECK],
    ),
    (
        "the hold of a user, to verify it",
        |conn| erasure_rows::hold(conn, 1).map(drop),
        &[HOLD],
    ),
    (
        "a hold that is lifted",
        |conn| erasure_rows::remove_hold(conn, 1),
        &[HOLD],
    ),
    (
        "the entries of holds on a user",
        |conn| log_rows::hold_changes(conn, 1).map(drop),
        &[("liveness_audit_entries_of_user", "liveness_audit_entries_of_user")],
    ),
    (
        "the entries of erasures of a user",
        |conn| log_rows::user_erasures(conn, 1).map(drop),
        &[("liveness_audit_entries_of_user", "liveness_audit_entries_of_user")],
    ),
    (
        "which users are under a hold",
        |conn| erasure_rows::held(conn, &[1, 2]).map(drop),
        &[HOLD],
    ),
    (
        "the next entries of a user to erase",
        |conn| next_rows::entries_of_user(conn, 1, (1, 1)).map(drop),
        &[("liveness_audit_entries_of_user", "liveness_audit_entries_of_user")],
    ),
    (
        "the next entries of a sender to erase",
        |conn| next_rows::entries_of_sender(conn, "1", (1, 1)).map(drop),
        &[("liveness_audit_entries_by_others", "liveness_audit_entries_by_others")],
    ),
    (
        "the erasure of a face",
        |conn| erasure_rows::face(conn, 1).map(drop),
        &[(
            "liveness_face_erasures USING PRIMARY KEY",
            "liveness_face_erasures_pkey",
        )],
    ),
    (
        "the erasures of faces",
        |conn| erasure_rows::faces(conn, &[1, 2]).map(drop),
        &[(
            "liveness_face_erasures USING PRIMARY KEY",
            "liveness_face_erasures_pkey",
        )],
    ),
    (
        "the erasure of a user",
        |conn| erasure_rows::user(conn, 1).map(drop),
        &[(
            "liveness_user_erasures USING PRIMARY KEY",
            "liveness_user_erasures_pkey",
        )],
    ),
    (
        "the erasures of entries",
        |conn| erasure_rows::entries(conn, &[1, 2]).map(drop),
        &[(
            "liveness_entry_erasures USING PRIMARY KEY",
            "liveness_entry_erasures_pkey",
        )],
    ),
    (
        "a legal hold",
        |conn| erasure_rows::held_since(conn, 1).map(drop),
        &[HOLD],
    ),
    (
        "the face of a key",
        |conn| faces::used_keys(conn, &[FaceKeyId::least()]).map(drop),
        &[(
            "liveness_images_sealed_key (sealed_key_id=?)",
            "liveness_images_sealed_key",
        )],
    ),
];
