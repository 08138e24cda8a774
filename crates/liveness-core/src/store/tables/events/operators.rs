//! What operators do with events and subscriptions.

use std::time::Duration;

use super::stored_event::{EventCounts, StoredEvent};
use super::{Events, operating, registering};
use crate::jobs::millis;
use crate::store::engine::clock;
use crate::store::engine::error::StoreError;

impl Events {
    /// Delivers nothing of a subscription for so long. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn hold(&self, subscription: &str, patience: Duration, why: &str) -> Result<(), StoreError> {
        self.write(|conn| {
            let until = clock::now(conn)?.saturating_add(millis(patience));
            registering::hold(conn, subscription, until, why)
        })
    }

    /// Delivers nothing of a subscription until it is enabled again. Its events wait, and new ones join them. To register it again
    /// changes nothing of that. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn disable(&self, subscription: &str, why: &str) -> Result<(), StoreError> {
        self.write(|conn| registering::disable(conn, subscription, why))
    }

    /// Undoes [`hold`](Self::hold) and [`disable`](Self::disable). Returns whether there is such a subscription. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn enable(&self, subscription: &str) -> Result<bool, StoreError> {
        let is_there = self.write(|conn| registering::enable(conn, subscription))?;
        self.bell.ring();
        Ok(is_there)
    }

    /// Has an event delivered that was set aside, with all its attempts. It goes before those of its user that wait. Returns whether
    /// there was one. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn resend(&self, number: i64) -> Result<bool, StoreError> {
        let is_there = self.write(|conn| {
            let now = clock::now(conn)?;
            operating::resend(conn, number, now)
        })?;
        self.bell.ring();
        Ok(is_there)
    }

    /// Does the same with the next events of a subscription that were set aside, at most `limit`. Returns how many. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub fn resend_some(&self, subscription: &str, limit: u32) -> Result<u64, StoreError> {
        let resent = self.write(|conn| {
            let now = clock::now(conn)?;
            operating::resend_some(conn, subscription, limit.into(), now)
        })?;
        self.bell.ring();
        Ok(resent)
    }

    /// Events behind a number, of all subscriptions, in the order of their numbers. Begin with 0.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn list(&self, after: i64, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        self.reads
            .read(move |conn| operating::list(conn, after, limit.into()))
            .await
    }

    /// The same with those of a subscription that were set aside.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn list_set_aside(
        &self,
        subscription: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let name = subscription.to_owned();
        self.reads
            .read(move |conn| operating::list_set_aside(conn, &name, after, limit.into()))
            .await
    }

    /// The subscriptions, with what waits of each. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub fn count(&self) -> Result<Vec<EventCounts>, StoreError> {
        self.connections.read(|conn| {
            let now = clock::now(conn)?;
            operating::count(conn, now)
        })
    }
}
