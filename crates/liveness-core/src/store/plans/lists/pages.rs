//! Pages of lists, by users, sessions, campaigns, spans and outcomes.

use super::{filter, in_span, listed, outcome, page};
use crate::store::plans::Case;
use crate::store::plans::indexes::{BY_TIME, FACELESS, FAILED, OF_BOTH, OF_USER, PRE_REGISTERED, SESSION, TOTAL};

pub(in crate::store::plans) const CASES: &[Case] = &[
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
];
