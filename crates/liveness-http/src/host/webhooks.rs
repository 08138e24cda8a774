//! Has webhooks delivered, and counts what waits for the receiver.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver as Ended, RecvTimeoutError, Sender as Ends};
use std::thread;
use std::time::Duration;

use liveness_core::events::EventSubscription;
use liveness_core::store::{EventDelivery, JobRunner, JobSettings, Store, StoreError};

use super::start_error::StartError;
use crate::metrics::{Metrics, WebhookCounts, WebhookMetrics};
use crate::webhooks::{ConfiguredWebhooks, SUBSCRIPTION, SendWebhooks, subscription};

/// For how long nobody delivers after a node has died.
const LEASE: Duration = Duration::from_secs(10);
/// The time between two counts.
const COUNT_INTERVAL: Duration = Duration::from_secs(10);
/// How long the host waits for the database before it listens.
const PATIENCE: Duration = Duration::from_secs(2);
/// The time between two tries to register the subscription.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Delivers until it is stopped. The thread that counts ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Webhooks {
    runner: JobRunner,
    _ends: Ends<()>,
}

impl Webhooks {
    /// Begins nothing more, and waits for what is on its way, but no longer than this. What is left then is sent again. Blocks.
    pub(crate) fn stop(&self, patience: Duration) {
        self.runner.stop(patience);
    }
}

/// Registers the subscription, and starts to deliver.
///
/// # Errors
///
/// When the operating system gives the process no other thread.
pub(super) fn start(store: &Store, configured: &ConfiguredWebhooks, metrics: &Metrics) -> Result<Webhooks, StartError> {
    let receiver = configured.receiver().clone();
    log::info!("webhooks are sent to {}", receiver.origin());
    if let Some(is_stale) = configured.is_stale() {
        metrics.show_stale_file("LIVENESS_WEBHOOK_SECRET_FILE", is_stale);
    }
    let subscription = subscription().map_err(std::io::Error::other)?;
    let sending = SendWebhooks::new(store.clone(), receiver, metrics.webhooks.clone());
    let delivery = EventDelivery::new(subscription.clone(), Arc::new(sending));
    let runner = JobRunner::start(store, vec![Box::new(delivery)], JobSettings { lease: LEASE })?;
    let (ends, ended) = mpsc::channel();
    let (registers, registered) = mpsc::channel();
    let (store, shown) = (store.clone(), metrics.webhooks.clone());
    thread::Builder::new()
        .name("liveness-webhooks".to_owned())
        .spawn(move || {
            if register(&store, &subscription, &ended) {
                // Nobody waits for it any more if it took long.
                let _ = registers.send(());
                count_on(&store, &shown, &ended);
            }
        })?;
    if registered.recv_timeout(PATIENCE).is_err() {
        log::warn!("no events are kept for webhooks before the database is there");
    }
    Ok(Webhooks { runner, _ends: ends })
}

/// Registers the subscription. It tries again until that is done, or the host ends: then it returns false.
fn register(store: &Store, subscription: &EventSubscription, ended: &Ended<()>) -> bool {
    while let Err(error) = store.events().subscribe(subscription) {
        log::debug!("the subscription of webhooks is not registered yet: {error}");
        if ended.recv_timeout(RETRY_INTERVAL) != Err(RecvTimeoutError::Timeout) {
            return false;
        }
    }
    true
}

/// Tells of events that are kept for a receiver that no setting names any more, in its own time.
///
/// # Errors
///
/// When the operating system gives the process no other thread.
pub(super) fn tell_of_leftovers(store: Store) -> Result<(), StartError> {
    thread::Builder::new().name("liveness-webhooks".to_owned()).spawn(move || {
        if let Ok(Some(counts)) = count(&store) {
            let waiting = counts.waiting + counts.set_aside;
            log::warn!(
                "LIVENESS_WEBHOOK_URL is not set, and events are still kept for webhooks ({waiting} now): set it, or run \
                 `liveness-http events end`"
            );
        }
    })?;
    Ok(())
}

fn count_on(store: &Store, metrics: &WebhookMetrics, ended: &Ended<()>) {
    let mut is_told = false;
    loop {
        match count(store) {
            Ok(counts) => {
                is_told = tell_of_standstill(counts.as_ref(), is_told);
                metrics.show(counts.unwrap_or_default());
            }
            // The store itself tells of a database that goes away and comes back.
            Err(error) => log::debug!("events cannot be counted: {error}"),
        }
        if ended.recv_timeout(COUNT_INTERVAL) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

/// Tells once when nothing is sent any more, although there is a receiver. Returns whether that is so.
fn tell_of_standstill(counts: Option<&WebhookCounts>, is_told: bool) -> bool {
    let why = match counts {
        Some(counts) if counts.is_disabled => {
            "no webhooks are sent: the receiver has answered 410; events are kept until `liveness-http events enable`"
        }
        Some(_) => return false,
        None => {
            "no events are kept for webhooks: `liveness-http events end` was run; they are kept again from the next start on"
        }
    };
    if !is_told {
        log::warn!("{why}");
    }
    true
}

/// `None` if there is no subscription.
fn count(store: &Store) -> Result<Option<WebhookCounts>, StoreError> {
    let counts = store.events().count()?;
    let of_webhooks = counts.into_iter().find(|counts| counts.subscription == SUBSCRIPTION);
    Ok(of_webhooks.map(|counts| WebhookCounts {
        waiting: counts.waiting,
        set_aside: counts.set_aside,
        oldest_seconds: counts.oldest_seconds,
        is_disabled: counts.is_disabled,
    }))
}
