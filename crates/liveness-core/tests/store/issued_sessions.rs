//! Sessions that the store issues: of many reports that name one, on however many nodes, one uses it up.

use liveness_core::policy::Policy;
use liveness_core::store::{Recorded, Recording, Store, StoreError};
use liveness_core::verdict::{IssuedSession, Unbound};
use liveness_core::{AuditEntry, Refusal, SessionId};

use crate::database::{Database, on_each_engine};
use crate::queue::begin_record;
use crate::samples::{HOUR, NOW, at, at_once, audit_entry, keyed, made_at, order, recording};

const MINUTE: i64 = 60_000;

/// Another store on the database, which requires a session.
fn requiring(database: &Database) -> Store {
    let policy = Policy::parse("base = \"record\"\n[session]\nrequired = true\n").unwrap();
    database.open().with_policy(policy).unwrap()
}

fn start_entry(user: i64, unix_millis: i64) -> AuditEntry {
    AuditEntry {
        at: at(unix_millis),
        message: "StartLivenessSessionCommand".into(),
        ..audit_entry(user)
    }
}

async fn start(store: &Store, user: i64) -> IssuedSession {
    let started = store.sessions().start(user, start_entry(user, NOW)).await.unwrap();
    assert_eq!(started.attempts_left, None);
    started.session
}

/// The recording with the session named beside the SDK's own.
fn naming(session: &IssuedSession, mut recording: Recording) -> Recording {
    recording.check.issued_session_id = Some(SessionId::parse(&session.session_id).unwrap());
    recording
}

async fn record(store: &Store, recording: Recording) -> Result<Recorded, StoreError> {
    store.checks().record(recording).await
}

fn why(answer: &Result<Recorded, StoreError>) -> Option<Unbound> {
    match answer {
        Err(StoreError::Refused(Refusal::Session(unbound))) => Some(*unbound),
        Ok(_) => None,
        other => panic!("{other:?}"),
    }
}

async fn a_session_is_stored_with_its_entry_and_bound_whatever_the_policy_says_later(database: Database) {
    let old = requiring(&database);
    let session = start(&old, 1).await;
    let entries = database.store.trail().newest(9).await.unwrap();
    assert_eq!(entries.len(), 1);
    let told = entries[0].subject.shown.detail.clone().unwrap();
    assert!(
        told.starts_with(&format!("issued {} until ", session.session_id)),
        "{told}"
    );
    let policy = "base = \"record\"\n[session]\nrequired = true\nttl = \"1s\"\nchallenges = [\"TILT\"]\ncount = 1\n";
    let new = database.open().with_policy(Policy::parse(policy).unwrap()).unwrap();

    let report = naming(&session, made_at(NOW + MINUTE, recording(1, "sdk-1")));
    let recorded = record(&new, report).await.unwrap();

    let evidence = new.checks().evidence(recorded.check.id).await.unwrap().unwrap();
    assert_eq!(evidence.details.issued_session, Some(session));
    let used = format!(
        "SELECT count(*) FROM liveness_issued_sessions WHERE used_by = {}",
        recorded.check.id
    );
    assert_eq!(database.number(&used), 1);
}

async fn each_reason_not_to_bind_is_told(database: Database) {
    let store = requiring(&database);
    let [own, of_another] = [start(&store, 1).await, start(&store, 2).await];
    let report = |session: &IssuedSession, time| naming(session, made_at(time, recording(1, "sdk-1")));

    assert_eq!(
        why(&record(&store, recording(1, "sdk-1")).await),
        Some(Unbound::NotNamed)
    );
    assert_eq!(
        why(&record(&store, recording(1, "lvs_made-by-hand")).await),
        Some(Unbound::NotIssued)
    );
    assert_eq!(
        why(&record(&store, report(&of_another, NOW)).await),
        Some(Unbound::NotIssued)
    );
    assert_eq!(
        why(&record(&store, report(&own, NOW + 5 * MINUTE)).await),
        Some(Unbound::Expired)
    );
    assert_eq!(why(&record(&store, report(&own, NOW + 5 * MINUTE - 1)).await), None);
    assert_eq!(why(&record(&store, report(&own, NOW)).await), Some(Unbound::UsedUp));
    assert_eq!(
        why(&record(&store, report(&own, NOW + HOUR)).await),
        Some(Unbound::UsedUp)
    );
    assert_eq!(database.rows(), [1, 0, 1, 0, 3]);
}

