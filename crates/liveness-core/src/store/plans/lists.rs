//! What lists and exports of records ask.

pub(super) mod judged;
pub(super) mod pages;
pub(super) mod steps;

use crate::Timestamp;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::tables::checks::filter::{CheckFilter, DecisionFilter};
use crate::store::tables::checks::page::{self, Order, PageRequest};
use crate::store::tables::checks::span;
use crate::verdict::VerdictOutcome;

pub(super) fn filter(
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
pub(super) fn in_span(filter: CheckFilter) -> CheckFilter {
    CheckFilter {
        from: Timestamp::from_unix_millis(1),
        to: Timestamp::from_unix_millis(19_000),
        ..filter
    }
}

/// The filter, only with this outcome, and with or without a face.
pub(super) fn outcome(is_successful: Option<bool>, has_image: Option<bool>, filter: CheckFilter) -> CheckFilter {
    CheckFilter {
        is_successful,
        has_image,
        ..filter
    }
}

/// Records with this verdict, and on which this was decided.
pub(super) fn judged(verdict: Option<VerdictOutcome>, decision: Option<DecisionFilter>) -> CheckFilter {
    CheckFilter {
        verdict,
        decision,
        ..CheckFilter::default()
    }
}

pub(super) fn in_order(conn: &mut Connection<'_>, filter: &CheckFilter, order: Order) -> Result<(), StoreError> {
    page::page(conn, filter, PageRequest { number: 2, size: 20 }, order).map(drop)
}

pub(super) fn listed(conn: &mut Connection<'_>, filter: &CheckFilter) -> Result<(), StoreError> {
    in_order(conn, filter, Order::NewestFirst)
}

pub(super) fn page(
    conn: &mut Connection<'_>,
    self_service_user_id: Option<i64>,
    pre_registration_id: Option<i64>,
    session_id: Option<&str>,
) -> Result<(), StoreError> {
    listed(conn, &filter(self_service_user_id, pre_registration_id, session_id))
}

/// Reads one step in the middle of an export.
pub(super) fn stepped(conn: &mut Connection<'_>, filter: &CheckFilter) -> Result<(), StoreError> {
    let after = Timestamp::from_unix_millis(10_000).map(|at| (at, 10_000));
    span::after(conn, filter, after, 200).map(drop)
}

pub(super) fn step(
    conn: &mut Connection<'_>,
    self_service_user_id: Option<i64>,
    pre_registration_id: Option<i64>,
    session_id: Option<&str>,
) -> Result<(), StoreError> {
    let filter = filter(self_service_user_id, pre_registration_id, session_id);
    stepped(conn, &in_span(filter))
}
