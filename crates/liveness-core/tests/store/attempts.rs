//! Attempts that end, and quotas: on one node and on two, whatever the clocks do.

use std::sync::Arc;
use std::time::Duration;

use liveness_core::policy::Policy;
use liveness_core::store::{ErasureError, Recording, Store, StoreError};
use liveness_core::{FixedClock, Refusal, SessionId, Timestamp};

use crate::database::{Database, on_each_engine};
use crate::samples::{HOUR, NOW, at, at_once, keyed, made_at, order, recording, with_face};

const SECOND: i64 = 1000;
const DAY: i64 = 24 * HOUR;
const ATTEMPTS: &str = "[attempts]\nin_a_row = 5\ndelay = \"30s\"\nin_all = 50\n";

/// A process on the database, under a policy, with a clock that never jumps.
struct Node {
    store: Store,
    steady: Arc<FixedClock>,
}

impl Node {
    /// `parts` says what differs from `record`. A success has no image here.
    fn under(database: &Database, parts: &str) -> Self {
        let policy = format!("base = \"record\"\n[rules]\n\"image.missing\" = \"off\"\n{parts}");
        let steady = Arc::new(FixedClock::at(at(0)));
        let store = database.open().with_policy(Policy::parse(&policy).unwrap()).unwrap();
        let store = store.with_steady_clock(steady.clone()).unwrap();
        Self { store, steady }
    }

    /// Sends a report. Answers why it was refused.
    async fn send(&self, recording: Recording) -> Result<(), Refusal> {
        outcome(self.store.checks().record(recording).await.map(drop))
    }

    async fn fail(&self, times: usize, unix_millis: i64) {
        for _ in 0..times {
            assert_eq!(self.send(failed(1, unix_millis)).await, Ok(()));
        }
    }
}

fn outcome(recorded: Result<(), StoreError>) -> Result<(), Refusal> {
    recorded.map_err(|error| match error {
        StoreError::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    })
}

fn failed(user: i64, unix_millis: i64) -> Recording {
    let mut recording = succeeded(user, unix_millis);
    recording.check.is_successful = false;
    recording
}

fn succeeded(user: i64, unix_millis: i64) -> Recording {
    made_at(unix_millis, recording(user, &format!("session-of-{user}")))
}

/// A failure that is bound to an issued session.
fn bound(database: &Database, session: &str, unix_millis: i64) -> Recording {
    let expires = NOW + DAY;
    database.execute(&format!(
        "INSERT INTO liveness_issued_sessions (self_service_user_id, session_id, challenges, issued_at, expires_at) \
         VALUES (1, '{session}', '[\"BLINK\"]', {NOW}, {expires})"
    ));
    let mut recording = failed(1, unix_millis);
    recording.check.issued_session_id = Some(SessionId::parse(session).unwrap());
    recording
}

fn too_many(seconds: u64) -> Result<(), Refusal> {
    Err(Refusal::TooManyFailures {
        retry_after: Duration::from_secs(seconds),
    })
}

fn locked() -> Result<(), Refusal> {
    Err(Refusal::Locked { other_way: None })
}

fn quota(millis: i64) -> Result<(), Refusal> {
    Err(Refusal::Quota {
        retry_after: Duration::from_millis(u64::try_from(millis).unwrap()),
    })
}

/// The failures in a row and in all, and the records of the day.
fn tally(database: &Database) -> Vec<String> {
    database.texts(
        "SELECT failures_in_a_row || ' ' || failures_in_all || ' ' || records_today FROM liveness_attempts \
         WHERE self_service_user_id = 1",
    )
}

async fn each_further_failure_doubles_the_wait(database: Database) {
    let node = Node::under(&database, ATTEMPTS);
    node.fail(5, NOW).await;
    let mut now = NOW;
    for (seconds, expected) in [(30, "6 6 0"), (60, "7 7 0"), (120, "8 8 0")] {
        assert_eq!(node.send(failed(1, now)).await, too_many(seconds));
        assert_eq!(node.send(succeeded(1, now)).await, too_many(seconds));
        assert_eq!(node.send(succeeded(2, now)).await, Ok(()));
        let wait = i64::try_from(seconds).unwrap() * SECOND;
        now += wait;
        node.steady.advance(wait - 1);
        assert_eq!(
            node.send(failed(1, now - 1)).await,
            Err(Refusal::TooManyFailures {
                retry_after: Duration::from_millis(1)
            })
        );
        node.steady.advance(1);
        node.fail(1, now).await;
        assert_eq!(tally(&database), [expected]);
    }
    assert_eq!(database.rows()[0], 5 + 3 + 3);
}

