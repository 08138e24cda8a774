//! Every statement that the store sends finds its rows by an index; SQLite is asked for its plan.
//!
//! The statements are not written down here: a connection is listened to while the store works on it.

use std::sync::{Arc, Mutex};

use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};
use diesel::sqlite::SqliteConnection;

use super::checks::{CheckFilter, PageRequest};
use super::error::StoreError;
use super::{audit_entries, checks, idempotency_keys, images, migrations, sessions, users};
use crate::{CompletionRule, IdempotencyKey, SessionId, Timestamp};

type Heard = Arc<Mutex<Vec<String>>>;

fn listener(heard: &Heard) -> impl Instrumentation {
    let heard = Arc::clone(heard);
    move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            let sql = text.split(" -- binds").next().unwrap_or_default();
            heard.lock().unwrap().push(sql.to_owned());
        }
    }
}

/// The plan of each SELECT, UPDATE and DELETE that an operation sends, one line a step.
fn plans(operation: impl FnOnce(&mut SqliteConnection) -> Result<(), StoreError>) -> Vec<String> {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    migrations::run(&mut conn).unwrap();
    let heard = Heard::default();
    conn.set_instrumentation(listener(&heard));
    operation(&mut conn).unwrap();
    conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});

    let sent = heard.lock().unwrap().clone();
    let is_search = |statement: &&String| {
        ["SELECT", "UPDATE", "DELETE"]
            .iter()
            .any(|verb| statement.starts_with(verb))
    };
    let searches: Vec<_> = sent.iter().filter(is_search).collect();
    assert!(!searches.is_empty(), "nothing was heard but {sent:?}");
    searches
        .into_iter()
        .flat_map(|statement| plan(&mut conn, statement))
        .collect()
}

fn plan(conn: &mut SqliteConnection, statement: &str) -> Vec<String> {
    let explained = sql::<(Integer, Integer, Integer, Text)>(&format!("EXPLAIN QUERY PLAN {statement}"));
    let steps: Vec<(i32, i32, i32, String)> = explained.load(conn).unwrap();
    steps.into_iter().map(|(.., detail)| detail).collect()
}

/// The plan of each of the two statements of a page: how many there are, and which.
fn page_plans(filter: CheckFilter) -> Vec<String> {
    plans(|conn| checks::page(conn, &filter, PageRequest { number: 2, size: 20 }).map(drop))
}

fn at() -> Timestamp {
    "2026-03-22T14:00:05Z".parse().unwrap()
}

#[test]
fn the_completing_record_is_the_first_of_an_index() {
    let of = |rule| plans(|conn| checks::completing(conn, 1, rule).map(drop));

    assert_eq!(
        of(CompletionRule::AnySuccessful),
        ["SEARCH liveness_checks USING INDEX liveness_checks_passed_of_user (self_service_user_id=? AND passed=?)"]
    );
    assert_eq!(
        of(CompletionRule::LatestVerified),
        ["SEARCH liveness_checks USING INDEX liveness_checks_of_user (self_service_user_id=?)"]
    );
}

#[test]
fn a_page_of_everything_follows_the_index_of_the_newest() {
    let [total, items] = <[String; 2]>::try_from(page_plans(CheckFilter::default())).unwrap();

    // The total of all records is counted, on the smallest index.
    assert!(
        total.starts_with("SCAN liveness_checks USING COVERING INDEX "),
        "{total}"
    );
    assert_eq!(items, "SCAN liveness_checks USING INDEX liveness_checks_newest");
}

#[test]
fn a_page_by_one_filter_follows_the_index_of_that_filter() {
    let none = CheckFilter::default;
    let cases = [
        (
            CheckFilter {
                self_service_user_id: Some(1),
                ..none()
            },
            "liveness_checks_of_user (self_service_user_id=?)",
        ),
        (
            CheckFilter {
                pre_registration_id: Some(1),
                ..none()
            },
            "liveness_checks_of_pre_registration (pre_registration_id=?)",
        ),
        (
            CheckFilter {
                session_id: Some("a".into()),
                ..none()
            },
            "liveness_checks_of_session (session_id=?)",
        ),
    ];

    for (filter, index) in cases {
        let expected = ["COVERING INDEX", "INDEX"].map(|kind| format!("SEARCH liveness_checks USING {kind} {index}"));
        assert_eq!(page_plans(filter), expected);
    }
}

