//! What an operator does with jobs: looks at them, and has those run again that were given up.

use diesel::dsl::{not, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::job::{Job, JobCounts, JobState};
use super::leases;
use crate::Timestamp;
use crate::jobs::JobKind;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_jobs::dsl;

type Row = (
    i64,
    String,
    Option<String>,
    bool,
    Option<Vec<u8>>,
    i64,
    i32,
    i64,
    Option<String>,
    i64,
);

/// The jobs behind an id, in the order in which they were added.
pub(crate) fn list(conn: &mut Connection<'_>, after: i64, limit: i64, now: i64) -> Result<Vec<Job>, StoreError> {
    let page = dsl::liveness_jobs
        .filter(dsl::id.gt(after))
        .order(dsl::id)
        .limit(limit)
        .select((
            dsl::id,
            dsl::kind,
            dsl::key,
            dsl::is_dead,
            dsl::owner,
            dsl::takeable_at,
            dsl::attempts,
            dsl::run_at,
            dsl::last_error,
            dsl::created_at,
        ));
    let rows: Vec<Row> = on_either!(conn, |conn| page.load(*conn))?;
    rows.into_iter().map(|row| job(row, now)).collect()
}

fn job(row: Row, now: i64) -> Result<Job, StoreError> {
    let (id, kind, key, is_dead, owner, takeable_at, attempts, run_at, last_error, created_at) = row;
    let time = |millis| {
        let time = Timestamp::from_unix_millis(millis);
        time.ok_or_else(|| StoreError::internal(format!("job {id} has a time out of range")))
    };
    let state = match (is_dead, owner) {
        (true, _) => JobState::Dead,
        (false, Some(_)) if takeable_at > now => JobState::Running,
        (false, _) => JobState::Waiting,
    };
    Ok(Job {
        id,
        kind,
        key,
        state,
        attempts: u32::try_from(attempts).unwrap_or_default(),
        run_at: time(run_at)?,
        last_error,
        created_at: time(created_at)?,
    })
}

/// Has the job run now that was given up. Returns whether there was one.
pub(crate) fn retry(conn: &mut Connection<'_>, id: i64, now: i64) -> Result<bool, StoreError> {
    let dead = dsl::liveness_jobs
        .find(id)
        .filter(dsl::is_dead)
        .select((dsl::id, dsl::kind, dsl::key));
    let found: Option<DeadJob> = on_either!(conn, |conn| dead.first(*conn).optional())?;
    found.as_ref().map(|dead| revive(conn, dead, now)).transpose()?;
    Ok(found.is_some())
}

/// Has jobs run now that were given up, at most `limit`. Returns how many.
pub(crate) fn retry_some(conn: &mut Connection<'_>, limit: i64, now: i64) -> Result<u64, StoreError> {
    let found = dead(conn, limit)?;
    found.iter().try_for_each(|dead| revive(conn, dead, now))?;
    Ok(found.len() as u64)
}

/// Jobs that were given up, at most `limit`.
pub(crate) fn dead(conn: &mut Connection<'_>, limit: i64) -> Result<Vec<DeadJob>, StoreError> {
    let dead = dsl::liveness_jobs
        .filter(dsl::is_dead)
        .order((dsl::kind, dsl::id))
        .limit(limit)
        .select((dsl::id, dsl::kind, dsl::key));
    Ok(on_either!(conn, |conn| dead.load(*conn))?)
}

/// The id, kind and key of a job that was given up.
pub(crate) type DeadJob = (i64, String, Option<String>);

/// Has a job run now. If another one of its key waits, that one runs in its place.
fn revive(conn: &mut Connection<'_>, (id, kind, key): &DeadJob, now: i64) -> Result<(), StoreError> {
    let of_key = match key {
        Some(key) => of_key(conn, kind, key)?,
        None => None,
    };
    let Some((other, is_running)) = of_key else {
        return run_now(conn, *id, now);
    };
    if is_running {
        let again = diesel::update(dsl::liveness_jobs.find(other)).set(dsl::again_at.eq(now));
        on_either!(conn, |conn| again.execute(*conn))?;
    } else {
        run_now(conn, other, now)?;
    }
    let dead = diesel::delete(dsl::liveness_jobs.find(*id));
    on_either!(conn, |conn| dead.execute(*conn))?;
    Ok(())
}

/// The job of a key that was not given up, and whether a runner has it.
pub(crate) fn of_key(conn: &mut Connection<'_>, kind: &str, key: &str) -> Result<Option<(i64, bool)>, StoreError> {
    let other = dsl::liveness_jobs
        .filter(dsl::kind.eq(kind).and(dsl::key.eq(key)).and(not(dsl::is_dead)))
        .select((dsl::id, dsl::owner.is_not_null()));
    Ok(match conn {
        Connection::Sqlite(conn) => other.first(*conn).optional()?,
        // No runner takes it before it is changed.
        Connection::Postgres(conn) | Connection::Citus(conn) => other.for_update().first(*conn).optional()?,
    })
}

fn run_now(conn: &mut Connection<'_>, id: i64, now: i64) -> Result<(), StoreError> {
    let due = (
        dsl::is_dead.eq(false),
        dsl::attempts.eq(0),
        dsl::run_at.eq(now),
        dsl::takeable_at.eq(now),
    );
    let row = diesel::update(dsl::liveness_jobs.find(id)).set(due);
    on_either!(conn, |conn| row.execute(*conn))?;
    Ok(())
}

/// What there is of these kinds. No count goes on for ever.
pub(crate) fn count(conn: &mut Connection<'_>, kinds: &[JobKind], now: i64) -> Result<Vec<JobCounts>, StoreError> {
    let count = |kind: &JobKind| {
        let next = leases::next(conn, *kind)?;
        let late = next.map_or(0, |at| now.saturating_sub(at).max(0));
        Ok(JobCounts {
            kind: kind.name(),
            waiting: rows_of(conn, *kind, " AND NOT is_dead LIMIT 10000) AS counted")?,
            dead: rows_of(conn, *kind, " AND is_dead LIMIT 10000) AS counted")?,
            late_seconds: late.unsigned_abs() / 1000,
        })
    };
    kinds.iter().map(count).collect()
}

/// How many rows of a kind meet a condition, up to a limit.
fn rows_of(conn: &mut Connection<'_>, kind: JobKind, condition: &str) -> Result<u64, StoreError> {
    let counted = sql::<BigInt>("SELECT count(*) FROM (SELECT 1 FROM liveness_jobs WHERE kind = ")
        .bind::<Text, _>(kind.name())
        .sql(condition);
    let rows: i64 = on_either!(conn, |conn| counted.get_result(*conn))?;
    Ok(rows.unsigned_abs())
}