async fn a_jump_of_the_wall_clock_neither_opens_a_wait_nor_extends_it(database: Database) {
    let node = Node::under(&database, ATTEMPTS);
    node.fail(5, NOW).await;
    for jump in [5 * HOUR, -5 * HOUR, DAY, -DAY, 0] {
        assert_eq!(node.send(failed(1, NOW + jump)).await, too_many(30));
    }
    node.steady.advance(10 * SECOND);
    for jump in [5 * HOUR, -5 * HOUR] {
        assert_eq!(node.send(failed(1, NOW + jump)).await, too_many(20));
    }
    node.steady.advance(20 * SECOND);
    assert_eq!(node.send(succeeded(1, NOW - 5 * HOUR)).await, Ok(()));
}

async fn another_node_believes_the_clocks_and_nobody_waits_longer_than_the_delay(database: Database) {
    let nodes = [0, 1].map(|_| Node::under(&database, ATTEMPTS));
    nodes[0].fail(5, NOW).await;
    // Its clock is an hour behind.
    assert_eq!(nodes[1].send(failed(1, NOW - HOUR)).await, too_many(30));
    nodes[1].steady.advance(29 * SECOND);
    assert_eq!(nodes[1].send(failed(1, NOW - HOUR)).await, too_many(1));
    nodes[1].steady.advance(SECOND);
    assert_eq!(nodes[1].send(succeeded(1, NOW - HOUR)).await, Ok(()));
}

async fn a_node_that_has_seen_nothing_goes_on_with_the_wait(database: Database) {
    let node = Node::under(&database, ATTEMPTS);
    node.fail(5, NOW).await;
    let restarted = Node::under(&database, ATTEMPTS);
    assert_eq!(restarted.send(failed(1, NOW + 10 * SECOND)).await, too_many(20));
    assert_eq!(restarted.send(failed(1, NOW + HOUR)).await, too_many(20));
    let another = Node::under(&database, ATTEMPTS);
    assert_eq!(another.send(failed(1, NOW + 30 * SECOND)).await, Ok(()));
}

/// The user's newest record is from the future, because a clock was ahead once. New records have its time.
async fn a_failure_is_as_old_as_the_clock_says_and_not_as_the_newest_record(database: Database) {
    let node = Node::under(&database, ATTEMPTS);
    database.record(succeeded(1, NOW + 5 * HOUR)).await;
    node.fail(5, NOW).await;
    let restarted = Node::under(&database, ATTEMPTS);
    assert_eq!(restarted.send(failed(1, NOW + 10 * SECOND)).await, too_many(20));
    let another = Node::under(&database, ATTEMPTS);
    assert_eq!(another.send(failed(1, NOW + 30 * SECOND)).await, Ok(()));
}

async fn another_policy_is_measured_by_the_same_clock(database: Database) {
    let node = Node::under(&database, ATTEMPTS);
    node.fail(5, NOW).await;
    let policy = "base = \"record\"\n[attempts]\nin_a_row = 5\ndelay = \"60s\"\n";
    let policy = Policy::parse(policy).unwrap();
    let store = node.store.clone().with_policy(policy).unwrap();
    let longer = Node { store, ..node };
    longer.steady.advance(20 * SECOND);
    for jump in [5 * HOUR, -5 * HOUR] {
        assert_eq!(longer.send(failed(1, NOW + jump)).await, too_many(40));
    }
}

async fn who_passes_has_a_tally_only_where_there_is_a_quota(database: Database) {
    let node = Node::under(&database, ATTEMPTS);
    assert_eq!(node.send(succeeded(1, NOW)).await, Ok(()));
    assert_eq!(tally(&database), [""; 0]);
    node.fail(1, NOW).await;
    assert_eq!(node.send(succeeded(1, NOW)).await, Ok(()));
    assert_eq!(tally(&database), ["0 1 0"]);
    let limited = Node::under(&database, "[quota]\nrecords_a_day = 3\n");
    assert_eq!(limited.send(succeeded(1, NOW)).await, Ok(()));
    assert_eq!(tally(&database), ["0 1 1"]);
}

async fn who_is_refused_or_repeats_a_report_is_answered_before_the_image_is_looked_at(database: Database) {
    let policy = format!("{ATTEMPTS}[session]\nrequired = true\n");
    let node = Node::under(&database, ATTEMPTS);
    let strict = Node::under(&database, &policy);
    let keyed = || with_face(keyed(2, "session-of-2", "key", "body"));
    assert_eq!(node.send(keyed()).await, Ok(()));
    node.fail(5, NOW).await;

    // Nothing can be written meanwhile, so these are the answers of a read.
    let hold = database.hold();
    let waits = strict.send(with_face(failed(1, NOW))).await;
    let unnamed = strict.send(with_face(failed(3, NOW))).await;
    hold.release();

    assert_eq!(waits, too_many(30));
    assert!(matches!(unnamed, Err(Refusal::Session(_))), "{unnamed:?}");
    assert_eq!(strict.send(keyed()).await, Ok(()));
    assert_eq!(
        database.number("SELECT count(*) FROM liveness_checks WHERE has_image"),
        1
    );
}

