//! Adds jobs. At most one job of a kind and a key waits.

use diesel::dsl::not;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};

use crate::jobs::{JobKind, NewJob};
use crate::store::engine::bulk_insert::{self, Clauses, NoClauses, row};
use crate::store::engine::clock;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_jobs::dsl;

/// The key of each periodic job: there is one of its kind.
pub(crate) const PERIODIC: &str = "";

row! {
    struct JobRow<'a> of "liveness_jobs", in columns JobColumns {
        kind: &'a str => Text,
        key: Option<&'a str> => Nullable<Text>,
        payload: &'a str => Text,
        every: Option<i64> => Nullable<BigInt>,
        run_at: i64 => BigInt,
        takeable_at: i64 => BigInt,
        attempts: i32 => Integer,
        is_dead: bool => Bool,
        created_at: i64 => BigInt,
    }
}

/// If a job of the key waits, it stays as it is. If it runs, it has perhaps read already what the new one is for, so it runs
/// once more.
struct UnlessWaiting;

impl Clauses for UnlessWaiting {
    const ON_CONFLICT: &'static str = "ON CONFLICT (kind, key) WHERE key IS NOT NULL AND NOT is_dead DO UPDATE \
        SET again_at = CASE WHEN liveness_jobs.again_at < excluded.run_at THEN liveness_jobs.again_at \
        ELSE excluded.run_at END WHERE liveness_jobs.owner IS NOT NULL";
    type Returned = ();
}

struct UnlessThere;

impl Clauses for UnlessThere {
    const ON_CONFLICT: &'static str = "ON CONFLICT (kind, key) WHERE key IS NOT NULL AND NOT is_dead DO NOTHING";
    type Returned = ();
}

/// Adds jobs, in the transaction of the connection: they are there when it is committed, and otherwise never were. A runner of
/// any process finds them within a second of their time.
///
/// A backend that embeds the store calls this in a transaction of its own. In one of ours, [`Jobs::enqueue`](super::Jobs::enqueue)
/// does the same.
///
/// # Errors
///
/// [`StoreError`] when the statement fails, as it does if a key has more than 255 characters. The transaction must then be rolled
/// back.
pub fn enqueue(conn: &mut Connection<'_>, jobs: &[NewJob]) -> Result<(), StoreError> {
    let now = clock::now(conn)?;
    for job in jobs {
        let payload = job.payload.to_string();
        let run_at = job.run_at.map_or(now, |at| at.unix_millis());
        let row = JobRow {
            kind: job.kind.name(),
            key: job.key.as_deref(),
            payload: &payload,
            every: None,
            run_at,
            takeable_at: run_at,
            attempts: 0,
            is_dead: false,
            created_at: now,
        };
        match job.key {
            Some(_) => bulk_insert::execute::<_, UnlessWaiting>(conn, vec![row])?,
            None => bulk_insert::execute::<_, NoClauses>(conn, vec![row])?,
        }
    }
    Ok(())
}

/// Adds a periodic job that is first due after a period, unless there is one. If it had another period, it has this one from
/// now on.
pub(crate) fn ensure_periodic(
    conn: &mut Connection<'_>,
    kind: JobKind,
    every: i64,
    now: i64,
) -> Result<(), StoreError> {
    let first = now.saturating_add(every);
    let row = JobRow {
        kind: kind.name(),
        key: Some(PERIODIC),
        payload: "null",
        every: Some(every),
        run_at: first,
        takeable_at: first,
        attempts: 0,
        is_dead: false,
        created_at: now,
    };
    bulk_insert::execute::<_, UnlessThere>(conn, vec![row])?;
    let other = dsl::liveness_jobs.filter(
        dsl::kind
            .eq(kind.name())
            .and(dsl::key.eq(PERIODIC))
            .and(not(dsl::is_dead))
            .and(dsl::every.ne(every)),
    );
    let changed = on_either!(conn, |conn| diesel::update(other)
        .set(dsl::every.eq(every))
        .execute(*conn))?;
    if changed > 0 {
        put_forward(conn, kind, first)?;
    }
    Ok(())
}

/// Deletes the periodic job of a kind, if there is one.
pub(crate) fn end_periodic(conn: &mut Connection<'_>, kind: JobKind) -> Result<(), StoreError> {
    withdraw(conn, kind, PERIODIC)
}

/// Deletes the job of a kind and a key, if there is one that was not given up.
pub(crate) fn withdraw(conn: &mut Connection<'_>, kind: JobKind, key: &str) -> Result<(), StoreError> {
    let asked = dsl::liveness_jobs.filter(dsl::kind.eq(kind.name()).and(dsl::key.eq(key)).and(not(dsl::is_dead)));
    on_either!(conn, |conn| diesel::delete(asked).execute(*conn))?;
    Ok(())
}

/// Has a periodic job run at this time, if it would run later.
pub(crate) fn put_forward(conn: &mut Connection<'_>, kind: JobKind, to: i64) -> Result<(), StoreError> {
    let later = dsl::liveness_jobs.filter(
        dsl::kind
            .eq(kind.name())
            .and(dsl::key.eq(PERIODIC))
            .and(not(dsl::is_dead))
            .and(dsl::owner.is_null())
            .and(dsl::run_at.gt(to)),
    );
    on_either!(conn, |conn| diesel::update(later)
        .set((dsl::run_at.eq(to), dsl::takeable_at.eq(to)))
        .execute(*conn))?;
    Ok(())
}

/// What follows a job that was given up.
pub(crate) struct Successor<'a> {
    pub(crate) kind: &'a str,
    pub(crate) key: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) every: Option<i64>,
    pub(crate) run_at: i64,
    pub(crate) now: i64,
}

/// Adds a job in the place of one that was given up, unless there is one.
pub(crate) fn add_successor(conn: &mut Connection<'_>, successor: &Successor<'_>) -> Result<(), StoreError> {
    let row = JobRow {
        kind: successor.kind,
        key: Some(successor.key),
        payload: successor.payload,
        every: successor.every,
        run_at: successor.run_at,
        takeable_at: successor.run_at,
        attempts: 0,
        is_dead: false,
        created_at: successor.now,
    };
    bulk_insert::execute::<_, UnlessThere>(conn, vec![row])
}
