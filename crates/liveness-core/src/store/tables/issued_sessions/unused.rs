//! Sweeps away the sessions that nobody used.

use diesel::prelude::*;

use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_issued_sessions::dsl;

/// How many sessions are deleted in one transaction, but for those that expire in the same millisecond.
const STEP: i64 = 256;

/// When the last of the next unused sessions has expired: those from one time on, and from before another. `None` if there are no
/// more. Reads the index of unused sessions.
pub(crate) fn next(conn: &mut Connection<'_>, from: i64, before: i64) -> Result<Option<i64>, StoreError> {
    let next: Vec<i64> = on_either!(conn, |conn| dsl::liveness_issued_sessions
        .filter(dsl::used_by.is_null())
        .filter(dsl::expires_at.ge(from))
        .filter(dsl::expires_at.lt(before))
        .order(dsl::expires_at)
        .limit(STEP)
        .select(dsl::expires_at)
        .load(*conn))?;
    Ok(next.last().copied())
}

/// Deletes the unused sessions that have expired between two times, both included. Returns how many.
pub(crate) fn delete(conn: &mut Connection<'_>, from: i64, to: i64) -> Result<usize, StoreError> {
    let unused = dsl::liveness_issued_sessions
        .filter(dsl::used_by.is_null())
        .filter(dsl::expires_at.ge(from))
        .filter(dsl::expires_at.le(to));
    Ok(on_either!(conn, |conn| diesel::delete(unused).execute(*conn))?)
}
