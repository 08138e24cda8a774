//! The loop of a job that delivers: takes what is due, hands it to the receiver, and notes what came of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::timeout;

use super::of_store;
use super::outcome::{Outcome, outcome, write};
use super::receiver::{Delivered, EventReceiver};
use crate::events::Event;
use crate::jobs::{JobDone, JobError};
use crate::store::Store;
use crate::store::engine::error::StoreError;
use crate::store::job_runner::handler::RunningJob;

/// The longest time between two looks for events of other processes.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// How long a job delivers before it is noted as done, and begins again.
const RUN: Duration = Duration::from_secs(60);
/// How long what is being delivered may take when the runner stops. What has not ended is delivered again.
const LAST_MOMENTS: Duration = Duration::from_secs(3);
/// How many events are delivered at once, each of another user.
const AT_ONCE: usize = 16;

/// What wakes the job.
enum Wake {
    /// The delivery of an event of this user has ended.
    Ended(i64, Delivered),
    /// A transaction with events was committed in this process.
    Published,
}

/// A job that delivers.
pub(super) struct Delivering {
    store: Store,
    subscription: String,
    receiver: Arc<dyn EventReceiver>,
    /// The events that are being delivered, by their users.
    flying: HashMap<i64, Event>,
    sender: UnboundedSender<Wake>,
    ended: UnboundedReceiver<Wake>,
}

impl Delivering {
    pub(super) fn new(store: Store, subscription: &str, receiver: &Arc<dyn EventReceiver>) -> Self {
        let (sender, ended) = mpsc::unbounded_channel();
        Self {
            store,
            subscription: subscription.to_owned(),
            receiver: Arc::clone(receiver),
            flying: HashMap::new(),
            sender,
            ended,
        }
    }

    pub(super) async fn run(mut self, job: &RunningJob) -> Result<JobDone, JobError> {
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
        self.store.events().write(|conn| write(conn, subscription, &outcomes))
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
