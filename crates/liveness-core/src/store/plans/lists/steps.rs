//! Steps of exports.

use super::{filter, in_span, judged, outcome, step, stepped};
use crate::Decision;
use crate::store::plans::Case;
use crate::store::plans::indexes::{DECIDED, FAILED, JUDGED, OF_USER, PRE_REGISTERED, SESSION, UNDECIDED};
use crate::store::tables::checks::filter::DecisionFilter;
use crate::verdict::VerdictOutcome;

pub(in crate::store::plans) const CASES: &[Case] = &[
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
];
