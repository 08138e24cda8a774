//! Who a session id belongs to: the first user who recorded it.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;

use super::error::StoreError;
use super::schema::liveness_sessions::dsl::{created_at, liveness_sessions, self_service_user_id, session_id};
use crate::{SessionId, Timestamp};

/// Makes the session the user's unless it is somebody's already.
pub(super) fn claim(
    conn: &mut SqliteConnection,
    session: &SessionId,
    user: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(liveness_sessions)
        .values((
            session_id.eq(session.as_str()),
            self_service_user_id.eq(user),
            created_at.eq(now.unix_millis()),
        ))
        .on_conflict_do_nothing()
        .execute(conn)?;
    let owner: i64 = liveness_sessions
        .find(session.as_str())
        .select(self_service_user_id)
        .first(conn)?;
    if owner == user {
        Ok(())
    } else {
        Err(StoreError::SessionOfAnotherUser)
    }
}
