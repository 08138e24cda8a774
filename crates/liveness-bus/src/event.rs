//! Events: what happened, for those who subscribe to it. An event has a type and a user; a subscription has a name, which stays the
//! same over restarts, and a subscriber for each type of events that it gets.
//!
//! This file keeps no events: `liveness::event_delivery` delivers those of the store, and [`MemoryEvents`] keeps them for tests.

mod memory;
mod subscriber;

use liveness_core::events::{Event as PublishedEvent, EventId, NewEvent};
use liveness_core::{Timestamp, Violation};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Cause;

pub use self::memory::MemoryEvents;
pub use self::subscriber::{Subscriber, Subscription};

/// A type of events. Its JSON is an object of at most 8 KiB.
///
/// Ids, outcomes and times belong into it, and nothing that names a person: an erasure does not look into events that wait.
///
/// ```
/// use liveness_bus::Event;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct CardFrozen {
///     customer: i64,
///     card: i64,
/// }
///
/// impl Event for CardFrozen {
///     const TYPE: &'static str = "bank.card.frozen";
///
///     fn self_service_user_id(&self) -> i64 {
///         self.customer
///     }
/// }
///
/// let frozen = CardFrozen { customer: 1234, card: 7 }.to_new()?;
/// assert_eq!(frozen.data(), r#"{"customer":1234,"card":7}"#);
/// # Ok::<(), liveness_core::Violation>(())
/// ```
pub trait Event: Serialize + DeserializeOwned + Send + 'static {
    /// Its name on the wire: 1 to 64 of `a-z`, `0-9`, `.`, `_` and `-`.
    const TYPE: &'static str;

    /// Whom it is about. The events of one user are received in their order.
    fn self_service_user_id(&self) -> i64;

    /// The event as it is published.
    ///
    /// # Errors
    ///
    /// A [`Violation`] if [`TYPE`](Self::TYPE) cannot be the type of an event, or its JSON is no object of at most 8 KiB.
    fn to_new(&self) -> Result<NewEvent, Violation> {
        NewEvent::new(Self::TYPE, self.self_service_user_id(), self)
    }
}

/// What a subscriber knows of an event besides what it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The id of the event. One that comes again has the same.
    pub id: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// The number of this attempt, from 1.
    pub attempt: u32,
}

impl Delivery {
    fn of(event: &PublishedEvent) -> Self {
        Self {
            id: event.id.clone(),
            at: event.at,
            attempt: event.attempts.saturating_add(1),
        }
    }
}

/// Why a subscription did not take an event.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// The data is not that of the type that its subscriber takes. To try again does not help. The cause says where.
    #[error("the data does not fit the type of the event: line {line}, column {column}")]
    Unreadable {
        /// The line of the JSON.
        line: usize,
        /// The column of the JSON.
        column: usize,
    },
    /// The subscriber failed.
    #[error("{0}")]
    Failed(Cause),
}
