//! Delivers the events of a subscription: a job of one node at a time, that hands each event to a receiver and notes what came of it.

mod receiver;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::timeout;

pub use self::receiver::{Delivered, EventReceiver};
use super::Store;
use super::engine::clock;
use super::engine::connection::Connection;
use super::engine::error::StoreError;
use super::job_runner::handler::{JobHandler, RunningJob};
use super::tables::events::{ending, registering};
use crate::events::{Event, EventSubscription};
use crate::jobs::{JobDone, JobError, JobKind, jitter, millis};

/// The longest time between two looks for events of other processes.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// How long a job delivers before it is noted as done, and begins again.
const RUN: Duration = Duration::from_secs(60);
/// How long what is being delivered may take when the runner stops. What has not ended is delivered again.
const LAST_MOMENTS: Duration = Duration::from_secs(3);
/// How many events are delivered at once, each of another user.
const AT_ONCE: usize = 16;

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
        let (sender, ended) = mpsc::unbounded_channel();
        let delivering = Delivering {
            store,
            subscription: self.subscription.name().to_owned(),
            receiver: Arc::clone(&self.receiver),
            flying: HashMap::new(),
            sender,
            ended,
        };
        let ran = runtime.block_on(delivering.run(job));
        // What a subscriber does on a thread of its own is not waited for.
        runtime.shutdown_background();
        ran
    }
}

fn of_store(error: StoreError) -> JobError {
    JobError::new(error.cause())
}

/// What wakes the job.
enum Wake {
    /// The delivery of an event of this user has ended.
    Ended(i64, Delivered),
    /// A transaction with events was committed in this process.
    Published,
}

/// A job that delivers.
struct Delivering {
    store: Store,
    subscription: String,
    receiver: Arc<dyn EventReceiver>,
    /// The events that are being delivered, by their users.
    flying: HashMap<i64, Event>,
    sender: UnboundedSender<Wake>,
    ended: UnboundedReceiver<Wake>,
}

impl Delivering {
    async fn run(mut self, job: &RunningJob) -> Result<JobDone, JobError> {
        self.listen();
        let begun = Instant::now();
        loop {
            let is_over = begun.elapsed() > RUN;
            if is_over && self.flying.is_empty() {
                let now = self.store.events().now().map_err(of_store)?;
                return Ok(JobDone::RunAgainAt(now));
            }
            if job.should_stop() {
                self.end().await.map_err(of_store)?;
                return Err(JobError::new("the process ends"));
            }
            if !is_over {
                self.begin().map_err(of_store)?;
            }
            if let Ok(Some(wake)) = timeout(LOOK_INTERVAL, self.ended.recv()).await {
                self.settle(wake).map_err(of_store)?;
            }
        }
    }

    /// Hears of events that are published in this process.
    fn listen(&self) {
        let (mut rung, sender) = (self.store.events().bell().listen(), self.sender.clone());
        tokio::spawn(async move { while rung.changed().await.is_ok() && sender.send(Wake::Published).is_ok() {} });
    }

    /// Begins to deliver what is due.
    fn begin(&mut self) -> Result<(), StoreError> {
        let free = AT_ONCE.saturating_sub(self.flying.len());
        let Ok(free @ 1..) = u32::try_from(free) else {
            return Ok(());
        };
        let busy: Vec<_> = self.flying.keys().copied().collect();
        for event in self.store.events().due(&self.subscription, &busy, free)? {
            self.flying.insert(event.self_service_user_id, event.clone());
            let (receiver, sender) = (Arc::clone(&self.receiver), self.sender.clone());
            tokio::spawn(async move {
                let user = event.self_service_user_id;
                let delivered = deliver(receiver, event).await;
                // The job may have ended meanwhile. Then the event is delivered again.
                let _ = sender.send(Wake::Ended(user, delivered));
            });
        }
        Ok(())
    }

