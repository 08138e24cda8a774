//! Reads records for exports: oldest first, in steps. Each step begins where the previous step ended.
//!
//! A place among the records is a time and an id. Every index that a step uses ends with these two columns. So a step
//! does not sort, reads only the records that it returns, and costs as much as any other step.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer};

use super::filter::{CheckFilter, Conditions, Lead, with_outcome};
use super::row::CheckRow;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_checks::dsl;
use crate::{LivenessCheck, Timestamp};

/// The part of an index after the place `$after` and before the time `$before`. `$column` is the first column of the
/// index.
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

/// The records after the place `$after`.
macro_rules! after_place {
    ($query:expr, $after:expr) => {
        $query.filter(
            sql::<Bool>("(created_at, id) > (")
                .bind::<BigInt, _>($after.0)
                .sql(", ")
                .bind::<BigInt, _>($after.1)
                .sql(")"),
        )
    };
}

/// The query for the records after the place `$after` and before the time `$before`.
///
/// The column of the narrowest condition leads the order, as in a list. With `+ 0`, the engine cannot use the index of
/// pre-registrations when a user is given.
macro_rules! between {
    ($conditions:expr, $after:expr, $before:expr, $is_citus:expr) => {{
        let conditions = $conditions;
        let Conditions {
            pre_registration_id,
            session_id,
            ..
        } = *conditions;
        let query = dsl::liveness_checks.into_boxed();
        let mut query = match (session_id, conditions.lead()) {
            // One user between two times: the statistics lead every engine to the index of users.
            (Some(session_id), Lead::User(user)) => after_place!(query, $after)
                .filter(dsl::self_service_user_id.eq(user))
                .filter(dsl::created_at.ge($after.0))
                .filter(dsl::created_at.lt($before))
                .filter(dsl::session_id.eq(session_id))
                .order(dsl::self_service_user_id.asc()),
            (_, Lead::User(user)) => part_of_index!(query, self_service_user_id: BigInt = user, $after, $before),
            (_, Lead::PreRegistration(id)) => part_of_index!(query, pre_registration_id: BigInt = id, $after, $before)
                .filter(dsl::pre_registration_id.is_not_null()),
            // The texts are those of the partial indexes.
            (_, Lead::Decided(decision)) => {
                part_of_index!(query, decision: Integer = decision, $after, $before).filter(dsl::decision.is_not_null())
            }
            (_, Lead::Undecided(verdict)) => part_of_index!(query, verdict: Integer = verdict, $after, $before)
                .filter(sql::<Bool>("verdict <> 0 AND decision IS NULL")),
            (_, Lead::Judged(verdict)) => {
                part_of_index!(query, verdict: Integer = verdict, $after, $before).filter(sql::<Bool>("verdict + 0 > 0"))
            }
            (_, Lead::Time) => after_place!(query, $after).filter(dsl::created_at.lt($before)),
        };
        if let (true, Lead::User(user)) = ($is_citus, conditions.lead()) {
            // With the user, Citus knows the shard.
            query = query.filter(dsl::self_service_user_id.eq(user));
        }
        if let (Lead::User(_), Some(id)) = (conditions.lead(), pre_registration_id) {
            query = query.filter(sql::<Bool>("pre_registration_id + 0 = ").bind::<BigInt, _>(id));
        }
        query = with_outcome!(query, conditions);
        query.then_order_by((dsl::created_at.asc(), dsl::id.asc()))
    }};
}

/// At most `limit` records after the record with this time and id. With `None`, the first records that match.
pub(crate) fn after(
    conn: &mut Connection<'_>,
    filter: &CheckFilter,
    after: Option<(Timestamp, i64)>,
    limit: i64,
) -> Result<Vec<LivenessCheck>, StoreError> {
    let Some(conditions) = filter.resolve(conn)? else {
        return Ok(Vec::new());
    };
    let (from, before) = conditions.span.unwrap_or((i64::MIN, i64::MAX));
    // Ids begin at 1, so 0 is before the first record of that time.
    let begin = (from, 0);
    let after = after.map_or(begin, |(at, id)| (at.unix_millis(), id).max(begin));
    let is_citus = conn.is_citus();
    let rows: Vec<CheckRow> = on_either!(conn, |conn| between!(&conditions, after, before, is_citus)
        .limit(limit)
        .select(CheckRow::as_select())
        .load(*conn))?;
    rows.into_iter().map(LivenessCheck::try_from).collect()
}
