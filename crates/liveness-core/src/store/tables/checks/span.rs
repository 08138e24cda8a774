//! The records from the oldest on, in steps that each begin where the last one ended: for exports.
//!
//! A place is a time and an id, which is the order of every index of records. So a step never sorts, reads nothing that
//! it does not return, and costs as much as any other step.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use super::filter::{CheckFilter, Conditions};
use super::row::CheckRow;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_checks::dsl;
use crate::{LivenessCheck, Timestamp};

/// Which records an export holds. All conditions that are given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckSpan {
    /// Whose records.
    pub filter: CheckFilter,
    /// Recorded then or later.
    pub from: Option<Timestamp>,
    /// Recorded earlier.
    pub before: Option<Timestamp>,
}

/// The part of an index between two places, without the first; `column` leads the index.
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

/// The narrowest condition leads, as in a list. With `+ 0` no other index looks better.
macro_rules! between {
    ($conditions:expr, $after:expr, $before:expr, $is_citus:expr) => {{
        let Conditions {
            pre_registration_id,
            self_service_user_id,
            session,
        } = $conditions;
        let query = dsl::liveness_checks.into_boxed();
        let mut query = match (*self_service_user_id, *pre_registration_id) {
            (Some(user), _) => part_of_index!(query, self_service_user_id: BigInt = user, $after, $before),
            (None, Some(id)) => part_of_index!(query, pre_registration_id: BigInt = id, $after, $before)
                .filter(dsl::pre_registration_id.is_not_null()),
            (None, None) => query
                .filter(
                    sql::<Bool>("(created_at, id) > (")
                        .bind::<BigInt, _>($after.0)
                        .sql(", ")
                        .bind::<BigInt, _>($after.1)
                        .sql(")"),
                )
                .filter(dsl::created_at.lt($before)),
        };
        if let (true, Some(user)) = ($is_citus, *self_service_user_id) {
            // The user names the shard.
            query = query.filter(dsl::self_service_user_id.eq(user));
        }
        if let Some((session_id, _)) = session {
            query = query.filter(dsl::session_id.eq(*session_id));
        }
        if let (Some(_), Some(id)) = (self_service_user_id, *pre_registration_id) {
            query = query.filter(sql::<Bool>("pre_registration_id + 0 = ").bind::<BigInt, _>(id));
        }
        query.then_order_by((dsl::created_at.asc(), dsl::id.asc()))
    }};
}

/// At most `limit` records behind the one of this time and id, or the first ones.
pub(crate) fn after(
    conn: &mut Connection<'_>,
    span: &CheckSpan,
    after: Option<(Timestamp, i64)>,
    limit: i64,
) -> Result<Vec<LivenessCheck>, StoreError> {
    let Some(conditions) = span.filter.resolve(conn)? else {
        return Ok(Vec::new());
    };
    let (oldest, newest) = match conditions.session {
        Some((_, range)) => (range.oldest, range.newest),
        None => (i64::MIN, i64::MAX),
    };
    // Ids begin at 1.
    let begin = (span.from.map_or(i64::MIN, Timestamp::unix_millis).max(oldest), 0);
    let after = after.map_or(begin, |(at, id)| (at.unix_millis(), id).max(begin));
    let end = newest.saturating_add(1);
    let before = span.before.map_or(end, |before| before.unix_millis().min(end));
    let is_citus = conn.is_citus();
    let rows: Vec<CheckRow> = on_either!(conn, |conn| between!(&conditions, after, before, is_citus)
        .limit(limit)
        .select(CheckRow::as_select())
        .load(*conn))?;
    rows.into_iter().map(LivenessCheck::try_from).collect()
}
