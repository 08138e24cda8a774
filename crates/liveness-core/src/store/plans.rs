//! Tests that every statement of the store finds its rows by an index. The tests ask both engines for their plans.
//!
//! The tests do not repeat the statements. They listen to a connection while the store works on it.

use std::sync::{Arc, Mutex};

use diesel::Connection as _;
use diesel::connection::{Instrumentation, InstrumentationEvent};
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};
use diesel::sqlite::SqliteConnection;

use super::engine::connection::{Connection, on_either};
use super::engine::error::StoreError;
use super::engine::migrations;
use super::engine::postgres::PostgresSettings;
use super::tables::attempts;
use super::tables::checks::completing::{Completion, completing, completing_each};
use super::tables::checks::filter::{CheckFilter, DecisionFilter};
use super::tables::checks::find;
use super::tables::checks::page::{self, Order, PageRequest};
use super::tables::checks::span;
use super::tables::dating;
use super::tables::decision_rows as decisions;
use super::tables::distribution::SHARDING;
use super::tables::erasure_rows;
use super::tables::erasures::next_rows;
use super::tables::events::operating as events;
use super::tables::events::{audience, due, ending, registering};
use super::tables::faces;
use super::tables::image_digests;
use super::tables::issued_sessions::{self, unused};
use super::tables::jobs::{adding, leases, operating};
use super::tables::look_limit::{self, LimitedLook, LookLimit};
use super::tables::trail::entries;
use super::tables::trail::filter::{TrailFilter, TrailPageRequest};
use super::tables::trail::find as trail;
use super::tables::trail::log;
use super::tables::trail::looks;
use super::tables::trail::rows as log_rows;
use super::tables::users::changes;
use super::tables::users::rows as users;
use crate::faces::FaceKeyId;
use crate::jobs::JobKind;
use crate::verdict::VerdictOutcome;
use crate::{AuditEntry, AuditSubject, CompletionRule, Decision, Timestamp};

#[path = "../../tests/store/cluster.rs"]
mod cluster;

type Heard = Arc<Mutex<Vec<String>>>;

fn listener(heard: &Heard) -> impl Instrumentation + use<> {
    let heard = Arc::clone(heard);
    move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            let sql = text.split(" -- binds").next().unwrap_or_default();
            heard.lock().unwrap().push(sql.to_owned());
        }
    }
}

