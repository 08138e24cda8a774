//! Lists show the newest records first, can be filtered, and are read page by page.

use liveness_core::store::{CheckFilter, PageRequest, Store};

use crate::database::{Database, on_each_engine};
use crate::samples::{NOW, at, made_at, recording};

/// The ids of a page, in its order, and the total.
async fn page(store: &Store, filter: &CheckFilter, number: i64, size: i64) -> (Vec<i64>, i64) {
    let page = store
        .checks()
        .page(filter.clone(), PageRequest { number, size })
        .await
        .unwrap();
    (page.items.iter().map(|check| check.id).collect(), page.total)
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

fn all() -> CheckFilter {
    CheckFilter::default()
}

fn of_user(id: i64) -> CheckFilter {
    CheckFilter {
        self_service_user_id: Some(id),
        ..all()
    }
}

fn of_pre_registration(id: i64) -> CheckFilter {
    CheckFilter {
        pre_registration_id: Some(id),
        ..all()
    }
}

fn of_session(id: &str) -> CheckFilter {
    CheckFilter {
        session_id: Some(id.into()),
        ..all()
    }
}

async fn the_newest_is_first_and_the_greatest_id_at_one_instant(database: Database) {
    let store = six_records(&database).await;

    let listed = page(store, &all(), 1, 100).await;

    assert_eq!(listed, (vec![5, 1, 4, 3, 2, 6], 6));
}

async fn pages_follow_each_other_without_gap_or_repetition(database: Database) {
    let store = six_records(&database).await;

    let pages = [
        page(store, &all(), 1, 4).await,
        page(store, &all(), 2, 4).await,
        page(store, &all(), 3, 4).await,
    ];

    assert_eq!(pages, [(vec![5, 1, 4, 3], 6), (vec![2, 6], 6), (vec![], 6)]);
}

async fn each_filter_alone(database: Database) {
    let store = six_records(&database).await;
    let cases = [
        (of_user(1), vec![1, 4, 3]),
        (of_pre_registration(7), vec![1, 3, 2]),
        (of_session("b"), vec![2, 6]),
    ];

    for (filter, expected) in cases {
        let total = expected.len() as i64;
        assert_eq!(page(store, &filter, 1, 100).await, (expected, total), "{filter:?}");
    }
}

async fn filters_together_mean_and(database: Database) {
    let store = six_records(&database).await;
    let (user, pre_registration, session) = (Some(1), Some(7), Some("a".to_owned()));
    let cases = [
        (
            CheckFilter {
                self_service_user_id: user,
                ..of_pre_registration(7)
            },
            vec![1, 3],
        ),
        (
            CheckFilter {
                self_service_user_id: user,
                ..of_session("a")
            },
            vec![1, 4],
        ),
        (
            CheckFilter {
                pre_registration_id: pre_registration,
                ..of_session("a")
            },
            vec![1],
        ),
        (
            CheckFilter {
                self_service_user_id: user,
                pre_registration_id: pre_registration,
                session_id: session,
                ..all()
            },
            vec![1],
        ),
        (
            CheckFilter {
                self_service_user_id: Some(2),
                ..of_session("a")
            },
            vec![],
        ),
    ];

    for (filter, expected) in cases {
        let total = expected.len() as i64;
        assert_eq!(page(store, &filter, 1, 100).await, (expected, total), "{filter:?}");
    }
}

fn between(from: i64, to: i64, filter: CheckFilter) -> CheckFilter {
    CheckFilter {
        from: Some(at(NOW + from)),
        to: Some(at(NOW + to)),
        ..filter
    }
}

async fn a_span_begins_at_its_first_instant_and_ends_before_its_last(database: Database) {
    let store = six_records(&database).await;
    let since = CheckFilter {
        to: None,
        ..between(3000, 0, all())
    };
    let until = CheckFilter {
        from: None,
        ..between(0, 2000, all())
    };
    let cases = [
        (between(1000, 3000, all()), vec![4, 3, 2]),
        (between(1000, 3001, all()), vec![1, 4, 3, 2]),
        (between(1001, 2001, all()), vec![4, 3]),
        (since, vec![5, 1]),
        (until, vec![2, 6]),
        (between(2000, 3000, of_user(1)), vec![4, 3]),
        (between(2000, 9000, of_pre_registration(7)), vec![1, 3]),
        (between(3000, 9000, of_session("a")), vec![1]),
        (between(1, 1000, of_session("b")), vec![]),
        (between(2000, 2000, all()), vec![]),
        (between(9000, 0, of_user(1)), vec![]),
    ];

    for (filter, expected) in cases {
        let total = expected.len() as i64;
        assert_eq!(
            page(store, &filter, 1, 100).await,
            (expected.clone(), total),
            "{filter:?}"
        );
        let last = page(store, &filter, total.max(1), 1).await;
        assert_eq!(
            last,
            (expected.last().copied().into_iter().collect(), total),
            "{filter:?}"
        );
    }
}

/// The records of one user's two sessions alternate. Their times are not in order, because the clocks of nodes differ.
async fn a_session_is_found_whole_among_its_users_other_records(database: Database) {
    let mut of_a = Vec::new();
    for (session, at) in [
        ("a", 50),
        ("b", 60),
        ("a", 40),
        ("b", 10),
        ("a", 70),
        ("b", 70),
        ("a", 45),
    ] {
        let recorded = database.record(made_at(NOW + at, recording(1, session))).await;
        if session == "a" {
            of_a.push((recorded.check.created_at, recorded.check.id));
        }
    }
    database.record(made_at(NOW + 45, recording(2, "c"))).await;
    of_a.sort_unstable();
    let newest_first: Vec<_> = of_a.iter().rev().map(|(_, id)| *id).collect();

    let first = page(&database.store, &of_session("a"), 1, 3).await;
    let rest = page(&database.store, &of_session("a"), 2, 3).await;

    assert_eq!(first, (newest_first[..3].to_vec(), 4));
    assert_eq!(rest, (newest_first[3..].to_vec(), 4));
    let exported = database.store.checks().after(of_session("a"), None, 100).await.unwrap();
    let exported: Vec<_> = exported.iter().map(|check| (check.created_at, check.id)).collect();
    assert_eq!(exported, of_a);
}

async fn a_page_far_past_the_end_is_empty_and_knows_the_total(database: Database) {
    let store = six_records(&database).await;

    let far = page(store, &of_user(1), i64::MAX, 100).await;

    assert_eq!(far, (vec![], 3));
}

async fn a_filter_that_matches_nothing_is_an_empty_page(database: Database) {
    let store = six_records(&database).await;

    for filter in [of_session("A"), of_user(i64::MAX), of_user(0), of_pre_registration(0)] {
        assert_eq!(page(store, &filter, 1, 20).await, (vec![], 0), "{filter:?}");
    }
}

async fn without_records_there_is_one_empty_page(database: Database) {
    let listed = page(&database.store, &all(), 1, 20).await;

    assert_eq!(listed, (vec![], 0));
}

async fn a_session_that_cannot_be_stored_is_in_no_list(database: Database) {
    six_records(&database).await;

    assert_eq!(page(&database.store, &of_session("a\0"), 1, 20).await, (Vec::new(), 0));
}

on_each_engine! {
    a_session_is_found_whole_among_its_users_other_records,
    a_session_that_cannot_be_stored_is_in_no_list,
    the_newest_is_first_and_the_greatest_id_at_one_instant,
    pages_follow_each_other_without_gap_or_repetition,
    each_filter_alone,
    filters_together_mean_and,
    a_span_begins_at_its_first_instant_and_ends_before_its_last,
    a_page_far_past_the_end_is_empty_and_knows_the_total,
    a_filter_that_matches_nothing_is_an_empty_page,
    without_records_there_is_one_empty_page,
}
