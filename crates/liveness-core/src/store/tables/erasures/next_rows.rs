//! The rows that an erasure comes to next, a few at a time.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Text};

use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_audit_entries::dsl as entries;
use crate::store::tables::schema::liveness_checks::dsl as checks;
use crate::store::tables::stored_check::StoredCheck;
use crate::store::tables::trail::matching::BY_OTHERS;
use crate::store::tables::trail::rows::EntryRow;

/// How many entries, or faces, are looked at in one transaction.
const STEP: i64 = 256;

/// A place among records or entries: a time and an id.
pub(super) type Place = (i64, i64);

/// The next rows of an index behind a place. `$column` is the first column of the index, and leads the order. So exactly one
/// index has that order, whatever the engine's statistics are.
macro_rules! behind {
    ($table:expr, $column:ident: $type:ty = $value:expr, $time:ident, $after:expr) => {
        $table
            .filter(
                sql::<Bool>(concat!("(", stringify!($column), ", ", stringify!($time), ", id) > ("))
                    .bind::<$type, _>($value)
                    .sql(", ")
                    .bind::<BigInt, _>($after.0)
                    .sql(", ")
                    .bind::<BigInt, _>($after.1)
                    .sql(")"),
            )
            .filter(
                sql::<Bool>(concat!("(", stringify!($column), ", ", stringify!($time), ") <= ("))
                    .bind::<$type, _>($value)
                    .sql(", ")
                    .bind::<BigInt, _>(i64::MAX)
                    .sql(")"),
            )
            .order((dsl::$column, dsl::$time, dsl::id))
    };
}

/// Loads rows of one user. With the user, Citus knows the shard.
macro_rules! load_of_user {
    ($conn:ident, $next:expr, $column:expr => $user:expr, $selection:expr) => {{
        let next = $next;
        match $conn {
            Connection::Citus(conn) => next.filter($column.eq($user)).select($selection).load(*conn)?,
            Connection::Postgres(conn) => next.select($selection).load(*conn)?,
            Connection::Sqlite(conn) => next.select($selection).load(*conn)?,
        }
    }};
}

/// The next records of a user behind a place, oldest first.
pub(crate) fn next_records(
    conn: &mut Connection<'_>,
    user: i64,
    after: Place,
    limit: i64,
) -> Result<Vec<StoredCheck>, StoreError> {
    use checks as dsl;
    let next = behind!(checks::liveness_checks, self_service_user_id: BigInt = user, created_at, after).limit(limit);
    Ok(load_of_user!(conn, next, checks::self_service_user_id => user, StoredCheck::as_select()))
}

/// The next faces of records of which this became, from before a time, oldest first: the place of the record, and the user. 0: the
/// phone claims no success. 1: the verdict or a decision speaks against it. 2: neither. What was never judged goes by the claim.
pub(crate) fn old_faces(
    conn: &mut Connection<'_>,
    became: i32,
    before: i64,
    after: Place,
) -> Result<Vec<(i64, i64, i64)>, StoreError> {
    let next = checks::liveness_checks
        .filter(
            // As the index has it.
            sql::<Bool>(
                "has_image AND CASE WHEN NOT passed THEN 0 WHEN coalesce(decision, verdict, 0) = 0 THEN 2 ELSE 1 END = ",
            )
            .bind::<Integer, _>(became)
            .sql(" AND (created_at, id) > (")
            .bind::<BigInt, _>(after.0)
            .sql(", ")
            .bind::<BigInt, _>(after.1)
            .sql(")"),
        )
        .filter(checks::created_at.lt(before))
        .order((checks::created_at, checks::id))
        .limit(STEP)
        .select((checks::created_at, checks::id, checks::self_service_user_id));
    Ok(on_either!(conn, |conn| next.load(*conn))?)
}

/// A record that was kept for long enough.
#[derive(Queryable, Debug)]
pub(crate) struct OldRecordRow {
    pub(crate) created_at: i64,
    pub(crate) id: i64,
    pub(crate) user: i64,
    /// Whether nothing of it names a person.
    pub(crate) is_bare: bool,
}

/// What [`OldRecordRow`] has of a record.
macro_rules! of_old_record {
    () => {
        (
            checks::created_at,
            checks::id,
            checks::self_service_user_id,
            sql::<Bool>(
                "(NOT has_image AND device_info IS NULL AND client_ip IS NULL AND metadata IS NULL AND image_metadata IS NULL \
                 AND image_path IS NULL AND pre_registration_id IS NULL AND idempotency_key IS NULL)",
            ),
        )
    };
}

/// The next records from before a time, oldest first.
pub(crate) fn old_records(
    conn: &mut Connection<'_>,
    before: i64,
    after: Place,
) -> Result<Vec<OldRecordRow>, StoreError> {
    let next = checks::liveness_checks
        .filter(
            sql::<Bool>("(created_at, id) > (")
                .bind::<BigInt, _>(after.0)
                .sql(", ")
                .bind::<BigInt, _>(after.1)
                .sql(")"),
        )
        .filter(checks::created_at.lt(before))
        .order((checks::created_at, checks::id))
        .limit(STEP)
        .select(of_old_record!());
    Ok(on_either!(conn, |conn| next.load(*conn))?)
}

/// The next records of a user from before a time, oldest first.
pub(crate) fn old_records_of(
    conn: &mut Connection<'_>,
    user: i64,
    before: i64,
    after: Place,
) -> Result<Vec<OldRecordRow>, StoreError> {
    use checks as dsl;
    let next = behind!(checks::liveness_checks, self_service_user_id: BigInt = user, created_at, after)
        .filter(sql::<Bool>("created_at + 0 < ").bind::<BigInt, _>(before))
        .limit(STEP);
    Ok(load_of_user!(conn, next, checks::self_service_user_id => user, of_old_record!()))
}

/// The next entries about a record of a user, behind an id: looks at it, and decisions.
pub(crate) fn entries_about(
    conn: &mut Connection<'_>,
    (user, check_id): (i64, i64),
    after: i64,
) -> Result<Vec<EntryRow>, StoreError> {
    let next = entries::liveness_audit_entries
        .filter(entries::liveness_check_id.eq(check_id).and(entries::id.gt(after)))
        .order(entries::id)
        .limit(STEP);
    Ok(load_of_user!(conn, next, entries::self_service_user_id => user, EntryRow::as_select()))
}

/// The next entries that concern the user, oldest first.
pub(crate) fn entries_of_user(conn: &mut Connection<'_>, user: i64, after: Place) -> Result<Vec<EntryRow>, StoreError> {
    use entries as dsl;
    let next = behind!(entries::liveness_audit_entries, self_service_user_id: BigInt = user, at, after).limit(STEP);
    Ok(load_of_user!(conn, next, entries::self_service_user_id => user, EntryRow::as_select()))
}

/// The next entries of a sender that concern nobody, or another, oldest first.
pub(crate) fn entries_of_sender(
    conn: &mut Connection<'_>,
    principal: &str,
    after: Place,
) -> Result<Vec<EntryRow>, StoreError> {
    use entries as dsl;
    let next = behind!(entries::liveness_audit_entries, principal: Text = principal, at, after)
        .filter(sql::<Bool>(BY_OTHERS))
        .limit(STEP);
    Ok(on_either!(conn, |conn| next.select(EntryRow::as_select()).load(*conn))?)
}