/// A record whose time is ahead of the clock, because that was set back, does not make sessions expire.
async fn a_session_expires_by_the_clock_and_not_by_the_newest_record(database: Database) {
    let store = requiring(&database);
    database.record(made_at(NOW + HOUR, recording(1, "ahead"))).await;
    let session = start(&store, 1).await;

    let answer = record(&store, naming(&session, recording(1, "sdk-1"))).await;

    assert_eq!(why(&answer), None);
    assert_eq!(answer.unwrap().check.created_at, at(NOW + HOUR));
}

async fn a_report_that_is_refused_for_another_reason_uses_nothing_up(database: Database) {
    let store = requiring(&database);
    database.record(recording(2, "of-another")).await;
    let session = start(&store, 1).await;

    let refused = record(&store, naming(&session, recording(1, "of-another"))).await;

    assert!(matches!(refused, Err(StoreError::SessionOfAnotherUser)), "{refused:?}");
    assert_eq!(
        why(&record(&store, naming(&session, recording(1, "sdk-1"))).await),
        None
    );
}

async fn a_repetition_answers_the_first_record_after_it_has_used_the_session_up(database: Database) {
    let store = requiring(&database);
    let session = start(&store, 1).await;
    let report = |key| naming(&session, keyed(1, "sdk-1", key, "{}"));
    let first = record(&store, report("key-1")).await.unwrap();

    let late = made_at(NOW + HOUR, report("key-1"));
    let again = record(&store, late).await.unwrap();

    assert!(again.is_replay);
    assert_eq!(again.check, first.check);
    assert_eq!(why(&record(&store, report("key-2")).await), Some(Unbound::UsedUp));
}

/// Half of the reports name it as their session, half beside one of their own. All wait at the same time, in one batch of each
/// store.
async fn forty_reports_at_once_of_one_session_on_two_stores_record_one(database: Database) {
    let stores = [requiring(&database), requiring(&database)];
    let session = start(&stores[0], 1).await;
    let hold = database.hold();
    let calls: Vec<_> = (0..40)
        .map(|number: usize| {
            let report = if (number / 2).is_multiple_of(2) {
                recording(1, &session.session_id)
            } else {
                naming(&session, recording(1, &format!("sdk-{number}")))
            };
            begin_record(&stores[number % 2], report).unwrap()
        })
        .collect();
    hold.release();

    let answers = at_once(calls).await;

    let recorded = answers.iter().filter(|answer| why(answer).is_none()).count();
    let used_up = answers
        .iter()
        .filter(|answer| why(answer) == Some(Unbound::UsedUp))
        .count();
    assert_eq!((recorded, used_up), (1, 39));
    assert_eq!(database.rows(), [1, 0, 1, 0, 2]);
}

/// All nodes look for the key before any of them has recorded it.
async fn forty_repetitions_at_once_on_two_stores_have_one_answer(database: Database) {
    let stores = [requiring(&database), requiring(&database)];
    for round in 0..8 {
        let session = start(&stores[0], 1).await;
        let key = format!("key-{round}");
        let calls = (0..40).map(|number: usize| {
            let store = stores[number % 2].clone();
            // Some clients make a new session of their own for each try.
            let own = format!("sdk-{round}-{number}");
            let report = naming(&session, keyed(1, &own, &key, "{}"));
            async move { record(&store, report).await }
        });

        let answers: Result<Vec<_>, _> = at_once(calls).await.into_iter().collect();

        let answers = answers.unwrap();
        assert_eq!(answers.iter().filter(|answer| !answer.is_replay).count(), 1);
        assert!(answers.iter().all(|answer| answer.check == answers[0].check));
    }
}

