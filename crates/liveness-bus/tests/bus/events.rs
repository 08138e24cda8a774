//! Subscriptions of the bus alone: who gets which events, and what is wrong with them. There is no store.

use std::sync::{Arc, Mutex};

use liveness_bus::{
    Bus, Delivery, DeliveryError, Event, MemoryEvents, Mistake, NewEvent, PublishedEvent, Subscriber, Subscription,
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Greeted {
    whom: i64,
}

impl Event for Greeted {
    const TYPE: &'static str = "greeted";

    fn self_service_user_id(&self) -> i64 {
        self.whom
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Left {
    who: i64,
}

impl Event for Left {
    const TYPE: &'static str = "left";

    fn self_service_user_id(&self) -> i64 {
        self.who
    }
}

#[derive(Serialize, Deserialize)]
struct Shouted(i64);

impl Event for Shouted {
    const TYPE: &'static str = "SHOUTED";

    fn self_service_user_id(&self) -> i64 {
        self.0
    }
}

/// Notes what it receives. It fails on user 13.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Notes {
    #[expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]
    fn note(&self, user: i64, text: String) -> Result<(), liveness_bus::Cause> {
        if user == 13 {
            return Err("thirteen".into());
        }
        self.0.lock().unwrap().push(text);
        Ok(())
    }
}

impl Subscriber<Greeted> for Notes {
    async fn receive(&self, event: Greeted, delivery: &Delivery) -> Result<(), liveness_bus::Cause> {
        let Delivery { id, at, attempt } = delivery;
        self.note(event.whom, format!("greeted {} {id} {at} {attempt}", event.whom))
    }
}

impl Subscriber<Left> for Notes {
    async fn receive(&self, event: Left, _: &Delivery) -> Result<(), liveness_bus::Cause> {
        self.note(event.who, format!("left {}", event.who))
    }
}

impl Subscriber<Shouted> for Notes {
    async fn receive(&self, _: Shouted, _: &Delivery) -> Result<(), liveness_bus::Cause> {
        Ok(())
    }
}

#[expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]
fn at() -> liveness_core::Timestamp {
    "2026-03-22T14:00:05Z".parse().unwrap()
}

#[tokio::test]
async fn each_subscriber_gets_the_events_of_its_type() {
    let notes = Arc::new(Notes::default());
    let all = Subscription::new("all")
        .on::<Greeted>(notes.clone())
        .on::<Left>(notes.clone());
    let left = Subscription::new("left").on::<Left>(notes.clone());
    let bus = Bus::builder().subscription(all).subscription(left).build().unwrap();
    let events = MemoryEvents::default();
    events.publish(&Greeted { whom: 7 }, at()).unwrap();
    events.publish(&Left { who: 8 }, at()).unwrap();

    for event in events.published() {
        bus.deliver(&event).await.unwrap();
    }

    let greeted = "greeted 7 evt_AAAAAAAAAAAAAAAAAAAAAA 2026-03-22T14:00:05Z 1";
    assert_eq!(*notes.0.lock().unwrap(), [greeted, "left 8", "left 8"]);
    assert_eq!(events.of::<Greeted>(), [Greeted { whom: 7 }]);
}

#[tokio::test]
async fn a_subscriber_that_fails_and_data_that_do_not_fit_are_told_apart() {
    let subscription = Subscription::new("a").on::<Greeted>(Notes::default());
    let thirteen = Greeted { whom: 13 }.to_new().unwrap();
    let odd = NewEvent::new("greeted", 1, &serde_json::json!({ "whom": "a secret" })).unwrap();
    let id = liveness_bus::EventId::of_bits([0; 16]);
    let deliver = async |new: &NewEvent| {
        let event = PublishedEvent::without_store(new, id.clone(), at());
        subscription.deliver(&event).await.unwrap_err()
    };

    let failed = deliver(&thirteen).await;
    assert!(matches!(failed, DeliveryError::Failed(_)), "{failed}");
    assert_eq!(failed.to_string(), "thirteen");
    let unreadable = deliver(&odd).await;
    assert!(matches!(unreadable, DeliveryError::Unreadable { .. }), "{unreadable}");
    assert!(!unreadable.to_string().contains("secret"), "{unreadable}");
}

#[test]
fn an_event_that_is_no_object_or_has_a_bad_type_is_not_published() {
    assert_eq!(Shouted(1).to_new().unwrap_err().code(), "format");
    assert!(MemoryEvents::default().publish(&Shouted(1), at()).is_err());
}

#[test]
fn every_mistake_in_subscriptions_is_told() {
    let notes = Arc::new(Notes::default());
    let twice = Subscription::new("twice")
        .on::<Left>(notes.clone())
        .on::<Left>(notes.clone());
    let errors = Bus::builder()
        .subscription(twice)
        .subscription(Subscription::new("twice").on::<Greeted>(notes.clone()))
        .subscription(Subscription::new("Upper case").on::<Greeted>(notes.clone()))
        .subscription(Subscription::new("nothing"))
        .subscription(Subscription::new("loud").on::<Shouted>(notes))
        .build()
        .unwrap_err();
    let expected = [
        Mistake::DuplicateSubscriber {
            subscription: "twice",
            event: "left",
        },
        Mistake::DuplicateSubscription("twice"),
        Mistake::BadSubscription("Upper case"),
        Mistake::NoSubscriber("nothing"),
        Mistake::BadEvent("SHOUTED"),
    ];
    assert_eq!(errors.mistakes(), expected);
}
