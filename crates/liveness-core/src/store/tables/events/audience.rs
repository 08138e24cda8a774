//! The subscriptions that get new events.

use diesel::prelude::*;

use crate::events::EventSubscription;
use crate::store::engine::clock;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_event_subscriptions::dsl;

/// The subscriptions that get new events.
#[derive(Debug, Default)]
pub(crate) struct Audience {
    pub(super) subscriptions: Vec<EventSubscription>,
    /// By the clock of the database. 0 if nobody listens.
    pub(super) now: i64,
}

impl Audience {
    /// Reads the subscriptions. The lock of a user must be held. Then each subscription whose registration has returned is found.
    pub(crate) fn of(conn: &mut Connection<'_>) -> Result<Self, StoreError> {
        let subscriptions = all(conn)?;
        let now = if subscriptions.is_empty() { 0 } else { clock::now(conn)? };
        Ok(Self { subscriptions, now })
    }

    /// Whether somebody wants events of this type.
    pub(crate) fn wants(&self, event_type: &str) -> bool {
        self.subscriptions
            .iter()
            .any(|subscription| subscription.wants(event_type))
    }
}

/// The subscriptions, by name, with those that are held or disabled: their events wait. All are read, because they are few.
pub(crate) fn all(conn: &mut Connection<'_>) -> Result<Vec<EventSubscription>, StoreError> {
    let all = dsl::liveness_event_subscriptions
        .order(dsl::name)
        .select((dsl::name, dsl::types));
    let rows: Vec<(String, String)> = on_either!(conn, |conn| all.load(*conn))?;
    Ok(rows
        .into_iter()
        .map(|(name, types)| EventSubscription::stored(name, types))
        .collect())
}