/// Runs an operation and returns the statements with which it searched.
fn searches(
    conn: &mut Connection<'_>,
    operation: impl FnOnce(&mut Connection<'_>) -> Result<(), StoreError>,
) -> Vec<String> {
    let heard = Heard::default();
    on_either!(conn, |conn| conn.set_instrumentation(listener(&heard)));
    operation(conn).unwrap();
    on_either!(conn, |conn| conn.set_instrumentation(|_: InstrumentationEvent<'_>| {}));
    let sent = heard.lock().unwrap().clone();
    let is_search = |statement: &String| {
        ["SELECT", "UPDATE", "DELETE"]
            .iter()
            .any(|verb| statement.starts_with(verb))
    };
    assert!(sent.iter().any(is_search), "no search among {sent:?}");
    sent.into_iter().filter(is_search).collect()
}

/// The name of an operation, the operation, and the indexes that its searches must use: on SQLite, and on PostgreSQL.
type Case = (
    &'static str,
    fn(&mut Connection<'_>) -> Result<(), StoreError>,
    &'static [(&'static str, &'static str)],
);

const OF_USER: &str = "liveness_checks_of_user";
const PASSED: &str = "liveness_checks_passed";
const BY_TIME: &str = "liveness_checks_by_time";
/// The keyed digests of images.
const IMAGE_DIGEST: (&str, &str) = (
    "liveness_checks_image_digest (image_digest=?",
    "liveness_checks_image_digest",
);
const FAILED: &str = "liveness_checks_failed";
const FACELESS: &str = "liveness_checks_faceless";
const PRE_REGISTERED: &str = "liveness_checks_by_pre_registration";
const JUDGED: (&str, &str) = ("liveness_checks_judged (", "liveness_checks_judged");
const UNDECIDED: (&str, &str) = ("liveness_checks_undecided (", "liveness_checks_undecided");
const DECIDED: (&str, &str) = ("liveness_checks_decided (", "liveness_checks_decided");
/// Either of two indexes. The engine chooses.
const OF_BOTH: (&str, &str) = ("USING INDEX liveness_checks_", "liveness_checks_");
const TOTAL: (&str, &str) = ("sqlite_autoindex_liveness_check_totals_1", "liveness_check_totals_pkey");
const SESSION: (&str, &str) = ("liveness_sessions USING PRIMARY KEY", "liveness_sessions_pkey");
const CHECK: (&str, &str) = ("liveness_checks USING INTEGER PRIMARY KEY", "liveness_checks_pkey");
const USER: (&str, &str) = ("liveness_users USING INTEGER PRIMARY KEY", "liveness_users_pkey");
const USER_ID: (&str, &str) = (
    "sqlite_autoindex_liveness_users_1 (user_id=?)",
    "liveness_users_user_id_key",
);

const fn by(rule: CompletionRule) -> Completion {
    Completion {
        rule,
        has_to_stand: false,
    }
}

/// The same, if records have to stand.
const STANDING: Completion = Completion {
    rule: CompletionRule::AnySuccessful,
    has_to_stand: true,
};

/// The searches for a user's records by their verdict, which are few.
const OF_FEW: [&str; 3] = [
    "any record that stands",
    "any records that stand",
    "a user's page of records to review",
];

/// Reads the status of some users: two users on PostgreSQL, one on SQLite, which is asked for one user at a time.
fn statuses(conn: &mut Connection<'_>, completion: Completion) -> Result<(), StoreError> {
    let asked = [(1, completion), (2, completion)];
    let at_once = if matches!(conn, Connection::Sqlite(_)) { 1 } else { 2 };
    completing_each(conn, &asked[..at_once]).map(drop)
}

fn filter(
    self_service_user_id: Option<i64>,
    pre_registration_id: Option<i64>,
    session_id: Option<&str>,
) -> CheckFilter {
    CheckFilter {
        self_service_user_id,
        pre_registration_id,
        session_id: session_id.map(str::to_owned),
        ..CheckFilter::default()
    }
}

/// The filter, only between two times.
fn in_span(filter: CheckFilter) -> CheckFilter {
    CheckFilter {
        from: Timestamp::from_unix_millis(1),
        to: Timestamp::from_unix_millis(19_000),
        ..filter
    }
}

/// The filter, only with this outcome, and with or without a face.
fn outcome(is_successful: Option<bool>, has_image: Option<bool>, filter: CheckFilter) -> CheckFilter {
    CheckFilter {
        is_successful,
        has_image,
        ..filter
    }
}

/// Records with this verdict, and on which this was decided.
fn judged(verdict: Option<VerdictOutcome>, decision: Option<DecisionFilter>) -> CheckFilter {
    CheckFilter {
        verdict,
        decision,
        ..CheckFilter::default()
    }
}

fn in_order(conn: &mut Connection<'_>, filter: &CheckFilter, order: Order) -> Result<(), StoreError> {
    page::page(conn, filter, PageRequest { number: 2, size: 20 }, order).map(drop)
}

fn listed(conn: &mut Connection<'_>, filter: &CheckFilter) -> Result<(), StoreError> {
    in_order(conn, filter, Order::NewestFirst)
}

fn page(
    conn: &mut Connection<'_>,
    self_service_user_id: Option<i64>,
    pre_registration_id: Option<i64>,
    session_id: Option<&str>,
) -> Result<(), StoreError> {
    listed(conn, &filter(self_service_user_id, pre_registration_id, session_id))
}

/// Reads one step in the middle of an export.
fn stepped(conn: &mut Connection<'_>, filter: &CheckFilter) -> Result<(), StoreError> {
    let after = Timestamp::from_unix_millis(10_000).map(|at| (at, 10_000));
    span::after(conn, filter, after, 200).map(drop)
}

fn step(
    conn: &mut Connection<'_>,
    self_service_user_id: Option<i64>,
    pre_registration_id: Option<i64>,
    session_id: Option<&str>,
) -> Result<(), StoreError> {
    let filter = filter(self_service_user_id, pre_registration_id, session_id);
    stepped(conn, &in_span(filter))
}

const CASES: &[Case] = &[
    // SQLite searches by the time only and compares the id of each record: few records have the same millisecond.
    (
        "a step of all",
        |conn| step(conn, None, None, None),
        &[(
            "liveness_checks_by_time (created_at>? AND created_at<?)",
            "liveness_checks_by_time",
        )],
    ),
    (
        "a step of a user's",
        |conn| step(conn, Some(1), None, None),
        &[(
            "liveness_checks_of_user ((self_service_user_id,created_at)>(?,?) AND \
             (self_service_user_id,created_at)<(?,?))",
            OF_USER,
        )],
    ),
    (
        "a step of a pre-registration's",
        |conn| step(conn, None, Some(1), None),
        &[(
            "liveness_checks_by_pre_registration ((pre_registration_id,created_at)>(?,?) AND \
             (pre_registration_id,created_at)<(?,?))",
            PRE_REGISTERED,
        )],
    ),
    (
        "a step of a session's",
        |conn| step(conn, None, None, Some("s")),
        &[
            SESSION,
            (
                "liveness_checks_of_user (self_service_user_id=? AND created_at>? AND created_at<?)",
                OF_USER,
            ),
        ],
    ),
    (
        "a step by user and pre-registration",
        |conn| step(conn, Some(1), Some(1), None),
        &[(OF_USER, OF_USER)],
    ),
    (
        "a step by all",
        |conn| step(conn, Some(1), Some(1), Some("s")),
        &[SESSION, (OF_USER, OF_USER)],
    ),
    (
        "users by UserIds",
        |conn| users::find_by_user_ids(conn, &["USR-1".into(), "USR-2".into()]).map(drop),
        &[(
            "sqlite_autoindex_liveness_users_1 (user_id=?)",
            "liveness_users_user_id_key",
        )],
    ),
    (
        "who has records",
        |conn| changes::with_records(conn, &[1, 2]).map(drop),
        &[(OF_USER, OF_USER)],
    ),
    (
        "the newest record",
        |conn| find::newest_check(conn).map(drop),
        &[("liveness_checks_by_time", "liveness_checks_by_time")],
    ),
    (
        "any successful record",
        |conn| completing(conn, 1, by(CompletionRule::AnySuccessful)).map(drop),
        &[("liveness_checks_passed (self_service_user_id=?)", PASSED)],
    ),
    (
        "the latest record",
        |conn| completing(conn, 1, by(CompletionRule::LatestVerified)).map(drop),
        &[("liveness_checks_of_user (self_service_user_id=?)", OF_USER)],
    ),
    (
        "any record that stands",
        |conn| completing(conn, 1, STANDING).map(drop),
        &[("liveness_checks_passed (self_service_user_id=?)", PASSED)],
    ),
    (
        "any records that stand",
        |conn| statuses(conn, STANDING),
        &[("liveness_checks_passed (self_service_user_id=?)", PASSED)],
    ),
    (
        "earlier records of images",
        |conn| image_digests::find(conn, &[(&[1; 32], 1)]).map(drop),
        &[IMAGE_DIGEST],
    ),
    (
        "any successful records",
        |conn| statuses(conn, by(CompletionRule::AnySuccessful)),
        &[("liveness_checks_passed (self_service_user_id=?)", PASSED)],
    ),
    (
        "the latest records",
        |conn| statuses(conn, by(CompletionRule::LatestVerified)),
        &[("liveness_checks_of_user (self_service_user_id=?)", OF_USER)],
    ),
    (
        "the newest records",
        |conn| dating::newest(conn, &[1, 2]).map(drop),
        &[
            ("liveness_checks_of_user (self_service_user_id=?)", OF_USER),
            ("liveness_checks USING INTEGER PRIMARY KEY", OF_USER),
            SUBSCRIPTION,
        ],
    ),
    (
        "who listens to events",
        |conn| audience::active(conn).map(drop),
        &[LISTENERS],
    ),
    (
        "a subscription to events",
        |conn| registering::find(conn, "7").map(drop),
        &[SUBSCRIPTION],
    ),
    (
        "events that are due",
        |conn| due::longest_due(conn, "7", &[3], 16, 19_000).map(drop),
        &[(
            "liveness_events_due (subscription=? AND next_at<?)",
            "liveness_events_due",
        )],
    ),
    (
        "the first events of users",
        |conn| due::firsts(conn, "7", &[1, 2]).map(drop),
        &[
            (
                "liveness_events_of_user (subscription=? AND self_service_user_id=?)",
                "liveness_events_of_user",
            ),
            ("liveness_events USING INTEGER PRIMARY KEY", "liveness_events_of_user"),
        ],
    ),
    (
        "events that were taken",
        |conn| ending::delete(conn, &[(1, 1), (2, 2)]),
        &[EVENT],
    ),
    (
        "events that wait for another of their user",
        |conn| ending::put_off(conn, "7", 1, 1),
        &[(
            "liveness_events_of_user (subscription=? AND self_service_user_id=?)",
            "liveness_events_of_user",
        )],
    ),
    (
        "a page of events",
        |conn| events::list(conn, 10_000, 100).map(drop),
        &[EVENT],
    ),
    (
        "events that were set aside",
        |conn| events::list_set_aside(conn, "7", 1, 100).map(drop),
        &[(
            "liveness_events_of_subscription (subscription=? AND is_dead=? AND id>?)",
            "liveness_events_of_subscription",
        )],
    ),
    (
        "an event that is resent",
        |conn| events::resend(conn, 1, 1).map(drop),
        &[EVENT],
    ),
    (
        "how many events there are",
        |conn| {
            conn.execute(A_SUBSCRIPTION)?;
            events::count(conn, 1).map(drop)
        },
        &[
            LISTENERS,
            (
                "liveness_events_of_subscription (subscription=? AND is_dead=?)",
                "liveness_events_of_subscription",
            ),
        ],
    ),
    (
        "events of a subscription that ends",
        |conn| registering::next_events(conn, "7", 100).map(drop),
        &[(
            "liveness_events_of_subscription (subscription=?)",
            "liveness_events_of_subscription",
        )],
    ),
    (
        "a page of all",
        |conn| page(conn, None, None, None),
        &[TOTAL, ("liveness_checks_by_time", "liveness_checks_by_time")],
    ),
    (
        "a user's page",
        |conn| page(conn, Some(1), None, None),
        &[(OF_USER, OF_USER)],
    ),
    (
        "a pre-registration's page",
        |conn| page(conn, None, Some(1), None),
        &[TOTAL, (PRE_REGISTERED, PRE_REGISTERED)],
    ),
    (
        "a session's page",
        |conn| page(conn, None, None, Some("s")),
        &[SESSION, (OF_USER, OF_USER)],
    ),
    (
        "by user and pre-registration",
        |conn| page(conn, Some(1), Some(1), None),
        &[OF_BOTH],
    ),
    (
        "by user and session",
        |conn| page(conn, Some(1), None, Some("s")),
        &[SESSION, (OF_USER, OF_USER)],
    ),
    (
        "by pre-registration and session",
        |conn| page(conn, None, Some(1), Some("s")),
        &[SESSION, (OF_USER, OF_USER)],
    ),
    (
        "a page of a span",
        |conn| listed(conn, &in_span(filter(None, None, None))),
        &[("liveness_checks_by_time (created_at>? AND created_at<?)", BY_TIME)],
    ),
    (
        "a page of successes with a face, in a span",
        |conn| {
            listed(
                conn,
                &outcome(Some(true), Some(true), in_span(filter(None, None, None))),
            )
        },
        &[("liveness_checks_by_time (created_at>? AND created_at<?)", BY_TIME)],
    ),
    (
        "a page of failures",
        |conn| listed(conn, &outcome(Some(false), None, filter(None, None, None))),
        &[TOTAL, (FAILED, FAILED)],
    ),
    (
        "a page of failures with a face, in a span",
        |conn| {
            listed(
                conn,
                &outcome(Some(false), Some(true), in_span(filter(None, None, None))),
            )
        },
        &[("liveness_checks_failed (created_at>? AND created_at<?)", FAILED)],
    ),
    (
        "a page of successes without a face",
        |conn| listed(conn, &outcome(Some(true), Some(false), filter(None, None, None))),
        &[TOTAL, (FACELESS, FACELESS)],
    ),
    (
        "a page of records without a face, in a span",
        |conn| listed(conn, &outcome(None, Some(false), in_span(filter(None, None, None)))),
        &[("liveness_checks_faceless (created_at>? AND created_at<?)", FACELESS)],
    ),
    (
        "a page of successes",
        |conn| listed(conn, &outcome(Some(true), None, filter(None, None, None))),
        &[TOTAL, (BY_TIME, BY_TIME)],
    ),
    (
        "a user's page of failures without a face",
        |conn| listed(conn, &outcome(Some(false), Some(false), filter(Some(1), None, None))),
        &[(OF_USER, OF_USER)],
    ),
    (
        "a user's page of failures, in a span",
        |conn| listed(conn, &outcome(Some(false), None, in_span(filter(Some(1), None, None)))),
        &[(OF_USER, OF_USER)],
    ),
    (
        "a pre-registration's page of failures",
        |conn| listed(conn, &outcome(Some(false), None, filter(None, Some(1), None))),
        &[TOTAL, (PRE_REGISTERED, PRE_REGISTERED)],
    ),
    (
        "a pre-registration's page of failures with a face, in a span",
        |conn| {
            listed(
                conn,
                &outcome(Some(false), Some(true), in_span(filter(None, Some(1), None))),
            )
        },
        &[(PRE_REGISTERED, PRE_REGISTERED)],
    ),
    (
        "a session's page of failures, in a span",
        |conn| {
            listed(
                conn,
                &outcome(Some(false), None, in_span(filter(None, None, Some("s")))),
            )
        },
        &[SESSION, (OF_USER, OF_USER)],
    ),
    (
        "a step of failures",
        |conn| stepped(conn, &outcome(Some(false), None, in_span(filter(None, None, None)))),
        &[("liveness_checks_failed (created_at>? AND created_at<?)", FAILED)],
    ),
    (
        "a step of a pre-registration's failures without a face",
        |conn| {
            stepped(
                conn,
                &outcome(Some(false), Some(false), in_span(filter(None, Some(1), None))),
            )
        },
        &[(PRE_REGISTERED, PRE_REGISTERED)],
    ),
    (
        "a page of records to review",
        |conn| listed(conn, &judged(Some(VerdictOutcome::Review), None)),
        &[TOTAL, JUDGED],
    ),
    (
        "a page of records to review, in a span",
        |conn| listed(conn, &in_span(judged(Some(VerdictOutcome::Review), None))),
        &[JUDGED],
    ),
    (
        "the queue, oldest first",
        |conn| {
            in_order(
                conn,
                &judged(Some(VerdictOutcome::Review), Some(DecisionFilter::Undecided)),
                Order::OldestFirst,
            )
        },
        &[TOTAL, UNDECIDED],
    ),
    (
        "the queue of a span",
        |conn| {
            listed(
                conn,
                &in_span(judged(Some(VerdictOutcome::Rejected), Some(DecisionFilter::Undecided))),
            )
        },
        &[UNDECIDED],
    ),
    (
        "a page of approved records",
        |conn| listed(conn, &judged(None, Some(DecisionFilter::Is(Decision::Approve)))),
        &[TOTAL, DECIDED],
    ),
    (
        "a page of approved records that were rejected, in a span",
        |conn| {
            let approved = Some(DecisionFilter::Is(Decision::Approve));
            listed(conn, &in_span(judged(Some(VerdictOutcome::Rejected), approved)))
        },
        &[DECIDED],
    ),
    (
        "a page of accepted records",
        |conn| listed(conn, &judged(Some(VerdictOutcome::Accepted), None)),
        &[TOTAL, (BY_TIME, BY_TIME)],
    ),
    (
        "a page of undecided records, oldest first",
        |conn| in_order(conn, &judged(None, Some(DecisionFilter::Undecided)), Order::OldestFirst),
        &[TOTAL, (BY_TIME, BY_TIME)],
    ),
    (
        "a user's page of records to review",
        |conn| {
            let of_user = CheckFilter {
                self_service_user_id: Some(1),
                ..judged(Some(VerdictOutcome::Review), Some(DecisionFilter::Undecided))
            };
            listed(conn, &of_user)
        },
        &[(OF_USER, OF_USER)],
    ),
    (
        "a pre-registration's page of records to review, oldest first",
        |conn| {
            let of_campaign = CheckFilter {
                pre_registration_id: Some(1),
                ..judged(Some(VerdictOutcome::Review), Some(DecisionFilter::Undecided))
            };
            in_order(conn, &of_campaign, Order::OldestFirst)
        },
        &[TOTAL, (PRE_REGISTERED, PRE_REGISTERED)],
    ),
    (
        "a step of records to review",
        |conn| stepped(conn, &in_span(judged(Some(VerdictOutcome::Review), None))),
        &[JUDGED],
    ),
    (
        "a step of the queue",
        |conn| {
            stepped(
                conn,
                &in_span(judged(Some(VerdictOutcome::Review), Some(DecisionFilter::Undecided))),
            )
        },
        &[UNDECIDED],
    ),
    (
        "a step of approved records",
        |conn| {
            stepped(
                conn,
                &in_span(judged(None, Some(DecisionFilter::Is(Decision::Approve)))),
            )
        },
        &[DECIDED],
    ),
    (
        "the decisions about records",
        |conn| decisions::rows_of(conn, &[1, 2]).map(drop),
        &[("liveness_decisions USING PRIMARY KEY", "liveness_decisions_pkey")],
    ),
    (
        "an idempotency key",
        |conn| find::under_keys(conn, &["1 c k".into()]).map(drop),
        &[(
            "liveness_checks_idempotency_key (idempotency_key=?)",
            "liveness_checks_idempotency_key",
        )],
    ),
    (
        "idempotency keys",
        |conn| find::under_keys(conn, &["1 c k".into(), "1 c l".into()]).map(drop),
        &[(
            "liveness_checks_idempotency_key (idempotency_key=?)",
            "liveness_checks_idempotency_key",
        )],
    ),
    (
        "a record by its id",
        |conn| find::with_details(conn, 1).map(drop),
        &[CHECK],
    ),
    (
        "a face",
        |conn| faces::get(conn, 1, 1).map(drop),
        &[("liveness_images USING INTEGER PRIMARY KEY", "liveness_images_pkey")],
    ),
    (
        "whether a face is in an object",
        |conn| faces::any_is_in_object(conn).map(drop),
        &[("liveness_images_object", "liveness_images_object")],
    ),
    (
        "which objects hold a face",
        |conn| faces::in_objects(conn, &["a".into(), "b".into()]).map(drop),
        &[("liveness_images_object (object_name=?)", "liveness_images_object")],
    ),
    ("a user", |conn| users::find(conn, &[1]).map(drop), &[USER]),
    ("users", |conn| users::find(conn, &[1, 2, 3]).map(drop), &[USER]),
    (
        "a user by UserId",
        |conn| users::find_by_user_ids(conn, &["USR-00000001".into()]).map(drop),
        &[USER_ID],
    ),
    (
        "users by UserId",
        |conn| users::find_by_user_ids(conn, &["USR-00000001".into(), "USR-00000002".into()]).map(drop),
        &[USER_ID],
    ),
    // SQLite scans the table in its own order and stops at the limit.
    (
        "the newest audit entries",
        |conn| entries::newest(conn, 10).map(drop),
        &[(
            "SCAN liveness_audit_entries",
            "Backward using liveness_audit_entries_pkey",
        )],
    ),
    (
        "entries between two times",
        |conn| entries_of(conn, TrailFilter::default()),
        &[
            ENTRY,
            (
                "liveness_audit_entries_by_time (at>? AND at<?)",
                "liveness_audit_entries_by_time",
            ),
        ],
    ),
    (
        "entries of a user",
        |conn| entries_of(conn, of_a_user()),
        &[ENTRY, ENTRIES_OF_USER],
    ),
    (
        "entries of a user by sender and message",
        |conn| {
            entries_of(
                conn,
                TrailFilter {
                    principal: Some("p".into()),
                    message: Some("m".into()),
                    ..of_a_user()
                },
            )
        },
        &[ENTRY, ENTRIES_OF_USER],
    ),
    (
        "entries of a sender",
        |conn| entries_of(conn, of_a_sender()),
        &[ENTRY, ENTRIES_OF_SENDER],
    ),
    (
        "entries of a sender who may be a user",
        |conn| {
            entries_of(
                conn,
                TrailFilter {
                    principal: Some("1".into()),
                    ..TrailFilter::default()
                },
            )
        },
        &[ENTRY, ENTRIES_OF_USER, ENTRIES_OF_SENDER],
    ),
    (
        "entries of a sender by message",
        |conn| {
            entries_of(
                conn,
                TrailFilter {
                    message: Some("m".into()),
                    ..of_a_sender()
                },
            )
        },
        &[ENTRY, ENTRIES_OF_SENDER],
    ),
    (
        "entries of a message",
        |conn| {
            entries_of(
                conn,
                TrailFilter {
                    message: Some("m".into()),
                    ..TrailFilter::default()
                },
            )
        },
        &[
            ENTRY,
            (
                "liveness_audit_entries_of_message ((message,at)>(?,?) AND (message,at)<(?,?))",
                "liveness_audit_entries_of_message",
            ),
        ],
    ),
    (
        "entries that tell of a record",
        |conn| {
            entries_of(
                conn,
                TrailFilter {
                    liveness_check_id: Some(1),
                    principal: Some("p".into()),
                    message: Some("m".into()),
                    ..of_a_user()
                },
            )
        },
        &[
            ENTRY,
            (
                "liveness_audit_entries_of_check (liveness_check_id=?)",
                "liveness_audit_entries_of_check",
            ),
            (
                "liveness_audit_lists USING PRIMARY KEY (bucket=?)",
                "liveness_audit_lists_pkey",
            ),
            (
                "liveness_audit_entries_written (writer=? AND writer_count=?)",
                "liveness_audit_entries_written",
            ),
        ],
    ),
    (
        "looks at faces",
        |conn| looks::of(conn, 1, &[1, 2], &["m"]).map(drop),
        &[(
            "liveness_audit_entries_of_check (liveness_check_id=?)",
            "liveness_audit_entries_of_check",
        )],
    ),
    (
        "how many faces a principal has looked at",
        |conn| look_limit::newest(conn, &a_look()).map(drop),
        &[(
            "liveness_audit_entries_of_looks (principal=? AND at>?)",
            "liveness_audit_entries_of_looks",
        )],
    ),
    (
        "the next records of a user to erase",
        |conn| next_rows::next_records(conn, 1, (1, 1), 16).map(drop),
        &[(OF_USER, OF_USER)],
    ),
    (
        "the oldest faces",
        |conn| next_rows::old_faces(conn, true, 9, (1, 1)).map(drop),
        &[("liveness_checks_faces (", "liveness_checks_faces")],
    ),
    (
        "which users are under a hold",
        |conn| erasure_rows::held(conn, &[1, 2]).map(drop),
        &[("liveness_legal_holds USING PRIMARY KEY", "liveness_legal_holds_pkey")],
    ),
    (
        "issued sessions",
        |conn| issued_sessions::find(conn, (vec![1, 2], vec!["a".into(), "b".into()])).map(drop),
        &[ISSUED],
    ),
    (
        "sessions that are used up",
        |conn| {
            conn.execute(AN_ISSUED_SESSION)?;
            issued_sessions::use_up(conn, [(1, "a", 1)].into_iter())
        },
        &[ISSUED],
    ),
    (
        "the sessions of a user to erase",
        |conn| issued_sessions::erase(conn, 1),
        &[ISSUED],
    ),
    (
        "the next unused sessions",
        |conn| unused::next(conn, 1, 19_000).map(drop),
        &[UNUSED],
    ),
    (
        "unused sessions to sweep",
        |conn| unused::delete(conn, 1, 2).map(drop),
        &[UNUSED],
    ),
    (
        "when a job is due next by its own time",
        |conn| leases::next_due(conn, KIND).map(drop),
        &[("liveness_jobs_takeable (kind=?)", "liveness_jobs_takeable")],
    ),
    (
        "the next entries of a user to erase",
        |conn| next_rows::entries_of_user(conn, 1, (1, 1)).map(drop),
        &[("liveness_audit_entries_of_user", "liveness_audit_entries_of_user")],
    ),
    (
        "the next entries of a sender to erase",
        |conn| next_rows::entries_of_sender(conn, "1", (1, 1)).map(drop),
        &[("liveness_audit_entries_by_others", "liveness_audit_entries_by_others")],
    ),
    (
        "the entries that bind a record",
        |conn| log_rows::binding(conn, 1).map(drop),
        &[ENTRIES_OF_CHECK],
    ),
    (
        "the entry at a place",
        |conn| log_rows::at_place(conn, b"w", 1).map(drop),
        &[("liveness_audit_entries_written", "liveness_audit_entries_written")],
    ),
    (
        "the erasure of a face",
        |conn| erasure_rows::face(conn, 1).map(drop),
        &[(
            "liveness_face_erasures USING PRIMARY KEY",
            "liveness_face_erasures_pkey",
        )],
    ),
    (
        "the erasures of faces",
        |conn| erasure_rows::faces(conn, &[1, 2]).map(drop),
        &[(
            "liveness_face_erasures USING PRIMARY KEY",
            "liveness_face_erasures_pkey",
        )],
    ),
    (
        "the erasure of a user",
        |conn| erasure_rows::user(conn, 1).map(drop),
        &[(
            "liveness_user_erasures USING PRIMARY KEY",
            "liveness_user_erasures_pkey",
        )],
    ),
    (
        "the erasures of entries",
        |conn| erasure_rows::entries(conn, &[1, 2]).map(drop),
        &[(
            "liveness_entry_erasures USING PRIMARY KEY",
            "liveness_entry_erasures_pkey",
        )],
    ),
    (
        "a legal hold",
        |conn| erasure_rows::held_since(conn, 1).map(drop),
        &[("liveness_legal_holds USING PRIMARY KEY", "liveness_legal_holds_pkey")],
    ),
    (
        "the new entries of a writer",
        |conn| log_rows::new_entries(conn, b"w", 1, 9).map(drop),
        &[(
            "liveness_audit_entries_written (writer=? AND writer_count>?)",
            "liveness_audit_entries_written",
        )],
    ),
    (
        "the run of an entry",
        |conn| log::run_of(conn, b"w", 1).map(drop),
        &[(
            "liveness_trail_runs_of_writer (writer=? AND first_count<?)",
            "liveness_trail_runs_of_writer",
        )],
    ),
    (
        "the writers whose entries are looked for",
        |conn| log::open_writers(conn).map(drop),
        &[("liveness_trail_writers_open", "liveness_trail_writers_open")],
    ),
    (
        "the face of a key",
        |conn| faces::used_keys(conn, &[FaceKeyId::least()]).map(drop),
        &[(
            "liveness_images_sealed_key (sealed_key_id=?)",
            "liveness_images_sealed_key",
        )],
    ),
    (
        "a job that is due",
        // None is due before 0.
        |conn| leases::take(conn, KIND, [0; 16], -1, 1).map(drop),
        &[(
            "liveness_jobs_takeable (kind=? AND takeable_at<?)",
            "liveness_jobs_takeable",
        )],
    ),
    (
        "when a job is due next",
        |conn| leases::next(conn, KIND).map(drop),
        &[("liveness_jobs_takeable (kind=?)", "liveness_jobs_takeable")],
    ),
    (
        "how many jobs there are",
        |conn| operating::count(conn, &[KIND], 0).map(drop),
        &[
            ("liveness_jobs_takeable (kind=?)", "liveness_jobs_takeable"),
            ("liveness_jobs_dead (kind=?)", "liveness_jobs_dead"),
        ],
    ),
    (
        "a page of jobs",
        |conn| operating::list(conn, 10_000, 100, 0).map(drop),
        &[("liveness_jobs USING INTEGER PRIMARY KEY", "liveness_jobs_pkey")],
    ),
    (
        "jobs that were given up",
        |conn| operating::dead(conn, 100).map(drop),
        &[("liveness_jobs_dead", "liveness_jobs_dead")],
    ),
    (
        "jobs of a key that were given up",
        |conn| leases::delete_dead(conn, "7", "none"),
        &[("liveness_jobs_dead (kind=?)", "liveness_jobs_dead")],
    ),
    (
        "a periodic job that ends",
        |conn| adding::end_periodic(conn, KIND),
        &[("liveness_jobs_of_key (kind=? AND key=?)", "liveness_jobs_of_key")],
    ),
    (
        "what users have failed",
        |conn| attempts::of_users(conn, &[1, 2]).map(drop),
        &[ATTEMPTS],
    ),
    (
        "the failures of a user who is unlocked",
        |conn| attempts::pardon(conn, 1),
        &[ATTEMPTS],
    ),
    (
        "the failures of a user who is erased",
        |conn| attempts::forget(conn, 1),
        &[ATTEMPTS],
    ),
    (
        "the job of a key",
        |conn| operating::of_key(conn, "7", "7").map(drop),
        &[("liveness_jobs_of_key (kind=? AND key=?)", "liveness_jobs_of_key")],
    ),
];

const ATTEMPTS: (&str, &str) = ("liveness_attempts USING PRIMARY KEY", "liveness_attempts_pkey");

const KIND: JobKind = JobKind::new("7");

const SUBSCRIPTION: (&str, &str) = (
    "liveness_event_subscriptions USING PRIMARY KEY",
    "liveness_event_subscriptions_pkey",
);
/// All subscriptions are read, which are few.
const LISTENERS: (&str, &str) = ("SCAN liveness_event_subscriptions", "liveness_event_subscriptions");
const EVENT: (&str, &str) = ("liveness_events USING INTEGER PRIMARY KEY", "liveness_events_pkey");
/// Adds a subscription, unless it is there.
const A_SUBSCRIPTION: &str =
    "INSERT INTO liveness_event_subscriptions VALUES ('7', '', 1, 0, FALSE, NULL) ON CONFLICT DO NOTHING";

const ISSUED: (&str, &str) = (
    "liveness_issued_sessions USING PRIMARY KEY (self_service_user_id=?",
    "liveness_issued_sessions_pkey",
);
const UNUSED: (&str, &str) = (
    "liveness_issued_sessions_unused (expires_at>? AND expires_at<?)",
    "liveness_issued_sessions_unused",
);
/// Adds a session, unless it is there.
const AN_ISSUED_SESSION: &str =
    "INSERT INTO liveness_issued_sessions VALUES (1, 'a', '[]', 1, 1, NULL) ON CONFLICT DO NOTHING";

const ENTRIES_OF_CHECK: (&str, &str) = ("liveness_audit_entries_of_check", "liveness_audit_entries_of_check");
/// An entry by its id: the one before which a page begins, and those that a record led to.
const ENTRY: (&str, &str) = (
    "liveness_audit_entries USING INTEGER PRIMARY KEY",
    "liveness_audit_entries_pkey",
);
const ENTRIES_OF_USER: (&str, &str) = (
    "liveness_audit_entries_of_user ((self_service_user_id,at)>(?,?) AND (self_service_user_id,at)<(?,?))",
    "liveness_audit_entries_of_user",
);
const ENTRIES_OF_SENDER: (&str, &str) = (
    "liveness_audit_entries_by_others ((principal,at)>(?,?) AND (principal,at)<(?,?))",
    "liveness_audit_entries_by_others",
);

fn of_a_user() -> TrailFilter {
    TrailFilter {
        self_service_user_id: Some(1),
        ..TrailFilter::default()
    }
}

fn of_a_sender() -> TrailFilter {
    TrailFilter {
        principal: Some("p".into()),
        ..TrailFilter::default()
    }
}

/// Reads a page in the middle of the entries that match, from behind the entry 1.
fn entries_of(conn: &mut Connection<'_>, filter: TrailFilter) -> Result<(), StoreError> {
    conn.execute(AN_ENTRY)?;
    let filter = TrailFilter {
        from: Timestamp::from_unix_millis(1),
        to: Timestamp::from_unix_millis(19_000),
        ..filter
    };
    let page = TrailPageRequest {
        before: Some(1),
        skip: 1,
        size: 20,
    };
    let found = trail::search(conn, &filter, page)?;
    assert!(found.is_some(), "there is an entry 1");
    Ok(())
}

fn a_look() -> LimitedLook {
    let entry = AuditEntry {
        at: Timestamp::from_unix_millis(19_000).unwrap(),
        request_id: String::new(),
        principal: "p".into(),
        issuer: Some("i".into()),
        actor: None,
        roles: String::new(),
        self_service_user_id: None,
        message: "m".into(),
        outcome: "00".into(),
        client_address: None,
        subject: AuditSubject::default(),
    };
    let limit = LookLimit {
        faces_a_day: 500,
        messages: &["m", "n"],
    };
    LimitedLook::new(entry, limit)
}

/// Adds an entry, unless it is there.
const AN_ENTRY: &str = "INSERT INTO liveness_audit_entries (id, at, request_id, principal, roles, message, outcome) \
    VALUES (1, 1, '', '', '', '', '') ON CONFLICT DO NOTHING";

/// Adds the session by which lists and exports are filtered.
const A_SESSION: &str = "INSERT INTO liveness_sessions VALUES ('s', 1, 5000, 15000)";

/// The steps of SQLite's plans that do not search a table.
const NO_SEARCHES: [&str; 8] = [
    "SCAN CONSTANT ROW",
    "SCALAR SUBQUERY",
    "CORRELATED SCALAR SUBQUERY",
    "LIST SUBQUERY",
    "SCAN json_each",
    "CREATE BLOOM FILTER",
    // What a search has found is counted.
    "CO-ROUTINE counted",
    "SCAN counted",
];

#[test]
fn every_search_goes_by_an_index_on_sqlite() {
    let mut sqlite = SqliteConnection::establish(":memory:").unwrap();
    migrations::run(
        &mut (&mut sqlite).into(),
        &PostgresSettings::default(),
        &SHARDING,
        || None,
    )
    .unwrap();
    Connection::from(&mut sqlite).execute(A_SESSION).unwrap();
    for (name, operation, expected) in CASES {
        let mut is_used = vec![false; expected.len()];
        for search in searches(&mut (&mut sqlite).into(), operation) {
            let explained = sql::<(Integer, Integer, Integer, Text)>(&format!("EXPLAIN QUERY PLAN {search}"));
            let steps: Vec<(i32, i32, i32, String)> = explained.load(&mut sqlite).unwrap();
            let steps: Vec<_> = steps.into_iter().map(|(.., detail)| detail).collect();
            for step in &steps {
                let index = expected.iter().position(|(index, _)| step.contains(index));
                // A step that sorts the rows matches neither, and fails the test.
                let is_no_search = NO_SEARCHES.iter().any(|begin| step.starts_with(begin));
                assert!(index.is_some() || is_no_search, "{name}: {search}: {steps:?}");
                index.inspect(|index| is_used[*index] = true);
            }
        }
        assert!(!is_used.contains(&false), "{name}: {is_used:?}");
    }
}

/// Adds enough rows to make an index worth its cost: 20,000 records of 5,000 users.
const ROWS: &str = "
    INSERT INTO liveness_users (id, user_id, created_at) SELECT n, 'USR-' || n, 0 FROM generate_series(1, 5000) n;
    INSERT INTO liveness_sessions SELECT 's' || n, n % 5000 + 1, n FROM generate_series(1, 20000) n;
    INSERT INTO liveness_checks (self_service_user_id, pre_registration_id, session_id, is_successful, passed, has_image,
            created_at, idempotency_key, verdict, decision)
        SELECT n % 5000 + 1, n % 1000 + 1, 's' || n, n % 50 > 0, n % 3 > 0, n % 20 > 0, n, n::text,
            CASE n % 40 WHEN 1 THEN 1 WHEN 2 THEN 2 ELSE 0 END, CASE WHEN n % 80 IN (1, 2) THEN n % 3 END
        FROM generate_series(1, 20000) n;
    INSERT INTO liveness_decisions SELECT n, 1, n % 5000 + 1, 0, '', '', '', n, true, '\\x01', n FROM generate_series(1, 20000) n;
    INSERT INTO liveness_images SELECT n, 'image/jpeg', '\\xffd8ff', 1, NULL, CASE WHEN n % 9 = 0 THEN md5(n::text) END FROM generate_series(1, 5000) n;
    INSERT INTO liveness_check_totals SELECT n, true, true, 0, 4, -1, -1 FROM generate_series(0, 5000) n;
    INSERT INTO liveness_audit_entries (at, request_id, principal, roles, message, outcome, self_service_user_id,
            liveness_check_id, writer, writer_count)
        SELECT n, '', (n % 100)::text, '', (n % 10)::text, '', n % 5000 + 1, n, '\\x01', n FROM generate_series(1, 20000) n;
    INSERT INTO liveness_audit_lists SELECT n / 100, '\\x01', n FROM generate_series(1, 20000) n;
    INSERT INTO liveness_trail_runs SELECT n, int4send(n % 50), n, 1 FROM generate_series(1, 20000) n;
    INSERT INTO liveness_jobs (kind, key, payload, run_at, takeable_at, attempts, is_dead, created_at)
        SELECT (n % 100)::text, n::text, 'null', n, n, 0, n % 50 < 10, n FROM generate_series(1, 20000) n;
    INSERT INTO liveness_event_subscriptions SELECT n::text, '', n, 0, n % 2000 > 0, NULL FROM generate_series(1, 20000) n;
    INSERT INTO liveness_events (subscription, self_service_user_id, event_id, event_type, data, at, attempts, next_at, is_dead)
        SELECT (n % 100)::text, n % 5000 + 1, n::text, 't', '{}', n, 0, n, n % 50 < 10 FROM generate_series(1, 20000) n;
    INSERT INTO liveness_trail_writers SELECT int4send(n), 1, 0, n > 3 FROM generate_series(1, 20000) n;
    INSERT INTO liveness_face_erasures SELECT n, n, '\\x01', true, n, '', '\\x01', n FROM generate_series(1, 20000) n;
    INSERT INTO liveness_user_erasures SELECT n, n, n, 0, 0, 0, 0 FROM generate_series(1, 20000) n;
    INSERT INTO liveness_entry_erasures SELECT n, '\\x01', n FROM generate_series(1, 20000) n;
    INSERT INTO liveness_issued_sessions SELECT n % 5000 + 1, md5(n::text), '[]', n, n, CASE WHEN n % 2 = 0 THEN n END FROM generate_series(1, 20000) n;
    INSERT INTO liveness_attempts SELECT n, 1, 1, n, n, 1, 1 FROM generate_series(1, 20000) n;
    INSERT INTO liveness_legal_holds SELECT n, n, '', '' FROM generate_series(1, 20000) n;
    ANALYZE";

/// Asks PostgreSQL for the generic plan of a statement, which serves all values.
fn generic_plan(postgres: &mut PgConnection, search: &str) -> Vec<String> {
    let values = (1..=20).filter(|number| search.contains(&format!("${number}"))).count();
    let nulls = vec!["NULL"; values].join(", ");
    let execute = if values == 0 {
        "searched".to_owned()
    } else {
        format!("searched({nulls})")
    };
    let conn: &mut Connection<'_> = &mut postgres.into();
    conn.execute(&format!(
        "SET plan_cache_mode = force_generic_plan; PREPARE searched AS {search}"
    ))
    .unwrap();
    let Connection::Postgres(postgres) = conn else {
        unreachable!()
    };
    let steps = sql::<Text>(&format!("EXPLAIN (COSTS OFF) EXECUTE {execute}"))
        .load(*postgres)
        .unwrap();
    conn.execute("DEALLOCATE searched").unwrap();
    steps
}

#[test]
#[ignore = "needs PostgreSQL: .ci/test"]
fn every_search_goes_by_an_index_on_postgres() {
    let database = cluster::TestDatabase::create();
    let mut postgres = PgConnection::establish(&database.url()).unwrap();
    migrations::run(
        &mut (&mut postgres).into(),
        &PostgresSettings::default(),
        &SHARDING,
        || None,
    )
    .unwrap();
    let mut postgres = PgConnection::establish(&database.url()).unwrap();
    Connection::from(&mut postgres).execute(A_SESSION).unwrap();
    Connection::from(&mut postgres).execute(ROWS).unwrap();
    for (name, operation, expected) in CASES {
        let mut is_used = vec![false; expected.len()];
        for search in searches(&mut (&mut postgres).into(), operation) {
            let steps = generic_plan(&mut postgres, &search);
            let mut is_found = false;
            for (is_used, (_, index)) in is_used.iter_mut().zip(*expected) {
                if steps.iter().any(|step| step.contains(index)) {
                    (*is_used, is_found) = (true, true);
                }
            }
            // A sort is allowed for few records: those that two filters leave of a user's, and those that people decided about.
            let is_of_few = expected.contains(&OF_BOTH) || expected.contains(&DECIDED) || OF_FEW.contains(name);
            let is_slow = |step: &String| step.contains("Seq Scan") || step.contains("Sort") && !is_of_few;
            assert!(is_found && !steps.iter().any(is_slow), "{name}: {search}: {steps:#?}");
        }
        assert!(!is_used.contains(&false), "{name}: {is_used:?}");
    }
}
