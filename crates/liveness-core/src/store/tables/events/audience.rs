//! The subscriptions that get new events.

use diesel::dsl::not;
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
    /// Who listens. The lock of a user must be held: a subscription whose registration has returned is then among them.
    pub(crate) fn of(conn: &mut Connection<'_>) -> Result<Self, StoreError> {
        let active = dsl::liveness_event_subscriptions
            .filter(not(dsl::is_disabled))
            .order(dsl::name)
            .select((dsl::name, dsl::types));
        let rows: Vec<(String, String)> = on_either!(conn, |conn| active.load(*conn))?;
        if rows.is_empty() {
            return Ok(Self::default());
        }
        let stored = rows
            .into_iter()
            .map(|(name, types)| EventSubscription::stored(name, types));
        Ok(Self {
            subscriptions: stored.collect(),
            now: clock::now(conn)?,
        })
    }

    /// Whether somebody wants events of this type.
    pub(crate) fn wants(&self, event_type: &str) -> bool {
        self.subscriptions
            .iter()
            .any(|subscription| subscription.wants(event_type))
    }
}
