//! Lists of records: one page, and the number of records on all pages.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer};

use super::count::Total;
use super::filter::{CheckFilter, Conditions, Lead, part_of_index, with_outcome};
use super::row::CheckRow;
use crate::LivenessCheck;
use crate::store::engine::connection::{Connection, Purpose, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_checks::dsl;

/// The number and the size of a page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// The number of the page, from 1.
    pub number: i64,
    /// The most records on a page.
    pub size: i64,
}

/// One page of a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CheckPage {
    /// The records of the page, in the order that was asked for.
    pub items: Vec<LivenessCheck>,
    /// The number of records on all pages.
    pub total: i64,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    NewestFirst,
    OldestFirst,
}

/// Orders a query by columns, all of them in the direction of the list.
macro_rules! ordered {
    ($query:expr, $order:expr, ($($column:ident),*)) => {
        match $order {
            Order::NewestFirst => $query.order(($(dsl::$column.desc(),)*)),
            Order::OldestFirst => $query.order(($(dsl::$column.asc(),)*)),
        }
    };
}

/// Keeps the records with one value in the first column of an index, of all times or of a span.
macro_rules! led_by {
    ($query:expr, $column:ident: $type:ty = $value:expr, $span:expr) => {
        match $span {
            Some((from, to)) => part_of_index!($query, $column: $type = $value, from, to),
            None => $query.filter(dsl::$column.between($value, $value)),
        }
    };
}

/// The query for the matching records in an order, on either engine.
///
/// Each condition is a range with one value, and the column of the narrowest condition leads the order. So exactly one
/// index has that order, whatever the engine's statistics are. Otherwise, to find a few records, an engine might read
/// the newest records of all users, or sort all records of a campaign.
macro_rules! matching {
    ($conditions:expr, $order:expr, $is_citus:expr) => {{
        let conditions = $conditions;
        let Conditions {
            pre_registration_id,
            session_id,
            span,
            ..
        } = *conditions;
        let query = dsl::liveness_checks.into_boxed();
        let mut query = match (conditions.lead(), span) {
            (Lead::User(user), Some((from, to))) if session_id.is_some() => query
                .filter(dsl::self_service_user_id.eq(user))
                .filter(dsl::created_at.ge(from))
                .filter(dsl::created_at.lt(to)),
            (Lead::User(user), span) => led_by!(query, self_service_user_id: BigInt = user, span),
            (Lead::PreRegistration(id), span) => led_by!(query, pre_registration_id: BigInt = id, span)
                .filter(dsl::pre_registration_id.is_not_null()),
            // The texts are those of the partial indexes.
            (Lead::Decided(decision), span) => {
                led_by!(query, decision: Integer = decision, span).filter(dsl::decision.is_not_null())
            }
            (Lead::Undecided(verdict), span) => {
                led_by!(query, verdict: Integer = verdict, span).filter(sql::<Bool>("verdict <> 0 AND decision IS NULL"))
            }
            (Lead::Judged(verdict), span) => {
                led_by!(query, verdict: Integer = verdict, span).filter(sql::<Bool>("verdict + 0 > 0"))
            }
            (Lead::Time, Some((from, to))) => query.filter(dsl::created_at.ge(from)).filter(dsl::created_at.lt(to)),
            (Lead::Time, None) => query,
        };
        if let Some(session_id) = session_id {
            query = query.filter(dsl::session_id.eq(session_id));
        }
        if let (true, Lead::User(user)) = ($is_citus, conditions.lead()) {
            // With the user, Citus knows the shard.
            query = query.filter(dsl::self_service_user_id.eq(user));
        }
        if let (Lead::User(_), Some(id)) = (conditions.lead(), pre_registration_id) {
            query = query.filter(dsl::pre_registration_id.between(id, id));
        }
        query = with_outcome!(query, conditions);
        match conditions.lead() {
            Lead::User(_) => ordered!(query, $order, (self_service_user_id, created_at, id)),
            Lead::PreRegistration(_) => ordered!(query, $order, (pre_registration_id, created_at, id)),
            Lead::Decided(_) => ordered!(query, $order, (decision, created_at, id)),
            Lead::Undecided(_) | Lead::Judged(_) => ordered!(query, $order, (verdict, created_at, id)),
            Lead::Time => ordered!(query, $order, (created_at, id)),
        }
    }};
}

/// A page, and the number of all records that match at the same moment.
pub(crate) fn page(
    conn: &mut Connection<'_>,
    filter: &CheckFilter,
    page: PageRequest,
    order: Order,
) -> Result<CheckPage, StoreError> {
    match filter.resolve(conn)? {
        Some(conditions) => of(conn, &conditions, page, order),
        None => Ok(CheckPage {
            items: Vec::new(),
            total: 0,
        }),
    }
}

pub(crate) fn of(
    conn: &mut Connection<'_>,
    conditions: &Conditions<'_>,
    page: PageRequest,
    order: Order,
) -> Result<CheckPage, StoreError> {
    if let Some(page) = filled(conn, conditions, page, order)? {
        return Ok(page);
    }
    conn.transaction(Purpose::Read, |conn| match filled(conn, conditions, page, order)? {
        Some(page) => Ok(page),
        None => Ok(CheckPage {
            items: Vec::new(),
            total: total(conn, conditions)?,
        }),
    })
}

/// Reads a page and the total in one statement. Returns `None` if the page has no records.
fn filled(
    conn: &mut Connection<'_>,
    conditions: &Conditions<'_>,
    page: PageRequest,
    order: Order,
) -> Result<Option<CheckPage>, StoreError> {
    let is_citus = conn.is_citus();
    let rows: Vec<(CheckRow, i64)> = on_either!(conn, |conn| matching!(conditions, order, is_citus)
        .limit(page.size)
        .offset(page.number.saturating_sub(1).saturating_mul(page.size))
        .select((CheckRow::as_select(), Total(conditions)))
        .load(*conn))?;
    let Some((_, total)) = rows.first() else {
        return Ok(None);
    };
    let total = *total;
    let items = rows.into_iter().map(|(row, _)| row.try_into());
    let items = items.collect::<Result<_, _>>()?;
    Ok(Some(CheckPage { items, total }))
}

fn total(conn: &mut Connection<'_>, conditions: &Conditions<'_>) -> Result<i64, StoreError> {
    Ok(on_either!(conn, |conn| diesel::select(Total(conditions)).get_result(*conn))?)
}
