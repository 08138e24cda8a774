//! Takes the events of the subscription: sends each to the receiver, and says what comes of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use liveness_core::events::Event;
use liveness_core::store::{Delivered, EventReceiver, Store};

use super::answer::Ended;
use super::receiver::Receiver;
use super::schedule::{jitter, wait_after};
use super::sender::{Message, Sender, TIMEOUT};
use super::subscription::SUBSCRIPTION;
use crate::metrics::WebhookMetrics;

/// Sends events as webhooks. [`EventDelivery`](liveness_core::store::EventDelivery) hands them over, on one node at a time.
pub(crate) struct SendWebhooks(Arc<Work>);

struct Work {
    store: Store,
    sender: Sender,
    metrics: WebhookMetrics,
}

impl SendWebhooks {
    /// `store` is the one whose events these are.
    pub(crate) fn new(store: Store, receiver: Receiver, metrics: WebhookMetrics) -> Self {
        Self(Arc::new(Work {
            store,
            sender: Sender::new(receiver),
            metrics,
        }))
    }
}

#[async_trait]
impl EventReceiver for SendWebhooks {
    async fn receive(&self, event: &Event) -> Delivered {
        let (work, event) = (Arc::clone(&self.0), event.clone());
        let sending = tokio::task::spawn_blocking(move || work.deliver(&event));
        // It does not panic, so this is the end of the process.
        let delivered = sending.await;
        delivered.unwrap_or_else(|_| Delivered::Failed("the thread that sent it has ended".to_owned()))
    }

    /// Longer than an attempt can take.
    fn time_limit(&self) -> Duration {
        TIMEOUT * 2
    }
}

impl Work {
    /// Sends an event once. Blocks.
    fn deliver(&self, event: &Event) -> Delivered {
        let body = match event.body() {
            Ok(body) => body,
            // No store keeps such an event.
            Err(error) => return Delivered::SetAside(format!("the event is damaged: {error}")),
        };
        let began = Instant::now();
        let ended = self.sender.send(&Message {
            id: event.id.as_str(),
            body: body.as_bytes(),
            traceparent: event.traceparent.as_deref(),
        });
        self.metrics.ended(ended.label(), began.elapsed());
        match ended {
            Ended::Delivered => Delivered::Taken,
            Ended::Gone => Delivered::Disable("the receiver answered 410: it wants no more events".to_owned()),
            Ended::Failed { why, hold, .. } => self.again(event, why, hold),
        }
    }

    /// What becomes of an event after an attempt that failed. A wait that the receiver asks for is for all events.
    fn again(&self, event: &Event, why: String, hold: Option<Duration>) -> Delivered {
        if let Some(hold) = hold
            && let Err(error) = self.store.events().hold(SUBSCRIPTION, hold, &why)
        {
            log::debug!("the wait that the receiver of webhooks asks for is not noted: {error}");
        }
        match wait_after(event.attempts.saturating_add(1), jitter()) {
            Some(wait) => Delivered::Retry {
                after: wait.max(hold.unwrap_or_default()),
                why,
            },
            None => Delivered::SetAside(why),
        }
    }
}