async fn a_report_with_an_issued_session_need_not_wait(database: Database) {
    let node = Node::under(&database, ATTEMPTS);
    node.fail(5, NOW).await;
    assert_eq!(node.send(bound(&database, "lvs_1", NOW)).await, Ok(()));
    assert_eq!(node.send(failed(1, NOW)).await, too_many(60));
    // The session is used up.
    let mut again = failed(1, NOW);
    again.check.issued_session_id = Some(SessionId::parse("lvs_1").unwrap());
    assert_eq!(node.send(again).await, too_many(60));
}

async fn who_waits_and_names_no_session_is_told_to_wait(database: Database) {
    let node = Node::under(&database, ATTEMPTS);
    node.fail(5, NOW).await;
    let strict = Node::under(&database, &format!("{ATTEMPTS}[session]\nrequired = true\n"));
    assert_eq!(strict.send(failed(1, NOW)).await, too_many(30));
    let refused = strict.send(failed(1, NOW + HOUR)).await;
    assert_eq!(refused, too_many(30));
    assert!(matches!(strict.send(failed(2, NOW)).await, Err(Refusal::Session(_))));
}

async fn a_success_ends_the_row_and_not_the_sum(database: Database) {
    let node = Node::under(&database, "[attempts]\nin_a_row = 5\ndelay = \"30s\"\nin_all = 8\n");
    node.fail(4, NOW).await;
    assert_eq!(node.send(succeeded(1, NOW)).await, Ok(()));
    node.fail(4, NOW).await;
    assert_eq!(tally(&database), ["4 8 0"]);
    assert_eq!(node.send(succeeded(1, NOW)).await, locked());
}

async fn a_locked_user_is_locked_with_a_session_too_until_somebody_unlocks_them(database: Database) {
    let node = Node::under(&database, "[attempts]\nin_all = 2\nother_way = \"Come to a branch\"\n");
    node.fail(2, NOW).await;
    let refused = Err(Refusal::Locked {
        other_way: Some("Come to a branch".to_owned()),
    });
    assert_eq!(node.send(succeeded(1, NOW)).await, refused);
    assert_eq!(node.send(bound(&database, "lvs_1", NOW + DAY - 1)).await, refused);

    let unlocked = node.store.locks().unlock(1, false, order()).await;
    assert_eq!(unlocked.unwrap(), at(NOW + HOUR));

    assert_eq!(tally(&database), ["0 0 0"]);
    assert_eq!(node.send(failed(1, NOW)).await, Ok(()));
    let newest = &node.store.trail().newest(2).await.unwrap()[1];
    assert_eq!(newest.self_service_user_id, Some(1));
    assert_eq!(newest.subject.shown.purpose.as_deref(), Some("Request 2026-118"));
}

async fn who_is_not_locked_may_be_unlocked_and_nobody_unlocks_nobody(database: Database) {
    let node = Node::under(&database, ATTEMPTS);
    assert_eq!(
        node.store.locks().unlock(1, true, order()).await.unwrap(),
        at(NOW + HOUR)
    );
    let unknown = node.store.locks().unlock(1, false, order()).await;
    assert!(matches!(unknown, Err(ErasureError::NoSuchUser)), "{unknown:?}");
    assert_eq!(database.rows()[4], 1);
}

async fn failures_at_once_on_two_nodes_end_exactly(database: Database) {
    let nodes = [0, 1].map(|_| Node::under(&database, "[attempts]\nin_all = 50\n"));
    let calls: Vec<_> = (0..60).map(|place| (nodes[place % 2].store.clone(), place)).collect();
    let calls = calls.into_iter().map(|(store, _)| async move {
        let recorded = store.checks().record(failed(1, NOW)).await;
        outcome(recorded.map(drop))
    });
    let outcomes = at_once(calls).await;

    let recorded = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(recorded, 50);
    assert_eq!(outcomes.into_iter().filter(|outcome| *outcome == locked()).count(), 10);
    assert_eq!(database.rows()[0], 50);
    for node in &nodes {
        assert_eq!(node.send(succeeded(1, NOW)).await, locked());
        assert_eq!(node.send(succeeded(2, NOW)).await, Ok(()));
    }
}

async fn no_attempt_too_many_is_recorded_before_a_wait(database: Database) {
    let nodes = [0, 1].map(|_| Node::under(&database, ATTEMPTS));
    let stores: Vec<_> = (0..20).map(|place| nodes[place % 2].store.clone()).collect();
    let calls = stores
        .into_iter()
        .map(|store| async move { outcome(store.checks().record(failed(1, NOW)).await.map(drop)) });
    let outcomes = at_once(calls).await;

    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 5);
    assert_eq!(
        outcomes.into_iter().filter(|outcome| *outcome == too_many(30)).count(),
        15
    );
}

