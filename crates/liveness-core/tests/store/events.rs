//! Events: what is told, to whom, in which order, and that none is lost.

use std::time::Duration;

use liveness_core::events::{
    CHECK_DECIDED, CHECK_JUDGED, CHECK_RECORDED, Event, EventSubscription, FACE_ERASED, NewEvent, USER_LOCKED,
    USER_PASSED,
};
use liveness_core::policy::Policy;
use liveness_core::store::{Connection, DecisionOrder, ErasureOrder, EventState, Recording, Store, publish_events};
use liveness_core::{CompletionRule, Decision};
use serde_json::{Value, json};

use crate::database::{Database, Link, on_each_engine};
use crate::queue::{begin_record, occupy, one_face};
use crate::samples::{HOUR, NOW, at, at_once, decision, keyed, order, recording, with_face};

pub(crate) const NAME: &str = "a-name";

/// Registers a subscription to all events.
pub(crate) fn subscribe(store: &Store, name: &str) {
    store
        .events()
        .subscribe(&EventSubscription::to_all(name).unwrap())
        .unwrap();
}

/// Takes all events that are due, one after the other of each user, as type and data.
pub(crate) fn taken(store: &Store, name: &str) -> Vec<Event> {
    let mut all = Vec::new();
    loop {
        let due = store.events().due(name, &[], 100).unwrap();
        if due.is_empty() {
            return all;
        }
        store.events().complete(&due.iter().collect::<Vec<_>>()).unwrap();
        all.extend(due);
    }
}

/// Type, record and outcome of the events that are due.
fn told(store: &Store, name: &str) -> Vec<(String, Value, Value)> {
    let facts = |event: Event| {
        let data: Value = serde_json::from_str(&event.data).unwrap();
        assert_eq!(data["userId"], json!(event.self_service_user_id));
        (event.event_type, data["checkId"].clone(), data["outcome"].clone())
    };
    taken(store, name).into_iter().map(facts).collect()
}

fn fact(event_type: &str, check: i64, outcome: Option<&str>) -> (String, Value, Value) {
    (event_type.to_owned(), json!(check), json!(outcome))
}

fn failed(recording: Recording) -> Recording {
    let mut recording = recording;
    recording.check.is_successful = false;
    recording
}

fn of_card(user: i64, card: i64) -> NewEvent {
    NewEvent::new("bank.card.frozen", user, &json!({ "userId": user, "card": card })).unwrap()
}

fn publish(store: &Store, events: impl IntoIterator<Item = NewEvent>) {
    store
        .events()
        .publish(&events.into_iter().collect::<Vec<_>>(), at(NOW))
        .unwrap();
}

fn cards(events: &[Event]) -> Vec<i64> {
    let card = |event: &Event| {
        serde_json::from_str::<Value>(&event.data).unwrap()["card"]
            .as_i64()
            .unwrap()
    };
    events.iter().map(card).collect()
}

