//! Ends attempts to deliver events: deletes what was taken, and puts off or sets aside what was not.

use diesel::dsl::not;
use diesel::prelude::*;

use crate::events::Event;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_events::dsl;

/// Deletes events by id and user. On a sharded database the users say where they are.
pub(crate) fn delete(conn: &mut Connection<'_>, rows: &[(i64, i64)]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let (ids, users): (Vec<_>, Vec<_>) = rows.iter().copied().unzip();
    on_either!(conn, |conn| diesel::delete(
        dsl::liveness_events
            .filter(eq_any(dsl::id, ids)?)
            .filter(eq_any(dsl::self_service_user_id, users)?)
    )
    .execute(*conn))?;
    Ok(())
}

/// Notes that an attempt failed. The event, and those of its user behind it, wait until this time.
pub(crate) fn fail(
    conn: &mut Connection<'_>,
    subscription: &str,
    event: &Event,
    next_at: i64,
    error: &str,
) -> Result<(), StoreError> {
    put_off(conn, subscription, event.self_service_user_id, next_at)?;
    let failed = (dsl::attempts.eq(attempts(event)), dsl::last_error.eq(Some(error)));
    let row = dsl::liveness_events.filter(
        dsl::id
            .eq(event.row)
            .and(dsl::self_service_user_id.eq(event.self_service_user_id)),
    );
    on_either!(conn, |conn| diesel::update(row).set(failed).execute(*conn))?;
    Ok(())
}

/// Has all events of a user that are not set aside wait until this time.
pub(crate) fn put_off(
    conn: &mut Connection<'_>,
    subscription: &str,
    user: i64,
    next_at: i64,
) -> Result<(), StoreError> {
    let of_user = dsl::liveness_events.filter(
        dsl::subscription
            .eq(subscription)
            .and(dsl::self_service_user_id.eq(user))
            .and(not(dsl::is_dead)),
    );
    on_either!(conn, |conn| diesel::update(of_user)
        .set(dsl::next_at.eq(next_at))
        .execute(*conn))?;
    Ok(())
}

/// Sets an event aside until an operator resends it. It keeps no other waiting.
pub(crate) fn set_aside(conn: &mut Connection<'_>, event: &Event, error: &str) -> Result<(), StoreError> {
    let dead = (
        dsl::is_dead.eq(true),
        dsl::attempts.eq(attempts(event)),
        dsl::last_error.eq(Some(error)),
    );
    let row = dsl::liveness_events.filter(
        dsl::id
            .eq(event.row)
            .and(dsl::self_service_user_id.eq(event.self_service_user_id)),
    );
    on_either!(conn, |conn| diesel::update(row).set(dead).execute(*conn))?;
    Ok(())
}

/// With the attempt that has just ended.
fn attempts(event: &Event) -> i32 {
    i32::try_from(event.attempts.saturating_add(1)).unwrap_or(i32::MAX)
}
