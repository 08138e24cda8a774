//! Events, as the store offers them: one row for each subscription and event, from the transaction of what it tells until the
//! subscription has taken it.
//!
//! - **None is lost.** A transaction that publishes shares a lock, and then reads who listens. Who registers writes the subscription,
//!   and then waits for the transactions that have the lock. So each transaction that ends after a registration has returned knows
//!   of the subscription. Rows are deleted when they were taken, so nothing depends on the order in which ids are committed.
//! - **Order.** A transaction that publishes about a user holds the user's lock. So ids of one user grow in the order of the
//!   commits. Of a user and a subscription, only the row with the smallest id is delivered.

pub(crate) mod audience;
pub(crate) mod due;
pub(crate) mod ending;
pub(crate) mod event_row;
pub(crate) mod operating;
mod operators;
pub(crate) mod publishing;
pub(crate) mod registering;
pub(crate) mod stored_event;
pub(crate) mod telling;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::Timestamp;
use crate::events::{Event, EventSubscription, NewEvent};
use crate::jobs::millis;
use crate::store::engine::clock;
use crate::store::engine::connection::{Connection, Purpose};
use crate::store::engine::connections::Connections;
use crate::store::engine::error::StoreError;
use crate::store::queue::read_pool::ReadPool;
use crate::store::tables::event_bell::EventBell;

/// The longest wait for the transactions that may not know of a new subscription. PostgreSQL ends those that do nothing after 30 s.
const PATIENCE: Duration = Duration::from_secs(40);
/// The time between two looks for them.
const POLL: Duration = Duration::from_millis(10);
/// How many rows of a subscription that ends are deleted in one transaction.
const STEP: i64 = 1000;

/// Events that wait for subscriptions. [`EventDelivery`](crate::store::EventDelivery) delivers them. Who delivers in another way calls
/// `due`, and then `complete`, `fail` or `set_aside`; one process at a time, which a [job](crate::store::Jobs) makes sure of.
#[derive(Clone, Debug)]
pub struct Events {
    connections: Arc<Connections>,
    reads: Arc<ReadPool>,
    bell: EventBell,
}

impl Events {
    pub(crate) fn new(connections: &Arc<Connections>, reads: &Arc<ReadPool>, bell: &EventBell) -> Self {
        Self {
            connections: Arc::clone(connections),
            reads: Arc::clone(reads),
            bell: bell.clone(),
        }
    }

    pub(crate) fn bell(&self) -> &EventBell {
        &self.bell
    }

    /// Has events delivered at once that a transaction of the caller has published, if they are delivered in this process.
    /// Otherwise they are found within a second.
    pub fn wake(&self) {
        self.bell.ring();
    }

    /// Registers a subscription, or changes the types of one. When this returns, every transaction that is committed from now on, on
    /// any node, leaves its events for the subscription. One that is there stays as it is otherwise. Blocks, for as long as
    /// transactions take that have begun before.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], also if such a transaction does not end within 40 s. Then call it again.
    pub fn subscribe(&self, subscription: &EventSubscription) -> Result<(), StoreError> {
        self.write(|conn| registering::put(conn, subscription))?;
        self.await_publishers()
    }

    /// Ends a subscription. The events that wait for it are deleted, a thousand in one transaction. Returns whether there was one.
    /// Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]. Then call it again.
    pub fn unsubscribe(&self, name: &str) -> Result<bool, StoreError> {
        let was_there = self.write(|conn| registering::delete(conn, name))?;
        self.await_publishers()?;
        let mut is_empty = false;
        while !is_empty {
            is_empty = self.write(|conn| {
                let next = registering::next_events(conn, name, STEP)?;
                ending::delete(conn, &next)?;
                Ok(next.is_empty())
            })?;
        }
        Ok(was_there)
    }

    /// Publishes events in a transaction of their own. [`publish_events`](crate::store::publish_events) does the same in a transaction
    /// of the caller. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError`]. [`StoreError::OutcomeUnknown`] if they may have been published or not.
    pub fn publish(&self, events: &[NewEvent], at: Timestamp) -> Result<(), StoreError> {
        self.write(|conn| publishing::publish_on(conn, at, events))?;
        self.bell.ring();
        Ok(())
    }

    /// Waits for the transactions that may be publishing now.
    fn await_publishers(&self) -> Result<(), StoreError> {
        let mut left = self.connections.read(registering::publishers)?;
        let begun = Instant::now();
        while !left.is_empty() {
            if begun.elapsed() > PATIENCE {
                return Err(StoreError::unavailable(
                    "a transaction that may not know of the subscription does not end",
                ));
            }
            thread::sleep(POLL);
            let publishers = self.connections.read(registering::publishers)?;
            left.retain(|publisher| publishers.contains(publisher));
        }
        Ok(())
    }

    /// The events of a subscription that are due, each of another user, at most `limit`: those that have been due for longest. Users
    /// who are `busy` are left out: they have one that is being delivered. None, if the subscription is held, disabled or not there.
    /// Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub fn due(&self, subscription: &str, busy: &[i64], limit: u32) -> Result<Vec<Event>, StoreError> {
        loop {
            let due = self.connections.read(|conn| {
                let now = clock::now(conn)?;
                let stored = registering::find(conn, subscription)?;
                if stored.is_none_or(|stored| stored.is_disabled || stored.held_until > now) {
                    return Ok(due::Due::default());
                }
                due::due(conn, subscription, busy, limit.into(), now)
            })?;
            if !due.events.is_empty() || due.blocked.is_empty() {
                return Ok(due.events);
            }
            // These would be looked at again and again, and hide those of other users.
            self.write(|conn| {
                let mut users = due.blocked.clone();
                users.sort_unstable();
                users
                    .into_iter()
                    .try_for_each(|(user, until)| ending::put_off(conn, subscription, user, until))
            })?;
        }
    }

    /// Deletes events that were taken. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError`]. Then they are delivered again.
    pub fn complete(&self, taken: &[&Event]) -> Result<(), StoreError> {
        let rows: Vec<_> = taken
            .iter()
            .map(|event| (event.row, event.self_service_user_id))
            .collect();
        self.write(|conn| ending::delete(conn, &rows))
    }

    /// Notes that an attempt failed. The event, and those of its user behind it, wait for so long. The text is shown to operators, so it
    /// names no person. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn fail(
        &self,
        subscription: &str,
        event: &Event,
        error: &str,
        retry_after: Duration,
    ) -> Result<(), StoreError> {
        self.write(|conn| {
            let next_at = clock::now(conn)?.saturating_add(millis(retry_after));
            ending::fail(conn, subscription, event, next_at, error)
        })
    }

    /// Sets an event aside after an attempt that failed: it waits for an operator, and keeps no other waiting. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn set_aside(&self, event: &Event, error: &str) -> Result<(), StoreError> {
        self.write(|conn| ending::set_aside(conn, event, error))
    }

    /// The time, by the clock of the database.
    pub(crate) fn now(&self) -> Result<Timestamp, StoreError> {
        self.connections.read(|conn| clock::stored(clock::now(conn)?))
    }

    /// Runs a transaction of its own.
    pub(crate) fn write<T>(
        &self,
        mut operation: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.connections
            .write(|conn| conn.transaction(Purpose::Write, &mut operation))
    }
}
