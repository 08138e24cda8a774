//! Who takes the events of a subscription, and what comes of one.

use std::time::Duration;

use async_trait::async_trait;

use crate::events::Event;
use crate::jobs::Backoff;

/// Takes the events of a subscription: [`EventDelivery`](super::EventDelivery).
#[async_trait]
pub trait EventReceiver: Send + Sync + 'static {
    /// Takes an event. It may come more than once, with the same id. What blocks belongs on a thread of its own.
    async fn receive(&self, event: &Event) -> Delivered;

    /// When an event that failed is delivered again, and after how many attempts it is set aside.
    fn backoff(&self) -> Backoff {
        PATIENT
    }

    /// How long the receiver may take for one event. Longer is a failure.
    fn time_limit(&self) -> Duration {
        Duration::from_secs(30)
    }
}

/// A second after the first failure, an hour at most, 100 attempts: about four days in all.
const PATIENT: Backoff = Backoff {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(60 * 60),
    attempts: 100,
};

/// What came of an event that was handed to a receiver. A text is kept with the event and shown to operators, so it names no person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// It was taken, and is deleted.
    Taken,
    /// It failed. It is delivered again, or set aside, as the [back-off](EventReceiver::backoff) says.
    Failed(String),
    /// It failed, and is delivered again after so long.
    Retry {
        /// How long it waits.
        after: Duration,
        /// Why.
        why: String,
    },
    /// It will never be taken. It is set aside, until an operator resends it.
    SetAside(String),
    /// Nothing of the subscription is to be delivered for so long. That is no attempt for this event.
    Hold {
        /// How long.
        after: Duration,
        /// Why.
        why: String,
    },
    /// Nothing is to be delivered any more, and no more events are for this subscription, until an operator enables it. That is no
    /// attempt for this event.
    Disable(String),
}