async fn a_record_tells_that_it_was_recorded_judged_and_passed(database: Database) {
    let store = &database.store;
    subscribe(store, NAME);
    database.record(recording(1, "session-1")).await;
    database.record(recording(1, "session-1")).await;
    database.record(failed(recording(2, "session-2"))).await;

    let all = taken(store, NAME);

    let of = |user: i64| {
        let of_user = all.iter().filter(|event| event.self_service_user_id == user);
        of_user.map(|event| event.data.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of(1)[0], r#"{"checkId":1,"userId":1,"outcome":null}"#);
    let types = |user: i64| {
        let of_user = all.iter().filter(|event| event.self_service_user_id == user);
        of_user.map(|event| event.event_type.as_str()).collect::<Vec<_>>()
    };
    // Image is missing, so a person would have to look; under the policy `record` it counts all the same.
    assert_eq!(of(1)[1], r#"{"checkId":1,"userId":1,"outcome":"review"}"#);
    let expected = [CHECK_RECORDED, CHECK_JUDGED, USER_PASSED, CHECK_RECORDED, CHECK_JUDGED];
    assert_eq!(types(1), expected);
    assert_eq!(types(2), [CHECK_RECORDED, CHECK_JUDGED]);
    assert!(all.iter().all(|event| event.at == at(NOW) && event.attempts == 0));
    let mut ids: Vec<_> = all.iter().map(|event| event.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all.len());
    assert_eq!(database.number("SELECT count(*) FROM liveness_events"), 0);
}

async fn a_repeated_call_and_a_refused_one_tell_nothing(database: Database) {
    let store = &database.store;
    database.record(keyed(1, "session-1", "key-1", "{}")).await;
    subscribe(store, NAME);
    assert!(database.record(keyed(1, "session-1", "key-1", "{}")).await.is_replay);
    assert!(store.checks().record(recording(2, "session-1")).await.is_err());
    assert_eq!(told(store, NAME), []);
}

async fn nobody_is_told_who_has_not_subscribed(database: Database) {
    let store = &database.store;
    database.record(recording(1, "session-1")).await;
    let passed = EventSubscription::new("passed", [USER_PASSED, USER_LOCKED]).unwrap();
    store.events().subscribe(&passed).unwrap();
    database.record(recording(2, "session-2")).await;
    assert_eq!(told(store, "passed"), [fact(USER_PASSED, 2, None)]);
    assert_eq!(told(store, NAME), []);
    assert_eq!(database.number("SELECT count(*) FROM liveness_events"), 0);
}

async fn each_subscription_gets_each_event_under_one_id(database: Database) {
    let (store, other) = (&database.store, database.open());
    subscribe(store, "one");
    subscribe(&other, "two");
    database.record(recording(1, "session-1")).await;
    let ids = |name| taken(store, name).into_iter().map(|event| event.id).collect::<Vec<_>>();
    let one = ids("one");
    assert_eq!(one.len(), 3);
    assert_eq!(ids("two"), one);
}

async fn a_user_passes_once_by_the_rule_in_force(database: Database) {
    let latest = database
        .open()
        .with_passing_rule(CompletionRule::LatestVerified)
        .unwrap();
    subscribe(&latest, NAME);
    let report = |session: &str, verified| {
        let mut report = recording(1, session);
        report.check.metrics.run.verification_result = verified;
        report
    };
    let mut passed = Vec::new();
    for (id, session, verified) in [
        (1, "a", None),
        (2, "b", Some(true)),
        (3, "c", Some(true)),
        (4, "d", Some(false)),
        (5, "e", Some(true)),
    ] {
        latest.checks().record(report(session, verified)).await.unwrap();
        passed.push(told(&latest, NAME).contains(&fact(USER_PASSED, id, None)));
    }
    assert_eq!(passed, [false, true, false, false, true]);
}

async fn records_of_one_transaction_tell_in_their_order(database: Database) {
    subscribe(&database.store, NAME);
    let store = database.open_to_queue(one_face());
    let hold = database.hold();
    let busy = occupy(&database, &store).await;
    let calls = ["a", "b", "c"].map(|session| begin_record(&store, recording(1, session)).unwrap());
    hold.release();
    for call in busy {
        call.await.unwrap();
    }
    let mut expected = Vec::new();
    for call in calls {
        let id = call.await.unwrap().check.id;
        let passes = expected.is_empty();
        expected.extend([fact(CHECK_RECORDED, id, None), fact(CHECK_JUDGED, id, Some("review"))]);
        expected.extend(passes.then(|| fact(USER_PASSED, id, None)));
    }

    // Those that kept the writers busy are told of, too.
    let mut told = told(&database.store, NAME);
    told.retain(|(_, check, _)| expected.iter().any(|(_, expected, _)| expected == check));
    assert_eq!(told, expected);
}

async fn a_decision_tells_once_it_counts_and_may_have_the_user_pass(database: Database) {
    let policy = "base = \"record\"\n[verdict]\ncounts = true\n[review]\nsecond = true\n";
    let store = database.open().with_policy(Policy::parse(policy).unwrap()).unwrap();
    subscribe(&store, NAME);
    store.checks().record(recording(1, "session-1")).await.unwrap();
    let before = [fact(CHECK_RECORDED, 1, None), fact(CHECK_JUDGED, 1, Some("review"))];
    assert_eq!(told(&store, NAME), before);
    let decide = async |who, what, seen| store.reviews().decide(decision(1, who, what, seen)).await.unwrap();

    decide("anne", Decision::Approve, 0).await;
    assert_eq!(told(&store, NAME), []);
    decide("bob", Decision::Approve, 0).await;
    let approved = [fact(CHECK_DECIDED, 1, Some("approve")), fact(USER_PASSED, 1, None)];
    assert_eq!(told(&store, NAME), approved);
}

async fn a_decision_of_one_person_tells_of_itself_only_where_verdicts_do_not_count(database: Database) {
    let store = &database.store;
    database.record(recording(1, "session-1")).await;
    subscribe(store, NAME);
    store
        .reviews()
        .decide(decision(1, "anne", Decision::Reject, 0))
        .await
        .unwrap();
    let events = taken(store, NAME);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].at, at(NOW + HOUR));
    assert_eq!(events[0].data, r#"{"checkId":1,"userId":1,"outcome":"reject"}"#);
}

async fn the_failure_that_locks_a_user_tells_so(database: Database) {
    let policy = Policy::parse("base = \"record\"\n[attempts]\nin_all = 2\n").unwrap();
    let store = database.open().with_policy(policy).unwrap();
    subscribe(&store, NAME);
    for session in ["a", "b"] {
        store.checks().record(failed(recording(1, session))).await.unwrap();
    }
    let judged = |id| [fact(CHECK_RECORDED, id, None), fact(CHECK_JUDGED, id, Some("rejected"))];
    let locked = fact(USER_LOCKED, 2, None);
    assert_eq!(told(&store, NAME), [&judged(1)[..], &judged(2), &[locked]].concat());
    assert!(store.checks().record(failed(recording(1, "c"))).await.is_err());
    assert_eq!(told(&store, NAME), []);
}

async fn erasures_tell_of_each_face(database: Database) {
    let store = &database.store;
    for (user, session) in [(1, "a"), (1, "b"), (1, "c")] {
        database.record(with_face(recording(user, session))).await;
    }
    database.record(recording(1, "d")).await;
    subscribe(store, NAME);
    store.erasures().erase_face(2, order()).await.unwrap();
    assert_eq!(told(store, NAME), [fact(FACE_ERASED, 2, None)]);
    store.erasures().erase_user(1, false, order()).await.unwrap();
    assert_eq!(
        told(store, NAME),
        [fact(FACE_ERASED, 1, None), fact(FACE_ERASED, 3, None)]
    );
}

async fn an_event_has_the_trace_of_what_it_comes_from(database: Database) {
    let store = &database.store;
    subscribe(store, NAME);
    let sent = |number: u8| {
        Some(format!(
            "00-0af7651916cd43dd8448eb211c8031{number:02}-b7ad6b7169203331-01"
        ))
    };
    let traced = Recording {
        traceparent: sent(1),
        ..with_face(recording(1, "a"))
    };
    let id = database.record(traced).await.check.id;
    let decided = DecisionOrder {
        traceparent: sent(3),
        ..decision(id, "reviewer-1", Decision::Approve, 0)
    };
    store.reviews().decide(decided).await.unwrap();
    let order_of_face = ErasureOrder {
        traceparent: sent(2),
        ..order()
    };
    store.erasures().erase_face(id, order_of_face).await.unwrap();
    publish(store, [of_card(1, 7).with_traceparent(sent(4)), of_card(1, 8)]);
    database.record(recording(1, "b")).await;

    let listed = store.events().list(0, 100).await.unwrap();
    let all = taken(store, NAME);
    assert!(
        listed
            .iter()
            .map(|stored| &stored.event.traceparent)
            .eq(all.iter().map(|event| &event.traceparent))
    );
    let of = |event_type: &str| {
        let of_type = all.iter().filter(|event| event.event_type == event_type);
        of_type.map(|event| event.traceparent.clone()).collect::<Vec<_>>()
    };
    for recorded in [CHECK_RECORDED, CHECK_JUDGED] {
        assert_eq!(of(recorded), [sent(1), None]);
    }
    assert_eq!(of(USER_PASSED), [sent(1)]);
    assert_eq!((of(FACE_ERASED), of(CHECK_DECIDED)), (vec![sent(2)], vec![sent(3)]));
    assert_eq!(of("bank.card.frozen"), [sent(4), None]);
}

async fn an_event_of_a_transaction_is_there_only_when_that_is_committed(database: Database) {
    subscribe(&database.store, NAME);
    for (end, expected) in [("ROLLBACK", vec![]), ("COMMIT", vec![7])] {
        let mut link = database.connect();
        link.execute(database.pick("BEGIN IMMEDIATE", "BEGIN")).unwrap();
        let conn = match &mut link {
            Link::Sqlite(conn) => Connection::from(conn),
            Link::Postgres(conn) => Connection::from(conn),
        };
        publish_events(conn, at(NOW), &[of_card(1, 7)]).unwrap();
        link.execute(end).unwrap();
        assert_eq!(cards(&taken(&database.store, NAME)), expected, "{end}");
    }
}

async fn the_next_event_of_a_user_waits_for_the_one_before(database: Database) {
    let store = &database.store;
    subscribe(store, NAME);
    publish(store, [of_card(1, 10), of_card(2, 20), of_card(1, 11)]);
    let events = store.events();

    let due = events.due(NAME, &[], 10).unwrap();
    assert_eq!(cards(&due), [10, 20]);
    assert_eq!(cards(&events.due(NAME, &[1], 10).unwrap()), [20]);
    assert_eq!(cards(&events.due(NAME, &[], 1).unwrap()), [10]);
    events
        .fail(NAME, &due[0], "no answer", Duration::from_secs(60))
        .unwrap();
    assert_eq!(cards(&taken(store, NAME)), [20]);
    publish(store, [of_card(1, 12), of_card(3, 30)]);
    assert_eq!(cards(&taken(store, NAME)), [30]);

    database.execute("UPDATE liveness_events SET next_at = 1");
    let again = events.due(NAME, &[], 10).unwrap();
    assert_eq!((cards(&again), again[0].attempts), (vec![10], 1));
    assert_eq!(again[0].id, due[0].id);
    assert_eq!(cards(&taken(store, NAME)), [10, 11, 12]);
}

async fn many_events_behind_one_that_failed_hide_nobody_elses(database: Database) {
    let store = &database.store;
    subscribe(store, NAME);
    publish(store, [of_card(1, 0)]);
    let first = store.events().due(NAME, &[], 10).unwrap();
    store
        .events()
        .fail(NAME, &first[0], "no", Duration::from_secs(3600))
        .unwrap();
    // More than are looked at, and due for longer than those of the other user.
    publish(store, (1..100).map(|card| of_card(1, card)));
    publish(store, [of_card(2, 1000)]);
    assert_eq!(cards(&store.events().due(NAME, &[], 2).unwrap()), [1000]);
}

async fn an_event_that_was_set_aside_keeps_none_waiting_and_is_resent(database: Database) {
    let store = &database.store;
    subscribe(store, NAME);
    publish(store, (10..15).map(|card| of_card(1, card)));
    for _ in 0..3 {
        let due = store.events().due(NAME, &[], 10).unwrap();
        store.events().set_aside(&due[0], "gone").unwrap();
    }
    assert_eq!(cards(&taken(store, NAME)), [13, 14]);

    let dead = store.events().list_set_aside(NAME, 0, 10).await.unwrap();
    let all = store.events().list(0, 10).await.unwrap();
    assert_eq!(all, dead);
    let known: Vec<_> = dead
        .iter()
        .map(|dead| (dead.number, dead.state, dead.event.attempts))
        .collect();
    assert_eq!(known, [1, 2, 3].map(|number| (number, EventState::SetAside, 1)));
    assert_eq!(dead[0].last_error.as_deref(), Some("gone"));
    let next = store.events().list_set_aside(NAME, 1, 1).await.unwrap();
    assert_eq!(next, dead[1..2]);
    let counts = store.events().count().unwrap();
    assert_eq!(
        (counts[0].waiting, counts[0].set_aside, counts[0].oldest_seconds),
        (0, 3, 0)
    );

    assert!(!store.events().resend(99).unwrap());
    assert!(store.events().resend(2).unwrap());
    assert!(!store.events().resend(2).unwrap());
    let counts = store.events().count().unwrap();
    assert_eq!((counts[0].waiting, counts[0].set_aside), (1, 2));
    assert!(counts[0].oldest_seconds > 0);
    let again = taken(store, NAME);
    assert_eq!((cards(&again), again[0].attempts), (vec![11], 0));
    assert_eq!(store.events().resend_some(NAME, 1).unwrap(), 1);
    assert_eq!(store.events().resend_some(NAME, 9).unwrap(), 1);
    assert_eq!(store.events().resend_some(NAME, 9).unwrap(), 0);
    assert_eq!(cards(&taken(store, NAME)), [10, 12]);
}

async fn a_subscription_is_held_disabled_and_enabled(database: Database) {
    let store = &database.store;
    subscribe(store, NAME);
    publish(store, [of_card(1, 1)]);
    store.events().hold(NAME, Duration::from_secs(60), "busy").unwrap();
    assert_eq!(taken(store, NAME), []);
    let counts = store.events().count().unwrap().swap_remove(0);
    assert!(counts.held_until.is_some() && !counts.is_disabled);
    assert_eq!((counts.waiting, counts.why.as_deref()), (1, Some("busy")));

    store.events().disable(NAME, "gone").unwrap();
    publish(store, [of_card(1, 2)]);
    // To register it again does not enable it.
    subscribe(store, NAME);
    publish(store, [of_card(1, 3)]);
    assert_eq!(taken(store, NAME), []);
    assert!(store.events().enable(NAME).unwrap());
    assert!(!store.events().enable("nobody").unwrap());
    publish(store, [of_card(1, 4)]);
    assert_eq!(cards(&taken(store, NAME)), [1, 2, 3, 4]);
}

async fn a_subscription_that_ends_leaves_nothing(database: Database) {
    let store = &database.store;
    for name in ["one", "two"] {
        subscribe(store, name);
    }
    publish(store, (0..10).map(|card| of_card(card, card)));
    let due = store.events().due("one", &[], 1).unwrap();
    store.events().set_aside(&due[0], "no").unwrap();
    assert!(store.events().unsubscribe("one").unwrap());
    assert!(!store.events().unsubscribe("one").unwrap());
    publish(store, [of_card(1, 10)]);
    assert_eq!(taken(store, "one"), []);
    assert_eq!(taken(store, "two").len(), 11);
    assert_eq!(database.number("SELECT count(*) FROM liveness_events"), 0);
}

/// Each of several users records on two stores at once, while somebody subscribes. What was recorded after that is told, in order.
async fn what_many_write_on_two_nodes_is_told_in_order_and_none_is_lost(database: Database) {
    const USERS: i64 = 3;
    const EACH: i64 = 12;
    let (store, other) = (database.store.clone(), database.open());
    subscribe(&store, "early");
    let writers = (0..USERS * EACH).map(|number| {
        let store = if number % 2 == 0 { store.clone() } else { other.clone() };
        async move {
            let user = number % USERS + 1;
            let session = format!("session-{number}");
            store.checks().record(recording(user, &session)).await.unwrap().check.id
        }
    });
    let late = tokio::task::spawn_blocking({
        let store = database.open();
        move || subscribe(&store, "late")
    });
    let mut ids = at_once(writers).await;
    late.await.unwrap();
    let mut after = at_once((1..=USERS).map(|user| {
        let other = other.clone();
        async move {
            let session = format!("after-{user}");
            other.checks().record(recording(user, &session)).await.unwrap().check.id
        }
    }))
    .await;

    let of = |events: &[Event], user| {
        let of_user = events.iter().filter(|event| event.self_service_user_id == user);
        let recorded = of_user.filter(|event| event.event_type == CHECK_RECORDED);
        let id = |event: &Event| {
            serde_json::from_str::<Value>(&event.data).unwrap()["checkId"]
                .as_i64()
                .unwrap()
        };
        recorded.map(id).collect::<Vec<_>>()
    };
    let (early, late) = (taken(&store, "early"), taken(&other, "late"));
    for user in 1..=USERS {
        let in_order = database.connect().texts(&format!(
            "SELECT CAST(id AS TEXT) FROM liveness_checks WHERE self_service_user_id = {user} ORDER BY created_at, liveness_checks.id"
        ));
        let in_order: Vec<i64> = in_order.iter().map(|id| id.parse().unwrap()).collect();
        assert_eq!(of(&early, user), in_order);
        assert!(in_order.ends_with(&of(&late, user)), "{in_order:?}");
    }
    let mut told: Vec<_> = (1..=USERS).flat_map(|user| of(&late, user)).collect();
    told.sort_unstable();
    assert!(after.iter().all(|id| told.contains(id)), "{after:?} {told:?}");
    ids.append(&mut after);
    assert_eq!(
        early.iter().filter(|event| event.event_type == CHECK_RECORDED).count(),
        ids.len()
    );
    assert_eq!(early.iter().filter(|event| event.event_type == USER_PASSED).count(), 3);
}

/// A transaction that began to publish before somebody subscribed may not know of them, so the registration waits for its end.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs PostgreSQL: .ci/test"]
async fn a_registration_waits_for_those_who_may_not_know_of_it() {
    let database = Database::postgres();
    let mut link = database.connect();
    link.execute("BEGIN").unwrap();
    let Link::Postgres(conn) = &mut link else {
        unreachable!()
    };
    publish_events(conn, at(NOW), &[of_card(1, 1)]).unwrap();
    let store = database.open();
    let registering = std::thread::spawn(move || subscribe(&store, NAME));
    let registered = "SELECT count(*) FROM liveness_event_subscriptions";
    while database.number(registered) == 0 {
        std::thread::yield_now();
    }
    // Those who begin now know of it, and do not wait for it.
    publish(&database.store, [of_card(2, 2)]);
    assert!(!registering.is_finished());
    link.execute("COMMIT").unwrap();
    registering.join().unwrap();
    assert_eq!(cards(&taken(&database.store, NAME)), [2]);
}

on_each_engine! {
    a_decision_of_one_person_tells_of_itself_only_where_verdicts_do_not_count,
    a_decision_tells_once_it_counts_and_may_have_the_user_pass,
    a_record_tells_that_it_was_recorded_judged_and_passed,
    a_repeated_call_and_a_refused_one_tell_nothing,
    a_subscription_is_held_disabled_and_enabled,
    a_subscription_that_ends_leaves_nothing,
    an_event_has_the_trace_of_what_it_comes_from,
    a_user_passes_once_by_the_rule_in_force,
    an_event_of_a_transaction_is_there_only_when_that_is_committed,
    an_event_that_was_set_aside_keeps_none_waiting_and_is_resent,
    each_subscription_gets_each_event_under_one_id,
    erasures_tell_of_each_face,
    many_events_behind_one_that_failed_hide_nobody_elses,
    nobody_is_told_who_has_not_subscribed,
    records_of_one_transaction_tell_in_their_order,
    the_failure_that_locks_a_user_tells_so,
    the_next_event_of_a_user_waits_for_the_one_before,
    what_many_write_on_two_nodes_is_told_in_order_and_none_is_lost,
}
