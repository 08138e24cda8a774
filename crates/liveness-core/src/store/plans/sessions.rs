//! What is asked of issued sessions, and of the attempts of users.

use crate::store::plans::Case;
use crate::store::plans::indexes::{ATTEMPTS, ISSUED, OPEN, UNUSED};
use crate::store::tables::attempts;
use crate::store::tables::issued_sessions::{self, open, unused};

pub(super) const CASES: &[Case] = &[
    (
        "issued sessions",
        |conn| issued_sessions::find(conn, (vec![1, 2], vec!["a".into(), "b".into()])).map(drop),
        &[ISSUED],
    ),
    (
        "sessions that are used up",
        |conn| {
            conn.execute(AN_ISSUED_SESSION)?;
            issued_sessions::use_up(conn, [(1, "a", 1)].into_iter())
        },
        &[ISSUED],
    ),
    (
        "the sessions of a user to erase",
        |conn| issued_sessions::erase(conn, 1),
        &[ISSUED],
    ),
    (
        "the open sessions of users",
        |conn| open::of_users(conn, &[1, 2], 1).map(drop),
        &[OPEN],
    ),
    (
        "open sessions that are closed",
        |conn| {
            conn.execute(AN_OPEN_SESSION)?;
            let open = open::of_users(conn, &[1], 1)?;
            open::close(conn, &open)
        },
        &[OPEN, ISSUED],
    ),
    (
        "the next unused sessions",
        |conn| unused::next(conn, 1, 19_000).map(drop),
        &[UNUSED],
    ),
    (
        "unused sessions to sweep",
        |conn| unused::delete(conn, 1, 2).map(drop),
        &[UNUSED],
    ),
    (
        "what users have failed",
        |conn| attempts::of_users(conn, &[1, 2]).map(drop),
        &[ATTEMPTS],
    ),
    (
        "the failures of a user who is unlocked",
        |conn| attempts::pardon(conn, 1),
        &[ATTEMPTS],
    ),
    (
        "the failures of a user who is erased",
        |conn| attempts::forget(conn, 1),
        &[ATTEMPTS],
    ),
];

/// Adds a session, unless it is there.
const AN_ISSUED_SESSION: &str =
    "INSERT INTO liveness_issued_sessions VALUES (1, 'a', '[]', 1, 1, NULL) ON CONFLICT DO NOTHING";

/// Adds a session that is open, unless it is there.
const AN_OPEN_SESSION: &str =
    "INSERT INTO liveness_issued_sessions VALUES (1, 'o', '[]', 1, 20001, NULL) ON CONFLICT DO NOTHING";
