//! Who a session id belongs to: the first user who recorded it. And how many records it has.

use std::collections::HashSet;

use diesel::RunQueryDsl as _;
use diesel::sql_types::{BigInt, Text};

use crate::NewLivenessCheck;
use crate::store::engine::bulk_insert::{AllRows, Clauses, OneRow, row};
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;

row! {
    struct SessionRow<'a> of "liveness_sessions", in columns SessionColumns {
        session_id: &'a str => Text,
        self_service_user_id: i64 => BigInt,
        created_at: i64 => BigInt,
        check_count: i64 => BigInt,
    }
}

struct CountOrClaim;

impl Clauses for CountOrClaim {
    const ON_CONFLICT: &'static str = "ON CONFLICT (session_id) \
        DO UPDATE SET check_count = liveness_sessions.check_count + 1 \
        WHERE liveness_sessions.self_service_user_id = excluded.self_service_user_id";
    const RETURNING: &'static str = "RETURNING session_id";
    type Returned = Text;
}

/// Counts a record to each check's session, which becomes the user's unless it is somebody's; answers the sessions that
/// are their users' own. No two checks have a session in common.
pub(crate) fn claim<'a>(
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
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    // In one order everywhere, so that two nodes do not wait for each other.
    rows.sort_unstable_by_key(|row| row.session_id);
    match conn {
        Connection::Sqlite(conn) => {
            let mut claimed = HashSet::new();
            for row in rows {
                // Somebody else's is left as it is.
                if OneRow::<_, CountOrClaim>::of(&row).execute(*conn)? == 1 {
                    claimed.insert(row.session_id.to_owned());
                }
            }
            Ok(claimed)
        }
        Connection::Postgres(conn) => {
            let claimed = AllRows::<_, CountOrClaim>::of(rows).load::<String>(*conn)?;
            Ok(claimed.into_iter().collect())
        }
    }
}
