//! Subscriptions and their subscribers.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use liveness_core::events::Event as PublishedEvent;

use super::{Delivery, DeliveryError, Event};
use crate::error::Cause;
use crate::handler::BoxFuture;

/// Receives the events of a type. Each comes at least once: one that comes again has the same [id](Delivery::id).
pub trait Subscriber<E: Event>: Send + Sync + 'static {
    /// Receives an event. The next event of its user comes when this has succeeded. If it fails, the event comes again after a while.
    ///
    /// # Errors
    ///
    /// The reason why it failed. The text is kept with the event and shown to operators, so it names no person.
    fn receive(&self, event: E, delivery: &Delivery) -> impl Future<Output = Result<(), Cause>> + Send;
}

/// One subscriber may receive several types of events.
impl<E: Event, S: Subscriber<E>> Subscriber<E> for Arc<S> {
    fn receive(&self, event: E, delivery: &Delivery) -> impl Future<Output = Result<(), Cause>> + Send {
        <S as Subscriber<E>>::receive(self, event, delivery)
    }
}

/// A [`Subscriber`] as a trait object.
trait ErasedSubscriber: Send + Sync {
    fn receive<'e>(&'e self, event: &'e PublishedEvent) -> BoxFuture<'e, Result<(), DeliveryError>>;
}

struct Typed<E, S> {
    subscriber: S,
    event: PhantomData<fn(E)>,
}

impl<E: Event, S: Subscriber<E>> ErasedSubscriber for Typed<E, S> {
    fn receive<'e>(&'e self, event: &'e PublishedEvent) -> BoxFuture<'e, Result<(), DeliveryError>> {
        Box::pin(async move {
            // serde's message would quote the data.
            let typed: E = serde_json::from_str(&event.data).map_err(|error| DeliveryError::Unreadable {
                line: error.line(),
                column: error.column(),
            })?;
            let received = self.subscriber.receive(typed, &Delivery::of(event)).await;
            received.map_err(DeliveryError::Failed)
        })
    }
}

/// A subscription: its name, and who receives which events of it.
///
/// The name stays the same over restarts and on all nodes. A subscription with a new name gets the events from its registration on.
#[derive(Clone)]
pub struct Subscription {
    name: &'static str,
    subscribers: Vec<(&'static str, Arc<dyn ErasedSubscriber>)>,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("name", &self.name)
            .field("types", &self.types().collect::<Vec<_>>())
            .finish()
    }
}

impl Subscription {
    /// A subscription to nothing. The name is 1 to 48 of `a-z`, `0-9`, `.`, `_` and `-`.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            subscribers: Vec::new(),
        }
    }

    /// Subscribes to the events of the type `E`.
    #[must_use]
    pub fn on<E: Event>(mut self, subscriber: impl Subscriber<E>) -> Self {
        let typed = Typed {
            subscriber,
            event: PhantomData::<fn(E)>,
        };
        self.subscribers.push((E::TYPE, Arc::new(typed)));
        self
    }

    /// The name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The types of events that it gets.
    pub fn types(&self) -> impl Iterator<Item = &'static str> {
        self.subscribers.iter().map(|(event_type, _)| *event_type)
    }

    /// Hands an event to its subscriber. One that nobody of the subscription receives is taken.
    ///
    /// # Errors
    ///
    /// [`DeliveryError`].
    pub async fn deliver(&self, event: &PublishedEvent) -> Result<(), DeliveryError> {
        let found = self
            .subscribers
            .iter()
            .find(|(event_type, _)| *event_type == event.event_type);
        match found {
            Some((_, subscriber)) => subscriber.receive(event).await,
            None => Ok(()),
        }
    }
}
