//! The delivery of events by jobs: at least once, in order, on one node at a time, and nobody held up by others.

use std::collections::HashSet;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use liveness_core::events::{Event, EventSubscription, NewEvent};
use liveness_core::jobs::Backoff;
use liveness_core::store::{Delivered, EventDelivery, EventReceiver, JobRunner, JobSettings, Store};
use serde_json::json;

use crate::database::{Database, on_each_engine};
use crate::events::{NAME, subscribe};
use crate::samples::{NOW, at, recording};

const PATIENCE: Duration = Duration::from_secs(60);

/// Answers by a function, and tells the test of each event.
struct Answering<F> {
    answer: F,
    received: Mutex<Sender<Event>>,
}

#[async_trait]
impl<F: Fn(&Event) -> Delivered + Send + Sync + 'static> EventReceiver for Answering<F> {
    async fn receive(&self, event: &Event) -> Delivered {
        let answer = (self.answer)(event);
        let _ = self.received.lock().unwrap().send(event.clone());
        answer
    }

    fn backoff(&self) -> Backoff {
        Backoff {
            first: Duration::from_millis(1),
            longest: Duration::from_millis(2),
            attempts: 3,
        }
    }

    fn time_limit(&self) -> Duration {
        Duration::from_millis(200)
    }
}

/// Delivers the events of a subscription by a job of this process.
fn deliver(store: &Store, receiver: Arc<dyn EventReceiver>) -> JobRunner {
    let subscription = EventSubscription::to_all(NAME).unwrap();
    let delivery = EventDelivery::new(subscription, receiver);
    JobRunner::start(store, vec![Box::new(delivery)], JobSettings::default()).unwrap()
}

fn answering(
    answer: impl Fn(&Event) -> Delivered + Send + Sync + 'static,
) -> (Arc<dyn EventReceiver>, Receiver<Event>) {
    let (sender, received) = channel();
    let received_by = Mutex::new(sender);
    let receiver = Answering {
        answer,
        received: received_by,
    };
    (Arc::new(receiver), received)
}

fn event(user: i64, number: i64) -> NewEvent {
    NewEvent::new("a.type", user, &json!({ "number": number })).unwrap()
}

fn publish(store: &Store, events: &[NewEvent]) {
    store.events().publish(events, at(NOW)).unwrap();
}

