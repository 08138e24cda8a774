//! A row of the table of events, and the event that a subscriber or an operator gets from it.

use diesel::prelude::*;

use super::stored_event::{EventState, StoredEvent};
use crate::events::{Event, EventId};
use crate::store::engine::clock;
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_events;

#[derive(Debug, Queryable, QueryableByName, Selectable)]
#[diesel(table_name = liveness_events)]
pub(crate) struct EventRow {
    id: i64,
    subscription: String,
    pub(super) self_service_user_id: i64,
    event_id: String,
    event_type: String,
    data: String,
    at: i64,
    attempts: i32,
    pub(super) next_at: i64,
    is_dead: bool,
    last_error: Option<String>,
    traceparent: Option<String>,
}

impl TryFrom<EventRow> for Event {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: EventId::stored(row.event_id),
            event_type: row.event_type,
            at: clock::stored(row.at)?,
            self_service_user_id: row.self_service_user_id,
            data: row.data,
            traceparent: row.traceparent,
            attempts: u32::try_from(row.attempts).unwrap_or_default(),
            row: row.id,
        })
    }
}

impl TryFrom<EventRow> for StoredEvent {
    type Error = StoreError;

    fn try_from(mut row: EventRow) -> Result<Self, StoreError> {
        Ok(Self {
            number: row.id,
            subscription: std::mem::take(&mut row.subscription),
            state: if row.is_dead {
                EventState::SetAside
            } else {
                EventState::Waiting
            },
            next_at: clock::stored(row.next_at)?,
            last_error: row.last_error.take(),
            event: row.try_into()?,
        })
    }
}
