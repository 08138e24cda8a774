//! The subscription that keeps events until they were sent to the receiver.

use std::io;
use std::sync::Arc;

use liveness_core::events::{EventSubscription, TYPES};
use liveness_core::store::{Store, StoreError};

/// Its name in the database.
pub(crate) const SUBSCRIPTION: &str = "webhooks";

/// Registers it. From when this returns on, no event is missed. Blocks.
///
/// # Errors
///
/// [`StoreError::Unavailable`]. Then call it again.
pub(crate) fn subscribe(store: &Store) -> Result<(), StoreError> {
    let subscription = EventSubscription::new(SUBSCRIPTION, TYPES);
    // Name and types are constants, which are right.
    let subscription = subscription.map_err(|error| StoreError::Internal(Arc::new(io::Error::other(error.to_string()))))?;
    store.events().subscribe(&subscription)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_for_all_events_of_ours_and_stays_as_it_is() {
        let store = Store::in_memory().unwrap();
        store.migrate().unwrap();
        subscribe(&store).unwrap();
        store.events().disable(SUBSCRIPTION, "a reason").unwrap();
        subscribe(&store).unwrap();
        let counts = store.events().count().unwrap();
        let [count] = counts.as_slice() else { panic!("{counts:?}") };
        assert_eq!((count.subscription.as_str(), count.is_disabled), (SUBSCRIPTION, true));
    }
}