async fn what_is_not_recorded_counts_for_nothing(database: Database) {
    let node = Node::under(&database, ATTEMPTS);
    assert_eq!(node.send(succeeded(2, NOW)).await, Ok(()));
    let mut of_another = failed(1, NOW);
    of_another.check.session_id = SessionId::parse("session-of-2").unwrap();
    let refused = node.store.checks().record(of_another).await;
    assert!(matches!(refused, Err(StoreError::SessionOfAnotherUser)), "{refused:?}");
    assert_eq!(tally(&database), [""; 0]);

    let repeated = || {
        let mut repeated = keyed(1, "session-of-1", "key", "body");
        repeated.check.is_successful = false;
        repeated
    };
    for _ in 0..9 {
        assert_eq!(node.send(repeated()).await, Ok(()));
    }
    assert_eq!(tally(&database), ["1 1 0"]);
    node.fail(4, NOW).await;
    // A repetition is answered during a wait, too.
    assert_eq!(node.send(repeated()).await, Ok(()));
    assert_eq!(node.send(failed(1, NOW)).await, too_many(30));
}

async fn a_quota_is_for_a_day_from_its_first_record(database: Database) {
    let node = Node::under(&database, "[quota]\nrecords_a_day = 3\n");
    for hour in [0, 1, 2] {
        assert_eq!(node.send(succeeded(1, NOW + hour * HOUR)).await, Ok(()));
        node.steady.advance(HOUR);
    }
    assert_eq!(node.send(succeeded(1, NOW + 3 * HOUR)).await, quota(21 * HOUR));
    assert_eq!(node.send(succeeded(2, NOW + 3 * HOUR)).await, Ok(()));
    // Jumps, as of a wait.
    for jump in [3 * DAY, -3 * DAY] {
        assert_eq!(node.send(succeeded(1, NOW + jump)).await, quota(21 * HOUR));
    }
    node.steady.advance(21 * HOUR);
    assert_eq!(node.send(succeeded(1, NOW - HOUR)).await, Ok(()));
    assert_eq!(tally(&database), ["0 0 1"]);
}

async fn the_images_of_a_day_have_so_many_bytes(database: Database) {
    let node = Node::under(&database, "[quota]\nbytes_a_day = \"200000 B\"\n");
    let image = |at: Timestamp| with_face(succeeded(1, at.unix_millis()));
    assert_eq!(node.send(image(at(NOW))).await, Ok(()));
    assert_eq!(node.send(image(at(NOW))).await, Ok(()));
    assert_eq!(node.send(image(at(NOW))).await, quota(DAY));
    assert_eq!(node.send(succeeded(1, NOW)).await, Ok(()));
    // The faces of these tests have a header only, so they are failures.
    assert_eq!(tally(&database), ["0 2 3"]);
}

async fn nothing_is_counted_where_nothing_is_limited(database: Database) {
    for place in 0..9 {
        database.record(failed(1, NOW + place)).await;
    }
    assert_eq!(database.number("SELECT count(*) FROM liveness_attempts"), 0);
}

async fn a_user_who_is_erased_is_forgotten(database: Database) {
    let node = Node::under(&database, ATTEMPTS);
    node.fail(2, NOW).await;
    node.store.erasures().erase_user(1, false, order()).await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM liveness_attempts"), 0);
}

on_each_engine!(
    each_further_failure_doubles_the_wait,
    a_jump_of_the_wall_clock_neither_opens_a_wait_nor_extends_it,
    another_node_believes_the_clocks_and_nobody_waits_longer_than_the_delay,
    a_node_that_has_seen_nothing_goes_on_with_the_wait,
    a_failure_is_as_old_as_the_clock_says_and_not_as_the_newest_record,
    another_policy_is_measured_by_the_same_clock,
    who_passes_has_a_tally_only_where_there_is_a_quota,
    who_is_refused_or_repeats_a_report_is_answered_before_the_image_is_looked_at,
    a_report_with_an_issued_session_need_not_wait,
    who_waits_and_names_no_session_is_told_to_wait,
    a_success_ends_the_row_and_not_the_sum,
    a_locked_user_is_locked_with_a_session_too_until_somebody_unlocks_them,
    who_is_not_locked_may_be_unlocked_and_nobody_unlocks_nobody,
    failures_at_once_on_two_nodes_end_exactly,
    no_attempt_too_many_is_recorded_before_a_wait,
    what_is_not_recorded_counts_for_nothing,
    a_quota_is_for_a_day_from_its_first_record,
    the_images_of_a_day_have_so_many_bytes,
    nothing_is_counted_where_nothing_is_limited,
    a_user_who_is_erased_is_forgotten,
);
