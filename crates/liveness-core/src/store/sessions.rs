//! Who a session id belongs to: the first user who recorded it. And how many records it has.

use std::collections::HashSet;

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::AstPass;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Integer, Text};

use super::connection::{Connection, in_statements, on_either};
use super::error::StoreError;
use super::schema::liveness_sessions::dsl;
use super::upsert::{Rows as _, UpsertRow};
use crate::NewLivenessCheck;

struct SessionRow<'a> {
    session_id: &'a str,
    self_service_user_id: i64,
    created_at: i64,
}

impl UpsertRow for SessionRow<'_> {
    const INSERT: &'static str =
        "INSERT INTO liveness_sessions (session_id, self_service_user_id, created_at, check_count) VALUES";
    const ON_CONFLICT: &'static str = " ON CONFLICT (session_id) \
        DO UPDATE SET check_count = liveness_sessions.check_count + 1 \
        WHERE liveness_sessions.self_service_user_id = excluded.self_service_user_id RETURNING session_id";
    type Returned = Text;
    type Id = SessionRow<'static>;

    fn push_values<'b, DB>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>
    where
        DB: Backend,
        i64: ToSql<BigInt, DB>,
        i32: ToSql<Integer, DB>,
        str: ToSql<Text, DB>,
    {
        out.push_bind_param::<Text, _>(self.session_id)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.self_service_user_id)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.created_at)?;
        out.push_sql(", 1");
        Ok(())
    }
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
        })
        .collect();
    // In one order everywhere, so that two nodes do not wait for each other.
    rows.sort_unstable_by_key(|row| row.session_id);
    let claimed = in_statements!(conn, rows, |conn, rows| rows.upsert().get_results::<String>(*conn));
    Ok(claimed.into_iter().flatten().collect())
}

/// How many records a session has, of that user where one is given.
pub(super) fn check_count(conn: &mut Connection<'_>, session_id: &str, user: Option<i64>) -> Result<i64, StoreError> {
    let found: Option<(i64, i64)> = on_either!(conn, |conn| dsl::liveness_sessions
        .find(session_id)
        .select((dsl::self_service_user_id, dsl::check_count))
        .first(*conn)
        .optional())?;
    Ok(match found {
        Some((owner, count)) if user.is_none_or(|user| user == owner) => count,
        _ => 0,
    })
}
