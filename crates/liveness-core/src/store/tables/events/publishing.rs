//! Publishes events: one row for each event and subscription that wants it, in the transaction of what they tell.

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};

use super::audience::Audience;
use crate::Timestamp;
use crate::events::{EventId, NewEvent};
use crate::store::engine::bulk_insert::{self, NoClauses, row};
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::tables::{entry_writer, user_lock};

row! {
    struct EventRow<'a> of "liveness_events", in columns EventColumns {
        subscription: &'a str => Text,
        self_service_user_id: i64 => BigInt,
        event_id: &'a str => Text,
        event_type: &'a str => Text,
        data: &'a str => Text,
        at: i64 => BigInt,
        attempts: i32 => Integer,
        next_at: i64 => BigInt,
        is_dead: bool => Bool,
        traceparent: Option<&'a str> => Nullable<Text>,
    }
}

/// Publishes events in the transaction of the caller: they are there when it is committed, and otherwise never were. Without a
/// subscription that wants them, nothing is written.
///
/// An embedding backend calls this in the transaction of its own record. It waits for other transactions that write about the same
/// users, and keeps others waiting until it ends, so that the events of a user have one order. So call it late in the transaction.
/// On SQLite the transaction has to be IMMEDIATE, on PostgreSQL READ COMMITTED, which is the default. On Citus, name the engine, as
/// for [`insert_audit_entry`](crate::store::insert_audit_entry). After the commit, [`Events::wake`](super::Events::wake) has the
/// events delivered at once; otherwise they are found within a second.
///
/// # Errors
///
/// [`StoreError`] when a statement fails. The transaction must then be rolled back.
pub fn publish_events<'a>(
    conn: impl Into<Connection<'a>>,
    at: Timestamp,
    events: &[NewEvent],
) -> Result<(), StoreError> {
    publish_on(&mut conn.into(), at, events)
}

/// The same on a connection of ours.
pub(crate) fn publish_on(conn: &mut Connection<'_>, at: Timestamp, events: &[NewEvent]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let users: Vec<_> = events.iter().map(NewEvent::self_service_user_id).collect();
    user_lock::lock(conn, &users)?;
    let audience = Audience::of(conn)?;
    let told: Vec<_> = events.iter().map(|event| (event, at)).collect();
    publish(conn, &audience, &told).map(drop)
}

/// Publishes events with their times, in their order. The locks of their users must be held. Returns whether somebody gets one.
pub(crate) fn publish(
    conn: &mut Connection<'_>,
    audience: &Audience,
    events: &[(&NewEvent, Timestamp)],
) -> Result<bool, StoreError> {
    let wanted: Vec<_> = events
        .iter()
        .filter(|(event, _)| audience.wants(event.event_type()))
        .collect();
    if wanted.is_empty() {
        return Ok(false);
    }
    let ids: Vec<_> = wanted.iter().map(|_| new_id()).collect::<Result<_, _>>()?;
    let mut rows = Vec::with_capacity(wanted.len());
    for ((event, at), id) in wanted.into_iter().zip(&ids) {
        let listeners = audience
            .subscriptions
            .iter()
            .filter(|subscription| subscription.wants(event.event_type()));
        rows.extend(listeners.map(|subscription| EventRow {
            subscription: subscription.name(),
            self_service_user_id: event.self_service_user_id(),
            event_id: id.as_str(),
            event_type: event.event_type(),
            data: event.data(),
            at: at.unix_millis(),
            attempts: 0,
            next_at: audience.now,
            is_dead: false,
            traceparent: event.traceparent(),
        }));
    }
    bulk_insert::execute::<_, NoClauses>(conn, rows)?;
    Ok(true)
}

fn new_id() -> Result<EventId, StoreError> {
    let mut bits = [0; 16];
    entry_writer::fill(&mut bits)?;
    Ok(EventId::of_bits(bits))
}
