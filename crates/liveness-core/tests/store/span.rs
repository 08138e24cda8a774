//! Reads the records step by step, oldest first.

use liveness_core::store::{CheckFilter, CheckSpan, Store};

use crate::database::{Database, on_each_engine};
use crate::samples::{NOW, at, recording};

/// The ids of the records, in the order in which steps of this size return them.
async fn walk(store: &Store, span: &CheckSpan, size: i64) -> Vec<i64> {
    let (mut met, mut after) = (Vec::new(), None);
    loop {
        let step = store.checks().after(span.clone(), after, size).await.unwrap();
        assert!(step.len() <= usize::try_from(size).unwrap());
        let Some(last) = step.last() else { return met };
        after = Some((last.created_at, last.id));
        met.extend(step.iter().map(|check| check.id));
    }
}

/// Adds six records in this order. Two of them have the same instant.
async fn six_records(database: &Database) -> &Store {
    let records = [
        (1, Some(7), "a", 3),
        (2, Some(7), "b", 1),
        (1, Some(7), "c", 2),
        (1, None, "a", 2),
        (3, Some(8), "d", 5),
        (2, Some(9), "b", 0),
    ];
    for (user, pre_registration, session, second) in records {
        let mut recording = recording(user, session);
        recording.check.user.pre_registration_id = pre_registration;
        recording.check.created_at = at(NOW + second * 1000);
        database.record(recording).await;
    }
    &database.store
}

fn of(user: Option<i64>, pre_registration: Option<i64>, session: Option<&str>) -> CheckSpan {
    CheckSpan {
        filter: CheckFilter {
            self_service_user_id: user,
            pre_registration_id: pre_registration,
            session_id: session.map(str::to_owned),
        },
        ..CheckSpan::default()
    }
}

async fn every_record_is_met_once_whatever_the_step(database: Database) {
    let store = six_records(&database).await;

    for size in 1..=7 {
        assert_eq!(
            walk(store, &of(None, None, None), size).await,
            [6, 2, 3, 4, 1, 5],
            "{size}"
        );
    }
}

async fn filters_together_mean_and(database: Database) {
    let store = six_records(&database).await;
    let cases: [(CheckSpan, &[i64]); 9] = [
        (of(Some(1), None, None), &[3, 4, 1]),
        (of(None, Some(7), None), &[2, 3, 1]),
        (of(None, None, Some("b")), &[6, 2]),
        (of(Some(1), Some(7), None), &[3, 1]),
        (of(Some(1), None, Some("a")), &[4, 1]),
        (of(None, Some(7), Some("a")), &[1]),
        (of(Some(2), Some(9), Some("b")), &[6]),
        (of(Some(2), Some(9), Some("a")), &[]),
        (of(Some(i64::MAX), None, None), &[]),
    ];
    for (span, expected) in cases {
        assert_eq!(walk(store, &span, 1).await, expected, "{span:?}");
    }
}

async fn a_span_begins_at_an_instant_and_ends_before_one(database: Database) {
    let store = six_records(&database).await;
    let between = |span, from: i64, before: i64| CheckSpan {
        from: Some(at(NOW + from * 1000)),
        before: Some(at(NOW + before * 1000)),
        ..span
    };
    let cases: [(CheckSpan, &[i64]); 5] = [
        (between(of(None, None, None), 1, 3), &[2, 3, 4]),
        (between(of(Some(1), None, None), 2, 3), &[3, 4]),
        (between(of(None, Some(7), None), 2, 4), &[3, 1]),
        (between(of(None, None, Some("a")), 3, 9), &[1]),
        (between(of(None, None, None), 3, 3), &[]),
    ];
    for (span, expected) in cases {
        assert_eq!(walk(store, &span, 1).await, expected, "{span:?}");
    }
}

async fn a_new_record_between_steps_hides_no_other_record(database: Database) {
    let store = six_records(&database).await;
    let span = of(None, None, None);
    let first = store.checks().after(span.clone(), None, 3).await.unwrap();
    let mut late = recording(9, "late");
    late.check.created_at = at(NOW + 500);
    database.record(late).await;

    let last = first.last().map(|check| (check.created_at, check.id));
    let rest = store.checks().after(span, last, 100).await.unwrap();

    assert_eq!(rest.iter().map(|check| check.id).collect::<Vec<_>>(), [4, 1, 5]);
}

on_each_engine! {
    every_record_is_met_once_whatever_the_step,
    filters_together_mean_and,
    a_span_begins_at_an_instant_and_ends_before_one,
    a_new_record_between_steps_hides_no_other_record,
}
