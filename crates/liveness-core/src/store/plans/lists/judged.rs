//! Pages of lists by verdict and by decision, and the queue.

use super::{in_order, in_span, judged, listed};
use crate::Decision;
use crate::store::plans::Case;
use crate::store::plans::indexes::{BY_TIME, DECIDED, JUDGED, OF_USER, PRE_REGISTERED, TOTAL, UNDECIDED};
use crate::store::tables::checks::filter::{CheckFilter, DecisionFilter};
use crate::store::tables::checks::page::Order;
use crate::verdict::VerdictOutcome;

pub(in crate::store::plans) const CASES: &[Case] = &[
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
];
