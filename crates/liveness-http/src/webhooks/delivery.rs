//! Delivers events to the receiver: those of different users at once, those of a user one after the other.
//!
//! It is a durable job, so that one node at a time delivers. It runs for as long as its node does. If the node dies, the job goes on
//! elsewhere when its lease ends, and what was sent and not noted is sent once more.

use std::collections::HashSet;
use std::error::Error as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver as Ends, RecvTimeoutError, Sender as EndSender};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use liveness_core::events::Event;
use liveness_core::jobs::{Backoff, JobDone, JobError, JobKind};
use liveness_core::store::{JobHandler, RunningJob, StoreError};

use super::answer::Ended;
use super::receiver::Receiver;
use super::schedule::{jitter, wait_after};
use super::sender::{Message, Sender};
use super::subscription::{SUBSCRIPTION, subscribe};
use crate::metrics::WebhookMetrics;

/// How many events are on their way at once, each of another user.
const MOST_AT_ONCE: usize = 16;
/// How often it is looked for events.
const POLL: Duration = Duration::from_millis(250);
/// The wait after trouble with the database.
const BREATH: Duration = Duration::from_secs(1);
/// When the job begins again that has ended by itself.
const PERIOD: Duration = Duration::from_secs(5);

/// The handler of the job.
pub(crate) struct DeliverWebhooks {
    sender: Sender,
    metrics: WebhookMetrics,
    /// Whether the last attempt failed, so that the log tells of it once.
    is_failing: AtomicBool,
}

impl DeliverWebhooks {
    pub(crate) fn new(receiver: Receiver, metrics: WebhookMetrics) -> Self {
        Self {
            sender: Sender::new(receiver),
            metrics,
            is_failing: AtomicBool::new(false),
        }
    }
}

impl JobHandler for DeliverWebhooks {
    fn kind(&self) -> JobKind {
        const { JobKind::new("webhooks.deliver") }
    }

    fn every(&self) -> Option<Duration> {
        Some(PERIOD)
    }

    fn is_due_at_start(&self) -> bool {
        true
    }

    /// However often nodes die, or the database is away: it is never given up.
    fn backoff(&self) -> Backoff {
        Backoff {
            first: BREATH,
            longest: Duration::from_secs(10),
            attempts: u32::MAX,
        }
    }

    fn run(&self, job: &RunningJob) -> Result<JobDone, JobError> {
        subscribe(job.store()).map_err(|error| failed(&error))?;
        thread::scope(|scope| {
            let (ends, ended) = mpsc::channel();
            let mut round = Round {
                deliverer: self,
                job,
                scope,
                ends,
                busy: HashSet::new(),
            };
            while !job.should_stop() {
                round.begin()?;
                round.wait(&ended);
            }
            // Those that are on their way are waited for when the scope ends.
            Err(JobError::new("the host stops"))
        })
    }
}

/// What is on its way.
struct Round<'scope, 'env> {
    deliverer: &'scope DeliverWebhooks,
    job: &'scope RunningJob,
    scope: &'scope Scope<'scope, 'env>,
    ends: EndSender<i64>,
    /// The users of the events that are on their way.
    busy: HashSet<i64>,
}

impl Round<'_, '_> {
    /// Begins to send what is due, as far as there is room.
    fn begin(&mut self) -> Result<(), JobError> {
        let room = MOST_AT_ONCE.saturating_sub(self.busy.len());
        if room == 0 {
            return Ok(());
        }
        let busy: Vec<_> = self.busy.iter().copied().collect();
        let limit = u32::try_from(room).unwrap_or(u32::MAX);
        let due = self.job.store().events().due(SUBSCRIPTION, &busy, limit);
        for event in due.map_err(|error| failed(&error))? {
            let user = event.self_service_user_id;
            let (deliverer, job, end) = (self.deliverer, self.job, End(self.ends.clone(), user));
            let sending = thread::Builder::new().name("liveness-webhook".to_owned());
            let started = sending.spawn_scoped(self.scope, move || {
                let _end = end;
                deliverer.deliver(job, &event);
            });
            started.map_err(JobError::new)?;
            self.busy.insert(user);
        }
        Ok(())
    }

    /// Waits until something has ended, or it is time to look again.
    fn wait(&mut self, ended: &Ends<i64>) {
        match ended.recv_timeout(POLL) {
            Ok(user) => {
                self.busy.remove(&user);
                // What else has ended meanwhile.
                for user in ended.try_iter() {
                    self.busy.remove(&user);
                }
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }
}

/// Says that a user's event is no longer on its way, even if its thread panics.
struct End(EndSender<i64>, i64);

impl Drop for End {
    fn drop(&mut self) {
        // Nobody hears it when the job ends.
        let _ = self.0.send(self.1);
    }
}

impl DeliverWebhooks {
    /// Sends an event once, and notes how that ended.
    fn deliver(&self, job: &RunningJob, event: &Event) {
        let began = Instant::now();
        let ended = match event.body() {
            Ok(body) => self.sender.send(&Message {
                id: event.id.as_str(),
                body: body.as_bytes(),
                // An event does not keep one yet.
                traceparent: None,
            }),
            // No store keeps such an event.
            Err(error) => Ended::Failed {
                label: "unreached",
                why: format!("the event is damaged: {error}"),
                hold: None,
            },
        };
        self.metrics.ended(ended.label(), began.elapsed());
        self.tell(event, &ended);
        // While the database is away, the event stays on its way. Otherwise it would be sent again all the time.
        while let Err(error) = note(job, event, &ended) {
            log::debug!("the outcome of the event {} was not noted yet: {error}", event.id);
            if !job.wait(BREATH) {
                return;
            }
        }
    }

    /// Tells of the first failure, and of the first success after it.
    fn tell(&self, event: &Event, ended: &Ended) {
        let (id, event_type) = (&event.id, &event.event_type);
        match ended {
            Ended::Delivered => {
                log::debug!("the event {id} ({event_type}) was delivered");
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    log::info!("webhooks are delivered again");
                }
            }
            Ended::Failed { why, .. } => {
                let attempt = event.attempts.saturating_add(1);
                log::debug!("the event {id} ({event_type}) was not delivered in attempt {attempt}: {why}");
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    log::warn!("webhooks are not delivered, and are sent again: {why}");
                }
            }
            Ended::Gone => log::error!(
                "the receiver of webhooks wants no more events (410): nothing is sent until `liveness-http events enable`"
            ),
        }
    }
}

/// Notes how an attempt ended.
fn note(job: &RunningJob, event: &Event, ended: &Ended) -> Result<(), StoreError> {
    let events = job.store().events();
    match ended {
        Ended::Delivered => events.complete(&[event]),
        Ended::Failed { why, hold, .. } => {
            if let Some(hold) = hold {
                events.hold(SUBSCRIPTION, *hold, why)?;
            }
            match wait_after(event.attempts.saturating_add(1), jitter()) {
                Some(wait) => events.fail(SUBSCRIPTION, event, why, wait.max(hold.unwrap_or_default())),
                None => {
                    log::error!("the event {} ({}) was set aside: {why}", event.id, event.event_type);
                    events.set_aside(event, why)
                }
            }
        }
        Ended::Gone => events.disable(SUBSCRIPTION, "the receiver answered 410: it wants no more events"),
    }
}

/// The failure with what it came from.
fn failed(error: &StoreError) -> JobError {
    match error.source() {
        Some(cause) => JobError::new(format!("{error}: {cause}")),
        None => JobError::new(error),
    }
}
