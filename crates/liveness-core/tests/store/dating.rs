//! A record is never older than the newest record of its user, whatever the clocks of the nodes say.

use liveness_core::CompletionRule;
use liveness_core::store::Recording;

use crate::database::{Database, on_each_engine};
use crate::samples::{HOUR, NOW, Xorshift, at, at_once, keyed, made_at, recording};

const DAY: i64 = 24 * HOUR;

/// A check that failed.
fn failed(user: i64, session: &str) -> Recording {
    let mut recording = recording(user, session);
    recording.check.is_successful = false;
    recording
}

/// A check that the rule *latest-verified* accepts.
fn verified(user: i64, session: &str) -> Recording {
    let mut recording = recording(user, session);
    recording.check.metrics.run.verification_result = Some(true);
    recording
}

async fn a_failure_after_a_success_by_a_clock_that_is_ahead_is_the_latest(database: Database) {
    let other_node = database.open();
    database.record(made_at(NOW + DAY, verified(1, "session-1"))).await;

    let later = other_node.checks().record(made_at(NOW, failed(1, "session-2"))).await;

    assert_eq!(later.unwrap().check.created_at, at(NOW + DAY));
    let completing = other_node.checks().completing(1, CompletionRule::LatestVerified).await;
    assert_eq!(completing.unwrap(), None);
}

async fn a_clock_that_is_ahead_moves_no_other_user_and_never_back(database: Database) {
    database.record(made_at(NOW + DAY, recording(1, "session-1"))).await;

    let other = database.record(made_at(NOW, recording(2, "session-2"))).await;
    let later = database.record(made_at(NOW + 2 * DAY, recording(1, "session-1"))).await;

    assert_eq!(
        [other.check.created_at, later.check.created_at],
        [at(NOW), at(NOW + 2 * DAY)]
    );
}

async fn a_repeated_call_keeps_the_time_of_the_first(database: Database) {
    let first = database.record(keyed(1, "session-1", "key-1", "{}")).await;
    database.record(made_at(NOW + DAY, recording(1, "session-2"))).await;

    let replay = database
        .record(made_at(NOW + HOUR, keyed(1, "session-1", "key-1", "{}")))
        .await;

    assert!(replay.is_replay);
    assert_eq!(replay.check, first.check);
}

/// How many records are older than an earlier record of their user.
const OUT_OF_ORDER: &str = "SELECT count(*) FROM liveness_checks AS later JOIN liveness_checks AS earlier \
     ON later.self_service_user_id = earlier.self_service_user_id AND later.id > earlier.id \
     AND later.created_at < earlier.created_at";

async fn records_of_one_batch_are_in_order(database: Database) {
    let hold = database.hold();
    let calls = [NOW + 3, NOW, NOW + 5, NOW + 1].into_iter().enumerate();
    let calls: Vec<_> = calls
        .map(|(place, time)| {
            let (store, session) = (database.store.clone(), format!("session-{place}"));
            async move {
                store
                    .checks()
                    .record(made_at(time, recording(1, &session)))
                    .await
                    .unwrap()
            }
        })
        .collect();
    let recorded = tokio::spawn(at_once(calls));
    hold.release();
    recorded.await.unwrap();

    assert_eq!(database.number(OUT_OF_ORDER), 0);
    assert_eq!(database.number("SELECT count(*) FROM liveness_checks"), 4);
}

async fn nodes_with_different_clocks_that_record_at_once_are_in_order(database: Database) {
    let nodes = [database.store.clone(), database.open()];
    let mut random = Xorshift(7);
    let calls: Vec<_> = (0..60)
        .map(|place| {
            let store = nodes[place % 2].clone();
            let (user, time) = (1 + random.below(2) as i64, NOW + random.below(1000) as i64);
            let recording = made_at(time, recording(user, &format!("session-{place}")));
            async move { store.checks().record(recording).await.unwrap() }
        })
        .collect();

    at_once(calls).await;

    assert_eq!(database.number(OUT_OF_ORDER), 0);
    assert_eq!(database.number("SELECT count(*) FROM liveness_checks"), 60);
}

on_each_engine! {
    a_failure_after_a_success_by_a_clock_that_is_ahead_is_the_latest,
    a_clock_that_is_ahead_moves_no_other_user_and_never_back,
    a_repeated_call_keeps_the_time_of_the_first,
    records_of_one_batch_are_in_order,
    nodes_with_different_clocks_that_record_at_once_are_in_order,
}
