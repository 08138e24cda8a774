//! The rows of tallies.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable};

use super::Tally;
use crate::store::engine::bulk_insert::{self, Clauses, row};
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_attempts::{self, dsl};

#[derive(Queryable, Selectable)]
#[diesel(table_name = liveness_attempts)]
struct StoredRow {
    self_service_user_id: i64,
    failures_in_a_row: i32,
    failures_in_all: i32,
    last_failure_at: Option<i64>,
    day_began_at: i64,
    records_today: i32,
    bytes_today: i64,
}

impl From<StoredRow> for Tally {
    fn from(row: StoredRow) -> Self {
        Self {
            failures_in_a_row: u32::try_from(row.failures_in_a_row).unwrap_or_default(),
            failures_in_all: u32::try_from(row.failures_in_all).unwrap_or_default(),
            last_failure_at: row.last_failure_at,
            day_began_at: row.day_began_at,
            records_today: u32::try_from(row.records_today).unwrap_or_default(),
            bytes_today: u64::try_from(row.bytes_today).unwrap_or_default(),
        }
    }
}

/// The tallies of those of the users who have one. One statement on PostgreSQL, which is a network away.
pub(crate) fn of_users(conn: &mut Connection<'_>, users: &[i64]) -> Result<HashMap<i64, Tally>, StoreError> {
    let rows: Vec<StoredRow> = match conn {
        Connection::Sqlite(conn) => {
            let mut found = Vec::new();
            for user in users {
                let row = dsl::liveness_attempts.find(user).select(StoredRow::as_select());
                found.extend(row.first(*conn).optional()?);
            }
            found
        }
        Connection::Postgres(conn) | Connection::Citus(conn) => dsl::liveness_attempts
            .filter(eq_any(dsl::self_service_user_id, users.to_vec())?)
            .select(StoredRow::as_select())
            .load(*conn)?,
    };
    let keyed = rows.into_iter().map(|row| (row.self_service_user_id, row.into()));
    Ok(keyed.collect())
}

row! {
    struct TallyRow of "liveness_attempts", in columns TallyColumns {
        self_service_user_id: i64 => BigInt,
        failures_in_a_row: i32 => Integer,
        failures_in_all: i32 => Integer,
        last_failure_at: Option<i64> => Nullable<BigInt>,
        day_began_at: i64 => BigInt,
        records_today: i32 => Integer,
        bytes_today: i64 => BigInt,
    }
}

impl TallyRow {
    fn of(user: i64, tally: &Tally) -> Self {
        let capped = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        Self {
            self_service_user_id: user,
            failures_in_a_row: capped(tally.failures_in_a_row),
            failures_in_all: capped(tally.failures_in_all),
            last_failure_at: tally.last_failure_at,
            day_began_at: tally.day_began_at,
            records_today: capped(tally.records_today),
            bytes_today: i64::try_from(tally.bytes_today).unwrap_or(i64::MAX),
        }
    }
}

struct OrChange;

impl Clauses for OrChange {
    const ON_CONFLICT: &'static str = "ON CONFLICT (self_service_user_id) DO UPDATE SET \
        failures_in_a_row = excluded.failures_in_a_row, failures_in_all = excluded.failures_in_all, \
        last_failure_at = excluded.last_failure_at, day_began_at = excluded.day_began_at, \
        records_today = excluded.records_today, bytes_today = excluded.bytes_today";
    type Returned = ();
}

/// Writes tallies.
pub(super) fn put(conn: &mut Connection<'_>, tallies: &HashMap<i64, Tally>) -> Result<(), StoreError> {
    let mut rows: Vec<_> = tallies.iter().map(|(user, tally)| TallyRow::of(*user, tally)).collect();
    // Every node writes the rows in the same order, so that no two nodes deadlock.
    rows.sort_unstable_by_key(|row| row.self_service_user_id);
    bulk_insert::execute::<_, OrChange>(conn, rows)
}

/// Forgets the failures of a user, not what they have recorded in the day. The lock of the user must be held.
pub(crate) fn pardon(conn: &mut Connection<'_>, user: i64) -> Result<(), StoreError> {
    let pardoned = (
        dsl::failures_in_a_row.eq(0),
        dsl::failures_in_all.eq(0),
        dsl::last_failure_at.eq(None::<i64>),
    );
    let row = dsl::liveness_attempts.find(user);
    on_either!(conn, |conn| diesel::update(row).set(pardoned).execute(*conn))?;
    Ok(())
}

/// Deletes the tally of a user.
pub(crate) fn forget(conn: &mut Connection<'_>, user: i64) -> Result<(), StoreError> {
    let row = dsl::liveness_attempts.find(user);
    on_either!(conn, |conn| diesel::delete(row).execute(*conn))?;
    Ok(())
}
