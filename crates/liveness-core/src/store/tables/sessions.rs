//! Sessions: the user that a session id belongs to, and the times of its oldest and newest record.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::store::engine::bulk_insert::{AllRows, Clauses, EachRow, OneRow, row};
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::dating::Dated;
use crate::store::tables::schema::liveness_sessions::dsl;

row! {
    struct SessionRow<'a> of "liveness_sessions", in columns SessionColumns {
        session_id: &'a str => Text,
        self_service_user_id: i64 => BigInt,
        created_at: i64 => BigInt,
    }
}

struct ClaimOrExtend;

impl Clauses for ClaimOrExtend {
    const ON_CONFLICT: &'static str = "ON CONFLICT (session_id) DO UPDATE SET \
        created_at = CASE WHEN excluded.created_at < liveness_sessions.created_at \
            THEN excluded.created_at ELSE liveness_sessions.created_at END, \
        newest_at = CASE WHEN liveness_sessions.newest_at > excluded.created_at THEN liveness_sessions.newest_at \
            WHEN liveness_sessions.created_at > excluded.created_at THEN liveness_sessions.created_at \
            ELSE excluded.created_at END \
        WHERE liveness_sessions.self_service_user_id = excluded.self_service_user_id";
    const RETURNING: &'static str = "RETURNING session_id";
    type Returned = Text;
}

/// Claims the session of each check for its user, and notes the time of the check. Returns the sessions that belong to
/// the user of their check. A session of another user is left unchanged and not returned. No two checks may have the same
/// session.
pub(crate) fn claim<'a>(
    conn: &mut Connection<'_>,
    checks: impl Iterator<Item = &'a Dated<'a>>,
) -> Result<HashSet<String>, StoreError> {
    let mut rows: Vec<_> = checks
        .map(|dated| SessionRow {
            session_id: dated.check().session_id.as_str(),
            self_service_user_id: dated.check().user.id,
            created_at: dated.created_at.unix_millis(),
        })
        .collect();
    if rows.is_empty() {
        return Ok(HashSet::new());
    }
    // Every node writes the rows in the same order, so that no two nodes deadlock.
    rows.sort_unstable_by_key(|row| row.session_id);
    match conn {
        Connection::Sqlite(conn) => {
            let mut claimed = HashSet::new();
            for row in rows {
                // No row changes when the session belongs to another user.
                if OneRow::<_, ClaimOrExtend>::of(&row).execute(*conn)? == 1 {
                    claimed.insert(row.session_id.to_owned());
                }
            }
            Ok(claimed)
        }
        Connection::Postgres(conn) => {
            let claimed = AllRows::<_, ClaimOrExtend>::of(rows).load::<String>(*conn)?;
            Ok(claimed.into_iter().collect())
        }
        Connection::Citus(conn) => {
            let claimed = EachRow::<_, ClaimOrExtend>::of(&rows).load::<String>(*conn)?;
            Ok(claimed.into_iter().collect())
        }
    }
}

/// The place of a session's records: they are among the records of its user, between two times. Records of the user's
/// other sessions may be between these times too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionRange {
    pub(crate) self_service_user_id: i64,
    pub(crate) oldest: i64,
    pub(crate) newest: i64,
}

/// The place of a session's records. Returns `None` if no such session was recorded.
pub(crate) fn range(conn: &mut Connection<'_>, session_id: &str) -> Result<Option<SessionRange>, StoreError> {
    let found: Option<(i64, i64, Option<i64>)> = on_either!(conn, |conn| dsl::liveness_sessions
        .find(session_id)
        .select((dsl::self_service_user_id, dsl::created_at, dsl::newest_at))
        .first(*conn)
        .optional())?;
    Ok(found.map(|(self_service_user_id, oldest, newest)| SessionRange {
        self_service_user_id,
        oldest,
        newest: newest.unwrap_or(oldest),
    }))
}
