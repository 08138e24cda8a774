//! Delivers the events that a store keeps to the subscriptions of a bus.

use std::sync::Arc;

use async_trait::async_trait;
use liveness_core::Violation;
use liveness_core::events::EventSubscription;
use liveness_core::store::{
    Delivered, EventDelivery, EventReceiver, JobHandler, JobRunner, JobSettings, OpenError, Store, StoreError,
};

use crate::event::{DeliveryError, Subscription};
use crate::{Bus, PublishedEvent};

/// Why the delivery of events was not started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartEventsError {
    /// The subscriptions were not registered. A retry may succeed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The thread was not started.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A subscription has no types. [`BusBuilder::build`](crate::BusBuilder::build) rules that out.
    #[error(transparent)]
    Subscription(#[from] Violation),
}

/// Registers the subscriptions of a bus, and starts to deliver their events. Hold what it returns, and call
/// [`stop`](JobRunner::stop) at the end. Any number of processes may do so on one database: each subscription is delivered by one of
/// them at a time. Blocks.
///
/// # Errors
///
/// When the database is out of reach, or the thread cannot be started. Then call it again.
pub fn start_events(store: &Store, bus: &Bus) -> Result<JobRunner, StartEventsError> {
    subscribe(store, bus)?;
    Ok(JobRunner::start(store, event_deliveries(bus), JobSettings::default())?)
}

/// Registers the subscriptions of a bus: when this returns, no event of theirs is lost. Blocks.
///
/// # Errors
///
/// When the database is out of reach. Then call it again.
pub fn subscribe(store: &Store, bus: &Bus) -> Result<(), StartEventsError> {
    for subscription in bus.subscriptions() {
        store.events().subscribe(&stored(subscription)?)?;
    }
    Ok(())
}

/// The handlers of jobs that deliver the events of a bus, for a runner that has other jobs too.
pub fn event_deliveries(bus: &Bus) -> Vec<Box<dyn JobHandler>> {
    let deliveries = bus.subscriptions().iter().filter_map(|subscription| {
        // `build` has checked the names.
        let stored = stored(subscription).ok()?;
        let delivery = EventDelivery::new(stored, Arc::new(BusReceiver(subscription.clone())));
        Some(Box::new(delivery) as Box<dyn JobHandler>)
    });
    deliveries.collect()
}

fn stored(subscription: &Subscription) -> Result<EventSubscription, Violation> {
    EventSubscription::new(subscription.name(), subscription.types())
}

/// Hands events to a subscription.
struct BusReceiver(Subscription);

#[async_trait]
impl EventReceiver for BusReceiver {
    async fn receive(&self, event: &PublishedEvent) -> Delivered {
        match self.0.deliver(event).await {
            Ok(()) => Delivered::Taken,
            Err(error @ DeliveryError::Unreadable { .. }) => Delivered::SetAside(error.to_string()),
            Err(error) => Delivered::Failed(liveness_core::jobs::JobError::new(error).to_string()),
        }
    }
}
