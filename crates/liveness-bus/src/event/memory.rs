//! Events in memory, for tests and for a bus without a store.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use liveness_core::events::{Event as PublishedEvent, EventId};
use liveness_core::{Timestamp, Violation};

use super::Event;

/// Events in memory: what a handler has published, in its order. A clone has the same events. They are gone with the process, so
/// this is for tests.
///
/// ```
/// use liveness_bus::{Event, MemoryEvents};
///
/// #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
/// struct CardFrozen {
///     customer: i64,
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
/// let events = MemoryEvents::default();
/// events.publish(&CardFrozen { customer: 7 }, "2026-03-22T14:00:00Z".parse()?)?;
/// assert_eq!(events.of::<CardFrozen>(), [CardFrozen { customer: 7 }]);
/// # Ok::<(), liveness_core::Violation>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryEvents(Arc<Mutex<Vec<PublishedEvent>>>);

impl MemoryEvents {
    /// Publishes an event.
    ///
    /// # Errors
    ///
    /// As [`Event::to_new`].
    pub fn publish<E: Event>(&self, event: &E, at: Timestamp) -> Result<(), Violation> {
        let new = event.to_new()?;
        let mut events = self.lock();
        let number = events.len() as u128;
        let id = EventId::of_bits(number.to_be_bytes());
        events.push(PublishedEvent::without_store(&new, id, at));
        Ok(())
    }

    /// What was published.
    pub fn published(&self) -> Vec<PublishedEvent> {
        self.lock().clone()
    }

    /// What was published of a type. What does not fit the type is left out.
    pub fn of<E: Event>(&self) -> Vec<E> {
        let published = self.published().into_iter();
        let of_type = published.filter(|event| event.event_type == E::TYPE);
        of_type
            .filter_map(|event| serde_json::from_str(&event.data).ok())
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<PublishedEvent>> {
        // No code panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
