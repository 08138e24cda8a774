//! Open sessions: those that are neither used up nor expired.
//!
//! Where attempts end, a user has no more open sessions than attempts. Otherwise, who starts many before they fail could fail in
//! each of them without a wait. The oldest are closed. So an app that was ended in the middle of a run can always start another.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_issued_sessions::{self, dsl};

/// An open session.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = liveness_issued_sessions)]
pub(crate) struct OpenSession {
    self_service_user_id: i64,
    session_id: String,
    issued_at: i64,
}

/// The sessions of users that are open at a time, in any order.
pub(crate) fn of_users(conn: &mut Connection<'_>, users: &[i64], at: i64) -> Result<Vec<OpenSession>, StoreError> {
    Ok(on_either!(conn, |conn| dsl::liveness_issued_sessions
        .filter(eq_any(dsl::self_service_user_id, users.to_vec())?)
        .filter(dsl::used_by.is_null())
        .filter(dsl::expires_at.gt(at))
        .select(OpenSession::as_select())
        .load(*conn))?)
}

/// Closes the oldest sessions of users who have more than so many that are open at a time. Of those that were just issued, none is
/// older than one from before, whatever the clock of another node says. The locks of the users must be held.
pub(super) fn close_beyond(
    conn: &mut Connection<'_>,
    most: &HashMap<i64, u32>,
    issued: &HashSet<&str>,
    at: i64,
) -> Result<(), StoreError> {
    if most.is_empty() {
        return Ok(());
    }
    let users: Vec<_> = most.keys().copied().collect();
    let mut open = of_users(conn, &users, at)?;
    open.sort_unstable_by_key(|session| Reverse((issued.contains(&*session.session_id), session.issued_at)));
    let mut seen = HashMap::new();
    open.retain(|session| {
        let place: &mut u32 = seen.entry(session.self_service_user_id).or_default();
        *place += 1;
        *place > most.get(&session.self_service_user_id).copied().unwrap_or(u32::MAX)
    });
    close(conn, &open)
}

/// An hour, in milliseconds. Clocks of nodes differ by less.
const HOUR: i64 = 60 * 60 * 1000;

/// Has sessions expire before they were issued, so that they have on every node. They are few: who has started as many as attempts
/// are left closes one by each further start.
pub(crate) fn close(conn: &mut Connection<'_>, sessions: &[OpenSession]) -> Result<(), StoreError> {
    for session in sessions {
        let row = dsl::liveness_issued_sessions.find((session.self_service_user_id, &session.session_id));
        on_either!(conn, |conn| diesel::update(row)
            .set(dsl::expires_at.eq(session.issued_at - HOUR))
            .execute(*conn))?;
    }
    Ok(())
}
