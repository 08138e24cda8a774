//! The lists: one page, and how many records there are on all.

use diesel::backend::Backend;
use diesel::expression::{ValidGrouping, is_aggregate};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Text};

use super::filter::CheckFilter;
use super::row::CheckRow;
use crate::LivenessCheck;
use crate::store::engine::connection::{Connection, Purpose, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::counts;
use crate::store::tables::schema::liveness_checks::dsl;

/// Which page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// From 1.
    pub number: i64,
    /// Records a page.
    pub size: i64,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckPage {
    /// Its records, newest first.
    pub items: Vec<LivenessCheck>,
    /// Records on all pages.
    pub total: i64,
}

/// The records that a filter lets through, newest first: a query for either engine.
///
/// Conditions are given as ranges of one value, and the narrowest leads the order: then there is one index that gives the
/// order, and no statistics make an engine walk down the newest records of all, or sort a campaign's, in search of a few.
macro_rules! matching {
    ($filter:expr) => {{
        let CheckFilter {
            pre_registration_id,
            self_service_user_id,
            session_id,
        } = $filter;
        let mut query = dsl::liveness_checks.into_boxed();
        if let Some(session) = session_id {
            query = query.filter(dsl::session_id.between(session, session));
        }
        if let Some(user) = *self_service_user_id {
            query = query.filter(dsl::self_service_user_id.between(user, user));
        }
        if let Some(id) = *pre_registration_id {
            query = query.filter(dsl::pre_registration_id.between(id, id));
        }
        query = match (session_id, self_service_user_id, pre_registration_id) {
            (Some(_), _, _) => query.order(dsl::session_id.desc()),
            (None, Some(_), _) => query.order(dsl::self_service_user_id.desc()),
            (None, None, Some(_)) => query.order(dsl::pre_registration_id.desc()),
            (None, None, None) => query,
        };
        query.then_order_by((dsl::created_at.desc(), dsl::id.desc()))
    }};
}

/// A page, and how many records there are in all, at the same moment.
pub(crate) fn page(
    conn: &mut Connection<'_>,
    filter: &CheckFilter,
    page: PageRequest,
) -> Result<CheckPage, StoreError> {
    let nothing = CheckPage {
        items: Vec::new(),
        total: 0,
    };
    if filter.matches_nothing() {
        return Ok(nothing);
    }
    if let Some(page) = filled(conn, filter, page)? {
        return Ok(page);
    }
    conn.transaction(Purpose::Read, |conn| match filled(conn, filter, page)? {
        Some(page) => Ok(page),
        None => Ok(CheckPage {
            total: total(conn, filter)?,
            ..nothing
        }),
    })
}

/// A page that has records: how many there are in all comes with them, in one journey to the database.
fn filled(conn: &mut Connection<'_>, filter: &CheckFilter, page: PageRequest) -> Result<Option<CheckPage>, StoreError> {
    let rows: Vec<(CheckRow, i64)> = on_either!(conn, |conn| matching!(filter)
        .limit(page.size)
        .offset(page.number.saturating_sub(1).saturating_mul(page.size))
        .select((CheckRow::as_select(), Total(filter)))
        .load(*conn))?;
    let Some((_, total)) = rows.first() else {
        return Ok(None);
    };
    let total = *total;
    let items = rows.into_iter().map(|(row, _)| row.try_into());
    let items = items.collect::<Result<_, _>>()?;
    Ok(Some(CheckPage { items, total }))
}

fn total(conn: &mut Connection<'_>, filter: &CheckFilter) -> Result<i64, StoreError> {
    Ok(on_either!(conn, |conn| diesel::select(Total(filter)).get_result(*conn))?)
}

/// How many records a filter lets through, as an expression. Counts are kept of what can be millions; the records of one
/// session with one pre-registration are few, and counted.
struct Total<'a>(&'a CheckFilter);

impl<DB> QueryFragment<DB> for Total<'_>
where
    DB: Backend,
    i64: ToSql<BigInt, DB>,
    String: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let CheckFilter {
            pre_registration_id,
            self_service_user_id,
            session_id,
        } = self.0;
        let mut of_user = self_service_user_id.as_ref();
        let mut of_pre_registration = pre_registration_id.as_ref();
        match (session_id, pre_registration_id) {
            (None, _) => {
                out.push_sql("(SELECT CAST(coalesce(sum(checks), 0) AS BIGINT) FROM liveness_check_counts WHERE 0 = 0");
                // A user's records are under each of the user's pre-registrations.
                if of_user.is_none() {
                    of_pre_registration = of_pre_registration.or(Some(&counts::ANY));
                }
                of_user = of_user.or(Some(&counts::ANY));
            }
            (Some(_), None) => out.push_sql("(SELECT coalesce(max(check_count), 0) FROM liveness_sessions WHERE 0 = 0"),
            (Some(_), Some(_)) => out.push_sql("(SELECT count(*) FROM liveness_checks WHERE 0 = 0"),
        }
        if let Some(session) = session_id {
            out.push_sql(" AND session_id = ");
            out.push_bind_param::<Text, _>(session)?;
        }
        if let Some(user) = of_user {
            out.push_sql(" AND self_service_user_id = ");
            out.push_bind_param::<BigInt, _>(user)?;
        }
        if let Some(id) = of_pre_registration {
            out.push_sql(" AND pre_registration_id = ");
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
