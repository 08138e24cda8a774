//! The events that the messages publish, and a handler's own, as a unit test sees them.

use std::sync::{Arc, Mutex};

use liveness_bus::liveness::{Settings, SubmitLivenessCheckCommand, UserPassed};
use liveness_bus::testing::TestBus;
use liveness_bus::{Cause, Delivery, Subscriber, Subscription};
use serde_json::json;

/// Whom it has received. It fails on the first attempt of each.
#[derive(Default)]
struct Passed {
    tried: Mutex<Vec<String>>,
    received: Mutex<Vec<i64>>,
}

impl Subscriber<UserPassed> for Passed {
    #[expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]
    async fn receive(&self, passed: UserPassed, delivery: &Delivery) -> Result<(), Cause> {
        let id = delivery.id.to_string();
        let mut tried = self.tried.lock().unwrap();
        if !tried.contains(&id) {
            tried.push(id);
            return Err("not yet".into());
        }
        self.received.lock().unwrap().push(passed.user_id);
        Ok(())
    }
}

#[expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]
fn submit(session: &str) -> SubmitLivenessCheckCommand {
    let body = json!({ "sessionId": session, "isSuccessful": true });
    serde_json::from_value(body).unwrap()
}

#[tokio::test]
async fn a_test_sees_what_a_message_published() {
    let world = TestBus::new();
    world.send(submit("session-1"), &world.customer(1)).await.unwrap();

    let events = world.events().await;

    let types: Vec<_> = events.iter().map(|event| event.event_type.as_str()).collect();
    let expected = [
        "liveness.check.recorded",
        "liveness.check.judged",
        "liveness.user.passed",
    ];
    assert_eq!(types, expected);
    let body = r#"{"type":"liveness.check.judged","timestamp":"2026-03-22T14:00:05Z","data":{"checkId":1,"userId":1,"outcome":"review"}}"#;
    assert_eq!(events[1].body().unwrap(), body);
}

#[tokio::test]
async fn a_subscriber_gets_what_it_has_not_taken_until_it_takes_it() {
    let passed = Arc::new(Passed::default());
    let subscription = Subscription::new("passed").on::<UserPassed>(passed.clone());
    let world = TestBus::with(Settings::default(), |builder| builder.subscription(subscription));
    for (user, session) in [(1, "a"), (1, "b"), (2, "c")] {
        world.send(submit(session), &world.customer(user)).await.unwrap();
    }

    while world.deliver_events().await.is_err() {}

    assert_eq!(*passed.received.lock().unwrap(), [1, 2]);
    world.deliver_events().await.unwrap();
    assert_eq!(passed.received.lock().unwrap().len(), 2);
}
