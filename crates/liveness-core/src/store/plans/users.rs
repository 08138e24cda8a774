//! What is asked of users.

use crate::store::plans::Case;
use crate::store::plans::indexes::{OF_USER, USER, USER_ID};
use crate::store::tables::users::{changes, rows as users};

pub(super) const CASES: &[Case] = &[
    (
        "users by UserIds",
        |conn| users::find_by_user_ids(conn, &["USR-1".into(), "USR-2".into()]).map(drop),
        &[(
            "sqlite_autoindex_liveness_users_1 (user_id=?)",
            "liveness_users_user_id_key",
        )],
    ),
    (
        "who has records",
        |conn| changes::with_records(conn, &[1, 2]).map(drop),
        &[(OF_USER, OF_USER)],
    ),
    ("a user", |conn| users::find(conn, &[1]).map(drop), &[USER]),
    ("users", |conn| users::find(conn, &[1, 2, 3]).map(drop), &[USER]),
    (
        "a user by UserId",
        |conn| users::find_by_user_ids(conn, &["USR-00000001".into()]).map(drop),
        &[USER_ID],
    ),
    (
        "users by UserId",
        |conn| users::find_by_user_ids(conn, &["USR-00000001".into(), "USR-00000002".into()]).map(drop),
        &[USER_ID],
    ),
];
