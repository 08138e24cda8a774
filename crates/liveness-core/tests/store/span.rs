//! Reads the records step by step, oldest first.

use liveness_core::store::{CheckFilter, Store};

use crate::database::{Database, on_each_engine};
use crate::samples::{NOW, at, made_at, recording, with_face};

/// The ids of the records, in the order in which steps of this size return them.
async fn walk(store: &Store, span: &CheckFilter, size: i64) -> Vec<i64> {
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
        database.record_by_its_clock(recording).await;
    }
    &database.store
}

fn of(user: Option<i64>, pre_registration: Option<i64>, session: Option<&str>) -> CheckFilter {
    CheckFilter {
        self_service_user_id: user,
        pre_registration_id: pre_registration,
        session_id: session.map(str::to_owned),
        ..CheckFilter::default()
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
    let cases: [(CheckFilter, &[i64]); 9] = [
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
    let between = |span, from: i64, before: i64| CheckFilter {
        from: Some(at(NOW + from * 1000)),
        to: Some(at(NOW + before * 1000)),
        ..span
    };
    let cases: [(CheckFilter, &[i64]); 5] = [
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

async fn steps_keep_to_an_outcome_and_to_a_face(database: Database) {
    for second in 0..12 {
        let mut recording = made_at(
            NOW + second * 1000,
            recording(1 + second % 2, &format!("s{}", second % 2)),
        );
        recording.check.is_successful = second % 3 > 0;
        if second % 4 == 0 {
            recording = with_face(recording);
        }
        recording.check.user.pre_registration_id = Some(7);
        database.record(recording).await;
    }
    let cases: [(Option<bool>, Option<bool>, &[i64]); 6] = [
        (Some(false), None, &[4, 7, 10]),
        (Some(false), Some(true), &[]),
        (None, Some(true), &[5, 9]),
        (Some(true), Some(true), &[5, 9]),
        (Some(true), Some(false), &[3, 6, 8]),
        (None, None, &[3, 4, 5, 6, 7, 8, 9, 10]),
    ];
    for (is_successful, has_image, expected) in cases {
        for (user, pre_registration, session) in [
            (None, None, None),
            (None, Some(7), None),
            (Some(1), None, None),
            (None, None, Some("s1")),
        ] {
            let filter = CheckFilter {
                from: Some(at(NOW + 2000)),
                to: Some(at(NOW + 10_000)),
                is_successful,
                has_image,
                ..of(user, pre_registration, session)
            };
            let is_asked = |id: &&i64| match (user, session) {
                (Some(_), _) => **id % 2 == 1,
                (_, Some(_)) => **id % 2 == 0,
                _ => true,
            };
            let expected: Vec<_> = expected.iter().filter(is_asked).copied().collect();
            assert_eq!(walk(&database.store, &filter, 2).await, expected, "{filter:?}");
        }
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
    steps_keep_to_an_outcome_and_to_a_face,
}
