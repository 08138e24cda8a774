//! What an operator does with events: looks at them, and has those delivered that were set aside.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::event_row::EventRow;
use super::registering;
use super::stored_event::{EventCounts, StoredEvent};
use crate::store::engine::clock;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_events::dsl;

/// The events behind a number, in their order.
pub(crate) fn list(conn: &mut Connection<'_>, after: i64, limit: i64) -> Result<Vec<StoredEvent>, StoreError> {
    let page = dsl::liveness_events
        .filter(dsl::id.gt(after))
        .order(dsl::id)
        .limit(limit);
    let rows: Vec<EventRow> = on_either!(conn, |conn| page.select(EventRow::as_select()).load(*conn))?;
    rows.into_iter().map(StoredEvent::try_from).collect()
}

/// The events of a subscription that were set aside, behind a number.
pub(crate) fn list_set_aside(
    conn: &mut Connection<'_>,
    subscription: &str,
    after: i64,
    limit: i64,
) -> Result<Vec<StoredEvent>, StoreError> {
    let page = dsl::liveness_events
        .filter(
            dsl::subscription
                .eq(subscription)
                .and(dsl::is_dead.eq(true))
                .and(dsl::id.gt(after)),
        )
        .order(dsl::id)
        .limit(limit);
    let rows: Vec<EventRow> = on_either!(conn, |conn| page.select(EventRow::as_select()).load(*conn))?;
    rows.into_iter().map(StoredEvent::try_from).collect()
}

/// Has an event delivered that was set aside, with all its attempts. Returns whether there was one.
pub(crate) fn resend(conn: &mut Connection<'_>, number: i64, now: i64) -> Result<bool, StoreError> {
    let again = (dsl::is_dead.eq(false), dsl::attempts.eq(0), dsl::next_at.eq(now));
    let row = dsl::liveness_events.filter(dsl::id.eq(number).and(dsl::is_dead));
    Ok(on_either!(conn, |conn| diesel::update(row).set(again).execute(*conn))? > 0)
}

/// Has events of a subscription delivered that were set aside, at most `limit`. Returns how many.
pub(crate) fn resend_some(
    conn: &mut Connection<'_>,
    subscription: &str,
    limit: i64,
    now: i64,
) -> Result<u64, StoreError> {
    let mut resent = 0;
    for stored in list_set_aside(conn, subscription, 0, limit)? {
        resent += u64::from(resend(conn, stored.number, now)?);
    }
    Ok(resent)
}

/// What waits of each subscription. No count goes on for ever.
pub(crate) fn count(conn: &mut Connection<'_>, now: i64) -> Result<Vec<EventCounts>, StoreError> {
    let subscriptions = registering::all(conn)?;
    let mut counts = Vec::with_capacity(subscriptions.len());
    for subscription in subscriptions {
        let oldest = oldest(conn, &subscription.name)?;
        let age = oldest.map_or(0, |at| now.saturating_sub(at).max(0).unsigned_abs());
        counts.push(EventCounts {
            waiting: rows_of(conn, &subscription.name, false)?,
            set_aside: rows_of(conn, &subscription.name, true)?,
            oldest_seconds: age / 1000,
            held_until: Some(subscription.held_until)
                .filter(|until| *until > now)
                .map(clock::stored)
                .transpose()?,
            is_disabled: subscription.is_disabled,
            why: subscription.why,
            since: clock::stored(subscription.since)?,
            subscription: subscription.name,
        });
    }
    Ok(counts)
}

/// When the oldest event happened that waits.
fn oldest(conn: &mut Connection<'_>, subscription: &str) -> Result<Option<i64>, StoreError> {
    let oldest = dsl::liveness_events
        .filter(dsl::subscription.eq(subscription).and(dsl::is_dead.eq(false)))
        .order((dsl::is_dead, dsl::id))
        .select(dsl::at);
    Ok(on_either!(conn, |conn| oldest.first(*conn).optional())?)
}

/// How many events of a subscription wait, or were set aside, up to a limit.
fn rows_of(conn: &mut Connection<'_>, subscription: &str, is_dead: bool) -> Result<u64, StoreError> {
    let counted = sql::<BigInt>("SELECT count(*) FROM (SELECT 1 FROM liveness_events WHERE subscription = ")
        .bind::<Text, _>(subscription)
        .sql(" AND is_dead = ")
        .bind::<Bool, _>(is_dead)
        .sql(" LIMIT 10000) AS counted");
    let rows: i64 = on_either!(conn, |conn| counted.get_result(*conn))?;
    Ok(rows.unsigned_abs())
}