async fn many_sessions_of_one_batch_are_each_used_up_by_their_own_record(database: Database) {
    let store = requiring(&database);
    let mut sessions = Vec::new();
    for user in 1..=20 {
        for _ in 0..2 {
            sessions.push((user, start(&store, user).await));
        }
    }
    let hold = database.hold();
    let calls: Vec<_> = sessions
        .iter()
        .map(|(user, session)| {
            let own = format!("sdk-{}", session.session_id);
            begin_record(&store, naming(session, recording(*user, &own))).unwrap()
        })
        .collect();
    hold.release();

    let answers: Result<Vec<_>, _> = at_once(calls).await.into_iter().collect();

    assert_eq!(answers.unwrap().len(), 40);
    let own = "SELECT count(*) FROM liveness_issued_sessions JOIN liveness_checks ON liveness_checks.id = used_by \
         WHERE liveness_checks.session_id = 'sdk-' || liveness_issued_sessions.session_id \
         AND liveness_checks.self_service_user_id = liveness_issued_sessions.self_service_user_id";
    assert_eq!(database.number(own), 40);
}

/// A store where attempts end: five, and then a wait after each.
fn limiting(database: &Database) -> Store {
    let policy = "base = \"record\"\n[session]\nrequired = true\n[attempts]\nin_a_row = 5\ndelay = \"30s\"\n";
    database.open().with_policy(Policy::parse(policy).unwrap()).unwrap()
}

async fn start_at(store: &Store, user: i64, unix_millis: i64) -> IssuedSession {
    let started = store.sessions().start(user, start_entry(user, unix_millis)).await;
    started.unwrap().session
}

async fn where_attempts_end_a_user_has_no_more_open_sessions_than_attempts(database: Database) {
    let stores = [limiting(&database), limiting(&database)];
    let mut sessions = Vec::new();
    for place in 0..12_usize {
        // The clock of the second node is a minute behind.
        let now = NOW + i64::try_from(place).unwrap() - if place % 2 == 1 { MINUTE } else { 0 };
        sessions.push(start_at(&stores[place % 2], 1, now).await);
    }
    let of_another = start_at(&stores[0], 2, NOW).await;
    let mut answers = Vec::new();
    for (place, session) in sessions.iter().enumerate() {
        let mut failed = naming(session, made_at(NOW, recording(1, &format!("sdk-{place}"))));
        failed.check.is_successful = false;
        answers.push(why(&record(&stores[place % 2], failed).await));
    }

    let open = answers.iter().filter(|why| why.is_none()).count();
    assert_eq!(open, 5, "{answers:?}");
    // The one that was issued last is open, whatever its clock says.
    assert_eq!(answers[11], None);
    assert_eq!(answers.iter().filter(|why| **why == Some(Unbound::Expired)).count(), 7);
    assert_eq!(
        why(&record(&stores[0], naming(&of_another, recording(2, "sdk"))).await),
        None
    );
    assert!(matches!(
        stores[0].sessions().start(1, start_entry(1, NOW)).await,
        Err(StoreError::Refused(Refusal::TooManyFailures { .. }))
    ));
}

async fn many_starts_at_once_on_two_stores_leave_five_sessions_open(database: Database) {
    let stores = [limiting(&database), limiting(&database)];
    let starts = (0..40_usize).map(|place| {
        let store = stores[place % 2].clone();
        async move { start_at(&store, 1, NOW).await }
    });

    let sessions = at_once(starts).await;

    assert_eq!(sessions.len(), 40);
    let open = "SELECT count(*) FROM liveness_issued_sessions WHERE expires_at > issued_at";
    assert_eq!(database.number(open), 5);
}

