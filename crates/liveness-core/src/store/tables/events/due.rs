//! Finds the events of a subscription that are due. Only the first waiting event of each user can be due.

use std::collections::HashMap;

use diesel::dsl::not;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Text};

use super::event_row::EventRow;
use crate::events::Event;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_events::dsl;

/// How many rows are looked at for each event that is wanted.
const LOOKED_AT: i64 = 4;

/// What is due.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Due {
    /// The first event of each of some users, in the order in which they became due.
    pub(crate) events: Vec<Event>,
    /// Users whose first event is due later, with that time. Others of theirs are due, and must wait for it.
    pub(crate) blocked: Vec<(i64, i64)>,
}

/// The events of a subscription that are due, each of another user, at most `limit`. Users who are busy have one that is being
/// delivered.
///
/// It looks at the rows that have been due for longest, and asks for the first row of each of their users. So it never reads all
/// rows, however many of one user wait.
pub(crate) fn due(
    conn: &mut Connection<'_>,
    subscription: &str,
    busy: &[i64],
    limit: i64,
    now: i64,
) -> Result<Due, StoreError> {
    let mut users: Vec<i64> = Vec::new();
    for user in longest_due(conn, subscription, busy, limit.saturating_mul(LOOKED_AT), now)? {
        if !users.contains(&user) {
            users.push(user);
        }
    }
    let mut firsts = firsts(conn, subscription, &users)?;
    let mut due = Due::default();
    for row in users.iter().filter_map(|user| firsts.remove(user)) {
        if row.next_at > now {
            due.blocked.push((row.self_service_user_id, row.next_at));
        } else if (due.events.len() as u64) < limit.unsigned_abs() {
            due.events.push(row.try_into()?);
        }
    }
    Ok(due)
}

/// The users of the events that have been due for longest.
pub(crate) fn longest_due(
    conn: &mut Connection<'_>,
    subscription: &str,
    busy: &[i64],
    limit: i64,
    now: i64,
) -> Result<Vec<i64>, StoreError> {
    let due = dsl::liveness_events
        .filter(
            dsl::subscription
                .eq(subscription)
                .and(not(dsl::is_dead))
                .and(dsl::next_at.le(now)),
        )
        .order((dsl::next_at, dsl::id))
        .limit(limit)
        .select(dsl::self_service_user_id);
    Ok(on_either!(conn, |conn| due
        .filter(not(eq_any(dsl::self_service_user_id, busy.to_vec())?))
        .load(*conn))?)
}

/// The first row of each of these users that waits. Reads one index entry and one row of each user, except on Citus.
pub(crate) fn firsts(
    conn: &mut Connection<'_>,
    subscription: &str,
    users: &[i64],
) -> Result<HashMap<i64, EventRow>, StoreError> {
    if users.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<EventRow> = match conn {
        Connection::Sqlite(conn) => {
            let users = serde_json::to_string(users).map_err(StoreError::internal)?;
            sql_query(
                "SELECT liveness_events.* FROM json_each(?) CROSS JOIN liveness_events \
                 ON liveness_events.id = (SELECT id FROM liveness_events AS of_user WHERE of_user.subscription = ? \
                 AND of_user.self_service_user_id = json_each.value AND NOT of_user.is_dead ORDER BY id LIMIT 1)",
            )
            .bind::<Text, _>(users)
            .bind::<Text, _>(subscription)
            .load(*conn)?
        }
        Connection::Postgres(conn) => sql_query(
            "SELECT first.* FROM unnest($1::bigint[]) AS asked (id) \
             CROSS JOIN LATERAL (SELECT * FROM liveness_events AS of_user WHERE of_user.subscription = $2 \
             AND of_user.self_service_user_id = asked.id AND NOT of_user.is_dead ORDER BY of_user.id LIMIT 1) AS first",
        )
        .bind::<Array<BigInt>, _>(users)
        .bind::<Text, _>(subscription)
        .load(*conn)?,
        // Citus cannot plan LATERAL with LIMIT.
        Connection::Citus(conn) => sql_query(
            "SELECT DISTINCT ON (self_service_user_id) * FROM liveness_events WHERE self_service_user_id = ANY ($1) \
             AND subscription = $2 AND NOT is_dead ORDER BY self_service_user_id, id",
        )
        .bind::<Array<BigInt>, _>(users)
        .bind::<Text, _>(subscription)
        .load(*conn)?,
    };
    Ok(rows.into_iter().map(|row| (row.self_service_user_id, row)).collect())
}
