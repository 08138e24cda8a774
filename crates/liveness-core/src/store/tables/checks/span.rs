//! Going through the records from the oldest on, in steps that each begin where the last has ended: for exports.
//!
//! The place is told by time and id, which is the order of every index of records. So a step never sorts, walks over
//! nothing that it does not give back, and one step costs as much as any other.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::filter::CheckFilter;
use super::row::CheckRow;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_checks::dsl;
use crate::{LivenessCheck, Timestamp};

/// Which records are gone through: those to which everything given applies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckSpan {
    /// Whose they are.
    pub filter: CheckFilter,
    /// Recorded then or later.
    pub from: Option<Timestamp>,
    /// Recorded earlier.
    pub before: Option<Timestamp>,
}

/// The part of an index between two places, the first left out: `column` is the one that leads it.
macro_rules! part_of_index {
    ($query:expr, $column:ident: $type:ty = $value:expr, $after:expr, $before:expr) => {
        $query
            .filter(
                sql::<Bool>(concat!("(", stringify!($column), ", created_at, id) > ("))
                    .bind::<$type, _>($value)
                    .sql(", ")
                    .bind::<BigInt, _>($after.0)
                    .sql(", ")
                    .bind::<BigInt, _>($after.1)
                    .sql(")"),
            )
            .filter(
                sql::<Bool>(concat!("(", stringify!($column), ", created_at) < ("))
                    .bind::<$type, _>($value)
                    .sql(", ")
                    .bind::<BigInt, _>($before)
                    .sql(")"),
            )
            .order(dsl::$column.asc())
    };
}

/// The narrowest condition leads, as in a list. With `+ 0` no index of the others looks better.
macro_rules! between {
    ($filter:expr, $after:expr, $before:expr) => {{
        let CheckFilter {
            pre_registration_id,
            self_service_user_id,
            session_id,
        } = $filter;
        let query = dsl::liveness_checks.into_boxed();
        let mut query = match (session_id, *self_service_user_id, *pre_registration_id) {
            (Some(session), _, _) => part_of_index!(query, session_id: Text = session, $after, $before),
            (None, Some(user), _) => part_of_index!(query, self_service_user_id: BigInt = user, $after, $before),
            (None, None, Some(id)) => part_of_index!(query, pre_registration_id: BigInt = id, $after, $before),
            (None, None, None) => query
                .filter(
                    sql::<Bool>("(created_at, id) > (")
                        .bind::<BigInt, _>($after.0)
                        .sql(", ")
                        .bind::<BigInt, _>($after.1)
                        .sql(")"),
                )
                .filter(dsl::created_at.lt($before)),
        };
        if let (Some(_), Some(user)) = (session_id, *self_service_user_id) {
            query = query.filter(sql::<Bool>("self_service_user_id + 0 = ").bind::<BigInt, _>(user));
        }
        if let (true, Some(id)) = (session_id.is_some() || self_service_user_id.is_some(), *pre_registration_id) {
            query = query.filter(sql::<Bool>("pre_registration_id + 0 = ").bind::<BigInt, _>(id));
        }
        query.then_order_by((dsl::created_at.asc(), dsl::id.asc()))
    }};
}

/// At most `limit` records behind the one of this time and id, or from the beginning.
pub(crate) fn after(
    conn: &mut Connection<'_>,
    span: &CheckSpan,
    after: Option<(Timestamp, i64)>,
    limit: i64,
) -> Result<Vec<LivenessCheck>, StoreError> {
    // Ids begin at 1.
    let begin = (span.from.map_or(i64::MIN, Timestamp::unix_millis), 0);
    let after = after.map_or(begin, |(at, id)| (at.unix_millis(), id).max(begin));
    let before = span.before.map_or(i64::MAX, Timestamp::unix_millis);
    let rows: Vec<CheckRow> = on_either!(conn, |conn| between!(&span.filter, after, before)
        .limit(limit)
        .select(CheckRow::as_select())
        .load(*conn))?;
    rows.into_iter().map(LivenessCheck::try_from).collect()
}