/// Waits until nothing waits any more.
fn await_empty(database: &Database) {
    while database.number("SELECT count(*) FROM liveness_events WHERE NOT is_dead") > 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The next events, as user and data.
fn next(received: &Receiver<Event>, how_many: usize) -> Vec<(i64, String)> {
    let next = (0..how_many).map(|_| received.recv_timeout(PATIENCE).unwrap());
    next.map(|event| (event.self_service_user_id, event.data)).collect()
}

fn numbered(user: i64, number: i64) -> (i64, String) {
    (user, format!("{{\"number\":{number}}}"))
}

async fn what_is_published_is_delivered_in_order_and_deleted(database: Database) {
    let store = &database.store;
    subscribe(store, NAME);
    publish(store, &[event(1, 1), event(1, 2)]);
    let (receiver, received) = answering(|_| Delivered::Taken);
    let runner = deliver(store, receiver);
    assert_eq!(next(&received, 2), [numbered(1, 1), numbered(1, 2)]);
    // The job waits by now, and hears of what is committed.
    store.checks().record(recording(7, "session-7")).await.unwrap();
    let types = (0..3).map(|_| received.recv_timeout(PATIENCE).unwrap().event_type);
    let expected = [
        "liveness.check.recorded",
        "liveness.check.judged",
        "liveness.user.passed",
    ];
    assert_eq!(types.collect::<Vec<_>>(), expected);
    // Another store is like another process.
    publish(&database.open(), &[event(1, 3)]);
    assert_eq!(next(&received, 1), [numbered(1, 3)]);
    await_empty(&database);
    runner.stop(PATIENCE);
}

async fn an_event_that_fails_is_tried_again_and_keeps_only_its_user_waiting(database: Database) {
    let store = &database.store;
    subscribe(store, NAME);
    publish(store, &[event(1, 1), event(1, 2), event(2, 3)]);
    let (receiver, received) = answering(|event| match (event.self_service_user_id, event.attempts) {
        (1, 0) => Delivered::Failed("not yet".to_owned()),
        _ => Delivered::Taken,
    });
    let runner = deliver(store, receiver);
    let all: Vec<_> = (0..5).map(|_| received.recv_timeout(PATIENCE).unwrap()).collect();
    runner.stop(PATIENCE);
    await_empty(&database);
    let of = |user| {
        let of_user = all.iter().filter(move |event| event.self_service_user_id == user);
        of_user
            .map(|event| (event.data.as_str(), event.attempts))
            .collect::<Vec<_>>()
    };
    let [one, two] = [r#"{"number":1}"#, r#"{"number":2}"#];
    assert_eq!(of(1), [(one, 0), (one, 1), (two, 0), (two, 1)]);
    assert_eq!(of(2), [(r#"{"number":3}"#, 0)]);
    assert_eq!(
        all.iter().map(|event| event.id.as_str()).collect::<HashSet<_>>().len(),
        3
    );
}

async fn who_always_fails_panics_or_takes_too_long_has_it_set_aside(database: Database) {
    struct Odd;

    #[async_trait]
    impl EventReceiver for Odd {
        async fn receive(&self, event: &Event) -> Delivered {
            match event.self_service_user_id {
                1 => Delivered::Failed("never".to_owned()),
                2 => panic!("a test of panics"),
                3 => std::future::pending().await,
                4 => Delivered::SetAside("no".to_owned()),
                _ => Delivered::Taken,
            }
        }

        fn backoff(&self) -> Backoff {
            Backoff {
                first: Duration::from_millis(1),
                longest: Duration::from_millis(1),
                attempts: 2,
            }
        }

        fn time_limit(&self) -> Duration {
            Duration::from_millis(100)
        }
    }

    let store = &database.store;
    subscribe(store, NAME);
    publish(store, &(1..=5).map(|user| event(user, user)).collect::<Vec<_>>());
    let runner = deliver(store, Arc::new(Odd));
    await_empty(&database);
    runner.stop(PATIENCE);
    let dead = store.events().list_set_aside(NAME, 0, 10).await.unwrap();
    let why: Vec<_> = dead
        .iter()
        .map(|dead| {
            let error = dead.last_error.as_deref().unwrap_or_default();
            (dead.event.self_service_user_id, dead.event.attempts, error)
        })
        .collect();
    let expected = [
        (1, 2, "never"),
        (2, 2, "the subscriber panicked: the log of that time says where"),
        (3, 2, "the subscriber took longer than 0 s"),
        (4, 1, "no"),
    ];
    assert_eq!(why, expected);
}

async fn a_receiver_holds_and_disables_its_subscription(database: Database) {
    let store = &database.store;
    subscribe(store, NAME);
    publish(store, &[event(1, 1)]);
    let (receiver, received) = answering(|event| match event.data.as_str() {
        r#"{"number":1}"# => Delivered::Hold {
            after: Duration::from_secs(3600),
            why: "busy".to_owned(),
        },
        _ => Delivered::Disable("gone".to_owned()),
    });
    let runner = deliver(store, receiver);
    received.recv_timeout(PATIENCE).unwrap();
    let state = || store.events().count().unwrap().swap_remove(0);
    while state().held_until.is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!((state().waiting, state().why.as_deref()), (1, Some("busy")));
    database.execute("UPDATE liveness_events SET data = '{\"number\":2}'");
    store.events().enable(NAME).unwrap();
    received.recv_timeout(PATIENCE).unwrap();
    while !state().is_disabled {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!((state().waiting, state().why.as_deref()), (1, Some("gone")));
    runner.stop(PATIENCE);
}

async fn one_node_at_a_time_delivers_and_the_next_goes_on_when_it_stops(database: Database) {
    let (store, other) = (&database.store, database.open());
    subscribe(store, NAME);
    let (receiver, received) = answering(|_| Delivered::Taken);
    let one = deliver(store, Arc::clone(&receiver));
    let two = deliver(&other, receiver);
    publish(store, &[event(1, 1), event(1, 2)]);
    assert_eq!(next(&received, 2), [numbered(1, 1), numbered(1, 2)]);
    one.stop(PATIENCE);
    publish(store, &[event(1, 3)]);
    assert_eq!(next(&received, 1), [numbered(1, 3)]);
    two.stop(PATIENCE);
    await_empty(&database);
}

async fn the_events_of_a_process_that_died_go_on_elsewhere(database: Database) {
    let store = &database.store;
    subscribe(store, NAME);
    publish(store, &[event(1, 1), event(1, 2)]);
    let (stuck, begun) = answering(|_| Delivered::Hold {
        after: Duration::ZERO,
        why: String::new(),
    });
    let dying = deliver(store, stuck);
    begun.recv_timeout(PATIENCE).unwrap();
    // As one that died: it leaves its job with a lease.
    drop(dying);
    let (receiver, received) = answering(|_| Delivered::Taken);
    let runner = deliver(&database.open(), receiver);
    database.execute("UPDATE liveness_jobs SET takeable_at = 1");
    assert_eq!(next(&received, 2), [numbered(1, 1), numbered(1, 2)]);
    runner.stop(PATIENCE);
    await_empty(&database);
}

on_each_engine! {
    a_receiver_holds_and_disables_its_subscription,
    an_event_that_fails_is_tried_again_and_keeps_only_its_user_waiting,
    one_node_at_a_time_delivers_and_the_next_goes_on_when_it_stops,
    the_events_of_a_process_that_died_go_on_elsewhere,
    what_is_published_is_delivered_in_order_and_deleted,
    who_always_fails_panics_or_takes_too_long_has_it_set_aside,
}
