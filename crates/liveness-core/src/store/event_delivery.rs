//! Delivers the events of a subscription: a job of one node at a time, that hands each event to a receiver and notes what came of it.

mod delivering;
mod outcome;
mod receiver;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use self::delivering::Delivering;
pub use self::receiver::{Delivered, EventReceiver};
use super::engine::error::StoreError;
use super::job_runner::handler::{JobHandler, RunningJob};
use crate::events::EventSubscription;
use crate::jobs::{JobDone, JobError, JobKind};

/// Delivers the events of a subscription, on one node at a time, as a durable job. Give it to a
/// [`JobRunner`](crate::store::JobRunner), which may have several, each of another subscription.
///
/// Each event is handed to the receiver at least once. The events of a user come one after the other in their order, those of
/// different users at once. One that the receiver fails on is tried again, and keeps the others of its user waiting, and no others.
/// If the process ends, the events go on elsewhere when the lease of the job ends.
///
/// ```
/// use std::sync::Arc;
///
/// use liveness_core::events::{Event, EventSubscription, NewEvent};
/// use liveness_core::store::{
///     Delivered, EventDelivery, EventReceiver, JobRunner, JobSettings, Store,
/// };
///
/// struct Print(std::sync::mpsc::Sender<String>);
///
/// #[async_trait::async_trait]
/// impl EventReceiver for Print {
///     async fn receive(&self, event: &Event) -> Delivered {
///         match self.0.send(event.data.clone()) {
///             Ok(()) => Delivered::Taken,
///             Err(error) => Delivered::Failed(error.to_string()),
///         }
///     }
/// }
///
/// let store = Store::in_memory()?;
/// store.migrate()?;
/// let (sender, printed) = std::sync::mpsc::channel();
/// let subscription = EventSubscription::new("printer", ["bank.card.frozen"])?;
/// store.events().subscribe(&subscription)?;
/// let delivery = EventDelivery::new(subscription, Arc::new(Print(sender)));
/// let runner = JobRunner::start(&store, vec![Box::new(delivery)], JobSettings::default())?;
/// let frozen = NewEvent::new("bank.card.frozen", 1234, &serde_json::json!({ "card": 7 }))?;
/// store.events().publish(&[frozen], "2026-03-22T14:00:00Z".parse()?)?;
/// assert_eq!(printed.recv()?, r#"{"card":7}"#);
/// runner.stop(std::time::Duration::from_secs(5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EventDelivery {
    subscription: EventSubscription,
    kind: JobKind,
    receiver: Arc<dyn EventReceiver>,
}

impl fmt::Debug for EventDelivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventDelivery")
            .field("subscription", &self.subscription)
            .finish_non_exhaustive()
    }
}

impl EventDelivery {
    /// Delivers the events of the subscription to this receiver. The job registers the subscription when it begins, so that a database
    /// which is out of reach at the start is no obstacle. Who must not miss an event from the start on registers it before.
    ///
    /// The name of the job's kind is kept for as long as the process runs.
    pub fn new(subscription: EventSubscription, receiver: Arc<dyn EventReceiver>) -> Self {
        let kind = format!("events.{}", subscription.name());
        Self {
            kind: JobKind::new(kind.leak()),
            subscription,
            receiver,
        }
    }
}

impl JobHandler for EventDelivery {
    fn kind(&self) -> JobKind {
        self.kind
    }

    fn every(&self) -> Option<Duration> {
        Some(Duration::from_secs(1))
    }

    fn is_due_at_start(&self) -> bool {
        true
    }

    fn run(&self, job: &RunningJob) -> Result<JobDone, JobError> {
        let store = job.store().clone();
        store.events().subscribe(&self.subscription).map_err(of_store)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| JobError::new(format!("cannot wait: {error}")))?;
        let delivering = Delivering::new(store, self.subscription.name(), &self.receiver);
        let ran = runtime.block_on(delivering.run(job));
        // What a subscriber does on a thread of its own is not waited for.
        runtime.shutdown_background();
        ran
    }
}

fn of_store(error: StoreError) -> JobError {
    JobError::new(error.cause())
}