    /// Notes what came of the events that have ended, in one transaction.
    fn settle(&mut self, wake: Wake) -> Result<(), StoreError> {
        let mut wakes = vec![wake];
        while let Ok(more) = self.ended.try_recv() {
            wakes.push(more);
        }
        let ended = wakes.into_iter().filter_map(|wake| match wake {
            Wake::Ended(user, delivered) => Some((self.flying.remove(&user)?, delivered)),
            Wake::Published => None,
        });
        let ended: Vec<_> = ended.collect();
        if ended.is_empty() {
            return Ok(());
        }
        let outcomes: Vec<_> = ended
            .iter()
            .map(|(event, delivered)| (event, outcome(&*self.receiver, event, delivered)))
            .collect();
        outcomes.iter().for_each(|(event, outcome)| self.tell(event, outcome));
        let subscription = &self.subscription;
        self.store.events().write(|conn| {
            let taken = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Taken);
            let taken: Vec<_> = taken
                .map(|(event, _)| (event.row, event.self_service_user_id))
                .collect();
            ending::delete(conn, &taken)?;
            for (event, outcome) in &outcomes {
                match *outcome {
                    Outcome::Taken => {}
                    Outcome::Retry(after, why) => {
                        let next_at = later(conn, after)?;
                        ending::fail(conn, subscription, event, next_at, why)?;
                    }
                    Outcome::SetAside(why) => ending::set_aside(conn, event, why)?,
                    Outcome::Hold(after, why) => {
                        let until = later(conn, after)?;
                        registering::hold(conn, subscription, until, why)?;
                    }
                    Outcome::Disable(why) => registering::disable(conn, subscription, why)?,
                }
            }
            Ok(())
        })
    }

    /// Waits a moment for what is being delivered.
    async fn end(&mut self) -> Result<(), StoreError> {
        let begun = Instant::now();
        while !self.flying.is_empty() {
            let left = LAST_MOMENTS.saturating_sub(begun.elapsed());
            match timeout(left, self.ended.recv()).await {
                Ok(Some(wake)) => self.settle(wake)?,
                Ok(None) | Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    fn tell(&self, event: &Event, outcome: &Outcome<'_>) {
        let (name, id, attempt) = (&self.subscription, &event.id, event.attempts + 1);
        match outcome {
            Outcome::Taken => log::debug!("the subscription {name} has taken the event {id}"),
            Outcome::Retry(after, why) => log::warn!(
                "the subscription {name} failed on the event {id}, which is delivered again in {} s (attempt {attempt}): {why}",
                after.as_secs()
            ),
            Outcome::SetAside(why) => {
                log::error!("the event {id} of the subscription {name} is set aside after attempt {attempt}: {why}");
            }
            Outcome::Hold(after, why) => {
                log::warn!(
                    "nothing is delivered to the subscription {name} for {} s: {why}",
                    after.as_secs()
                );
            }
            Outcome::Disable(why) => log::error!("the subscription {name} is disabled: {why}"),
        }
    }
}

/// Hands an event to the receiver. A panic and a time that is too long are failures.
async fn deliver(receiver: Arc<dyn EventReceiver>, event: Event) -> Delivered {
    let limit = receiver.time_limit();
    let mut receiving = tokio::spawn(async move { receiver.receive(&event).await });
    match timeout(limit, &mut receiving).await {
        Ok(Ok(delivered)) => delivered,
        // The message of a panic may name a person, and is in the log of the host.
        Ok(Err(_)) => Delivered::Failed("the subscriber panicked: the log of that time says where".to_owned()),
        Err(_) => {
            receiving.abort();
            Delivered::Failed(format!("the subscriber took longer than {} s", limit.as_secs()))
        }
    }
}

/// The time after so long, by the clock of the database.
fn later(conn: &mut Connection<'_>, after: Duration) -> Result<i64, StoreError> {
    Ok(clock::now(conn)?.saturating_add(millis(after)))
}

/// What is written of an event that was delivered or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome<'a> {
    Taken,
    Retry(Duration, &'a str),
    SetAside(&'a str),
    Hold(Duration, &'a str),
    Disable(&'a str),
}

fn outcome<'a>(receiver: &dyn EventReceiver, event: &Event, delivered: &'a Delivered) -> Outcome<'a> {
    match delivered {
        Delivered::Taken => Outcome::Taken,
        Delivered::Failed(why) => match receiver.backoff().after(event.attempts + 1, jitter()) {
            Some(after) => Outcome::Retry(after, why),
            None => Outcome::SetAside(why),
        },
        Delivered::Retry { after, why } => Outcome::Retry(*after, why),
        Delivered::SetAside(why) => Outcome::SetAside(why),
        Delivered::Hold { after, why } => Outcome::Hold(*after, why),
        Delivered::Disable(why) => Outcome::Disable(why),
    }
}