async fn what_nobody_used_is_swept_away_a_day_after_it_has_expired(database: Database) {
    let store = requiring(&database);
    let used = start(&store, 1).await;
    record(&store, naming(&used, recording(1, "sdk-1"))).await.unwrap();
    let left = start(&store, 1).await;
    let end = NOW + 5 * MINUTE + 24 * HOUR;
    let late = || naming(&left, made_at(end, recording(1, "sdk-2")));

    assert_eq!(store.sessions().sweep(at(end), || false).unwrap(), 0);
    assert_eq!(why(&record(&store, late()).await), Some(Unbound::Expired));
    assert_eq!(store.sessions().sweep(at(end + 1), || false).unwrap(), 1);
    assert_eq!(why(&record(&store, late()).await), Some(Unbound::NotIssued));

    assert_eq!(store.sessions().sweep(at(end + 365 * 24 * HOUR), || false).unwrap(), 0);
    let again = naming(&used, made_at(end + 365 * 24 * HOUR, recording(1, "sdk-3")));
    assert_eq!(why(&record(&store, again).await), Some(Unbound::UsedUp));
}

/// More than fit into three transactions, and more than fit into one that expire in the same millisecond.
async fn a_sweep_goes_on_until_nothing_is_left_or_it_is_stopped(database: Database) {
    let rows = (1..=900).map(|number| {
        let expires_at = if number <= 400 { 1 } else { number };
        format!("({}, 'lvs_{number}', '[]', 0, {expires_at})", number % 7 + 1)
    });
    let rows: Vec<_> = rows.collect();
    let columns = "self_service_user_id, session_id, challenges, issued_at, expires_at";
    database.execute(&format!(
        "INSERT INTO liveness_issued_sessions ({columns}) VALUES {}",
        rows.join(", ")
    ));
    let sessions = database.store.sessions();
    let mut steps = 0;
    let after_one = || {
        steps += 1;
        steps > 1
    };

    assert_eq!(sessions.sweep(at(NOW), after_one).unwrap(), 400);
    assert_eq!(sessions.sweep(at(NOW), || false).unwrap(), 500);
    assert_eq!(sessions.sweep(at(NOW), || false).unwrap(), 0);
    assert_eq!(database.number("SELECT count(*) FROM liveness_issued_sessions"), 0);
}

async fn the_erasure_of_a_user_deletes_their_sessions_and_no_other(database: Database) {
    let store = requiring(&database);
    let used = start(&store, 1).await;
    record(&store, naming(&used, recording(1, "sdk-1"))).await.unwrap();
    start(&store, 1).await;
    let of_another = start(&store, 2).await;

    store.erasures().erase_user(1, true, order()).await.unwrap();

    let left = database.texts("SELECT session_id FROM liveness_issued_sessions");
    assert_eq!(left, [of_another.session_id]);
}

on_each_engine! {
    a_session_is_stored_with_its_entry_and_bound_whatever_the_policy_says_later,
    each_reason_not_to_bind_is_told,
    a_session_expires_by_the_clock_and_not_by_the_newest_record,
    a_report_that_is_refused_for_another_reason_uses_nothing_up,
    a_repetition_answers_the_first_record_after_it_has_used_the_session_up,
    forty_reports_at_once_of_one_session_on_two_stores_record_one,
    forty_repetitions_at_once_on_two_stores_have_one_answer,
    many_sessions_of_one_batch_are_each_used_up_by_their_own_record,
    where_attempts_end_a_user_has_no_more_open_sessions_than_attempts,
    many_starts_at_once_on_two_stores_leave_five_sessions_open,
    what_nobody_used_is_swept_away_a_day_after_it_has_expired,
    a_sweep_goes_on_until_nothing_is_left_or_it_is_stopped,
    ;
    not on Citus:
    the_erasure_of_a_user_deletes_their_sessions_and_no_other,
}
