//! Lists of records: one page, and the number of records on all pages.

use diesel::backend::Backend;
use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Text};

use super::filter::{CheckFilter, Conditions};
use super::row::CheckRow;
use crate::LivenessCheck;
use crate::store::engine::connection::{Connection, Purpose, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_checks::dsl;
use crate::store::tables::totals;

/// The number and the size of a page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// The number of the page, from 1.
    pub number: i64,
    /// The most records on a page.
    pub size: i64,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
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
            session,
        } = $conditions;
        let mut query = dsl::liveness_checks.into_boxed();
        if let Some((session_id, range)) = session {
            query = query
                .filter(dsl::self_service_user_id.eq(range.self_service_user_id))
                .filter(dsl::created_at.between(range.oldest, range.newest))
                .filter(dsl::session_id.eq(*session_id));
        } else if let Some(user) = *self_service_user_id {
            query = query.filter(dsl::self_service_user_id.between(user, user));
        }
        if let (true, Some(user)) = ($is_citus, *self_service_user_id) {
            // With the user, Citus knows the shard.
            query = query.filter(dsl::self_service_user_id.eq(user));
        }
        if let Some(id) = *pre_registration_id {
            query = query.filter(dsl::pre_registration_id.between(id, id));
        }
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

/// An expression for the number of records that match. The records of one user are few, so they are counted. Numbers
/// that can be millions are read from the totals.
struct Total<'a>(&'a Conditions<'a>);

impl<DB> QueryFragment<DB> for Total<'_>
where
    DB: Backend,
    i64: ToSql<BigInt, DB>,
    str: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let Conditions {
            pre_registration_id,
            self_service_user_id,
            session,
        } = self.0;
        let Some(user) = self_service_user_id else {
            out.push_sql(
                "(SELECT CAST(coalesce(sum(checks), 0) AS BIGINT) FROM liveness_check_totals WHERE pre_registration_id = ",
            );
            out.push_bind_param::<BigInt, _>(pre_registration_id.as_ref().unwrap_or(&totals::ALL))?;
            out.push_sql(")");
            return Ok(());
        };
        out.push_sql("(SELECT count(*) FROM liveness_checks WHERE self_service_user_id = ");
        out.push_bind_param::<BigInt, _>(user)?;
        if let Some((session_id, range)) = session {
            out.push_sql(" AND created_at >= ");
            out.push_bind_param::<BigInt, _>(&range.oldest)?;
            out.push_sql(" AND created_at <= ");
            out.push_bind_param::<BigInt, _>(&range.newest)?;
            out.push_sql(" AND session_id = ");
            out.push_bind_param::<Text, _>(*session_id)?;
        }
        if let Some(id) = pre_registration_id {
            // With `+ 0`, the engine cannot use the index of pre-registrations here.
            out.push_sql(" AND pre_registration_id + 0 = ");
            out.push_bind_param::<BigInt, _>(id)?;
        }
        out.push_sql(")");
        Ok(())
    }
}

impl QueryId for Total<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Expression for Total<'_> {
    type SqlType = BigInt;
}

impl<Source> AppearsOnTable<Source> for Total<'_> {}

impl<Source> SelectableExpression<Source> for Total<'_> {}

impl ValidGrouping<()> for Total<'_> {
    type IsAggregate = is_aggregate::Never;
}
