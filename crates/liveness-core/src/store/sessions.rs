//! Who a session id belongs to: the first user who recorded it. And how many records it has.

use std::collections::HashSet;

use diesel::RunQueryDsl as _;
use diesel::sql_types::{BigInt, Text};

use super::connection::Connection;
use super::error::StoreError;
use super::insert::{Then, insert, row};
use crate::NewLivenessCheck;

row! {
    struct SessionRow<'a> of "liveness_sessions", in columns SessionColumns {
        session_id: &'a str => Text,
        self_service_user_id: i64 => BigInt,
        created_at: i64 => BigInt,
        check_count: i64 => BigInt,
    }
}

struct CountOrClaim;

impl Then for CountOrClaim {
    const SQL: &'static str = "ON CONFLICT (session_id) \
        DO UPDATE SET check_count = liveness_sessions.check_count + 1 \
        WHERE liveness_sessions.self_service_user_id = excluded.self_service_user_id RETURNING session_id";
    type Returned = Text;
}

/// Counts a record to each check's session, which becomes the user's unless it is somebody's; answers the sessions that
/// are their users' own. No two checks have a session in common.
pub(super) fn claim<'a>(
    conn: &mut Connection<'_>,
    checks: impl Iterator<Item = &'a NewLivenessCheck>,
) -> Result<HashSet<String>, StoreError> {
    let mut rows: Vec<_> = checks
        .map(|check| SessionRow {
            session_id: check.session_id.as_str(),
            self_service_user_id: check.user.id,
            created_at: check.created_at.unix_millis(),
            check_count: 1,
        })
        .collect();
    // In one order everywhere, so that two nodes do not wait for each other.
    rows.sort_unstable_by_key(|row| row.session_id);
    let claimed = insert!(conn, rows, CountOrClaim, |conn, insert| insert
        .get_results::<String>(*conn));
    Ok(claimed.into_iter().flatten().collect())
}