#[test]
fn a_page_by_several_filters_searches_and_does_not_sort() {
    let (user, pre_registration, session) = (Some(1), Some(1), Some("a".to_owned()));
    let filters = [
        (user, pre_registration, None),
        (user, None, session.clone()),
        (None, pre_registration, session.clone()),
        (user, pre_registration, session),
    ];

    for (self_service_user_id, pre_registration_id, session_id) in filters {
        let plans = page_plans(CheckFilter {
            pre_registration_id,
            self_service_user_id,
            session_id,
        });
        assert_eq!(plans.len(), 2, "{plans:?}");
        assert!(
            plans
                .iter()
                .all(|step| step.starts_with("SEARCH liveness_checks USING INDEX ")),
            "{plans:?}"
        );
    }
}

#[test]
fn a_session_is_found_by_its_id() {
    let session = SessionId::parse("session-1").unwrap();

    let found = plans(|conn| sessions::claim(conn, &session, 1, at()));

    assert_eq!(found, ["SEARCH liveness_sessions USING PRIMARY KEY (session_id=?)"]);
}

#[test]
fn an_idempotency_key_is_found_by_its_user_command_and_name() {
    let key = IdempotencyKey::parse("key-1", b"{}").unwrap();

    let found = plans(|conn| idempotency_keys::recorded_under(conn, 1, "SubmitLivenessCheckCommand", &key).map(drop));

    let by_key = "SEARCH liveness_idempotency_keys USING PRIMARY KEY \
         (self_service_user_id=? AND command=? AND idempotency_key=?)";
    assert_eq!(found, [by_key]);
}

#[test]
fn old_idempotency_keys_are_found_by_their_age_and_deleted_by_their_key() {
    let found = plans(|conn| {
        diesel::sql_query("INSERT INTO liveness_sessions VALUES ('s', 1, 0); ").execute(conn)?;
        diesel::sql_query(
            "INSERT INTO liveness_checks (id, self_service_user_id, session_id, is_successful, passed, has_image, created_at) \
             VALUES (1, 1, 's', 1, 1, 0, 0)",
        )
        .execute(conn)?;
        diesel::sql_query("INSERT INTO liveness_idempotency_keys VALUES (1, 'c', 'k', zeroblob(32), 1, 0)")
            .execute(conn)?;
        idempotency_keys::forget_some_before(conn, at())
    });

    let expected = [
        "SEARCH liveness_idempotency_keys USING COVERING INDEX liveness_idempotency_keys_oldest (created_at<?)",
        "SEARCH liveness_idempotency_keys USING PRIMARY KEY (self_service_user_id=? AND command=? AND idempotency_key=?)",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_record_and_its_face_are_found_by_the_records_id() {
    let record = plans(|conn| checks::get(conn, 1).map(drop).or(Ok(())));
    let face = plans(|conn| images::get(conn, 1).map(drop));

    assert_eq!(record, ["SEARCH liveness_checks USING INTEGER PRIMARY KEY (rowid=?)"]);
    assert_eq!(face, ["SEARCH liveness_images USING INTEGER PRIMARY KEY (rowid=?)"]);
}

#[test]
fn users_are_found_by_both_of_their_ids() {
    let one = plans(|conn| users::find(conn, &[1]).map(drop));
    let several = plans(|conn| users::find(conn, &[1, 2, 3]).map(drop));
    let by_user_id = plans(|conn| users::find_by_user_id(conn, "USR-00000001").map(drop));

    let by_id = "SEARCH liveness_users USING INTEGER PRIMARY KEY (rowid=?)";
    assert_eq!((one, several), (vec![by_id.to_owned()], vec![by_id.to_owned()]));
    assert_eq!(
        by_user_id,
        ["SEARCH liveness_users USING INDEX sqlite_autoindex_liveness_users_1 (user_id=?)"]
    );
}

#[test]
fn the_newest_audit_entries_are_read_from_the_end() {
    let found = plans(|conn| audit_entries::newest(conn, 10).map(drop));

    // In the order of the table itself, and no further than the limit: nothing is sorted.
    assert_eq!(found, ["SCAN liveness_audit_entries"]);
}
