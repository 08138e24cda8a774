//! The subscription that keeps events until they were sent to the receiver.

use liveness_core::Violation;
use liveness_core::events::{EventSubscription, TYPES};

/// Its name in the database.
pub(crate) const SUBSCRIPTION: &str = "webhooks";

/// The subscription, to all events of ours.
///
/// # Errors
///
/// None: name and types are constants, which are right.
pub(crate) fn subscription() -> Result<EventSubscription, Violation> {
    EventSubscription::new(SUBSCRIPTION, TYPES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_for_all_events_of_ours() {
        let subscription = subscription().unwrap();
        assert_eq!(subscription.name(), SUBSCRIPTION);
        assert!(TYPES.iter().all(|event_type| subscription.wants(event_type)));
    }
}
