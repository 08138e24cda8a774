//! Lists of records: one page, and the number of records on all pages.

use diesel::prelude::*;

use super::count::Total;
use super::filter::{CheckFilter, Conditions, part_of_index, with_outcome};
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
    /// The records of the page, newest first.
    pub items: Vec<LivenessCheck>,
    /// The number of records on all pages.
    pub total: i64,
}

/// The query for the matching records, newest first, on either engine.
///
/// Each condition is a range with one value, and the column of the narrowest condition leads the order. So exactly one
/// index has that order, whatever the engine's statistics are. Otherwise, to find a few records, an engine might read
/// the newest records of all users, or sort all records of a campaign.
macro_rules! matching {
    ($conditions:expr, $is_citus:expr) => {{
        let Conditions {
            pre_registration_id,
            self_service_user_id,
            session_id,
            span,
            ..
        } = *$conditions;
        let query = dsl::liveness_checks.into_boxed();
        let mut query = match (self_service_user_id, pre_registration_id, span) {
            (Some(user), _, Some((from, to))) if session_id.is_some() => query
                .filter(dsl::self_service_user_id.eq(user))
                .filter(dsl::created_at.ge(from))
                .filter(dsl::created_at.lt(to)),
            (Some(user), _, Some((from, to))) => part_of_index!(query, self_service_user_id = user, from, to),
            (Some(user), _, None) => query.filter(dsl::self_service_user_id.between(user, user)),
            (None, Some(id), Some((from, to))) => {
                part_of_index!(query, pre_registration_id = id, from, to).filter(dsl::pre_registration_id.is_not_null())
            }
            (None, Some(id), None) => query.filter(dsl::pre_registration_id.between(id, id)),
            (None, None, Some((from, to))) => query.filter(dsl::created_at.ge(from)).filter(dsl::created_at.lt(to)),
            (None, None, None) => query,
        };
        if let Some(session_id) = session_id {
            query = query.filter(dsl::session_id.eq(session_id));
        }
        if let (true, Some(user)) = ($is_citus, self_service_user_id) {
            // With the user, Citus knows the shard.
            query = query.filter(dsl::self_service_user_id.eq(user));
        }
        if let (Some(_), Some(id)) = (self_service_user_id, pre_registration_id) {
            query = query.filter(dsl::pre_registration_id.between(id, id));
        }
        query = with_outcome!(
            query,
            $conditions,
            self_service_user_id.or(pre_registration_id).is_none()
        );
        query = match (self_service_user_id, pre_registration_id) {
            (Some(_), _) => query.order(dsl::self_service_user_id.desc()),
            (None, Some(_)) => query.order(dsl::pre_registration_id.desc()),
            (None, None) => query,
        };
        query.then_order_by((dsl::created_at.desc(), dsl::id.desc()))
    }};
}

/// A page, and the number of all records that match at the same moment.
pub(crate) fn page(
    conn: &mut Connection<'_>,
    filter: &CheckFilter,
    page: PageRequest,
) -> Result<CheckPage, StoreError> {
    match filter.resolve(conn)? {
        Some(conditions) => of(conn, &conditions, page),
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
) -> Result<CheckPage, StoreError> {
    if let Some(page) = filled(conn, conditions, page)? {
        return Ok(page);
    }
    conn.transaction(Purpose::Read, |conn| match filled(conn, conditions, page)? {
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
) -> Result<Option<CheckPage>, StoreError> {
    let is_citus = conn.is_citus();
    let rows: Vec<(CheckRow, i64)> = on_either!(conn, |conn| matching!(conditions, is_citus)
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
