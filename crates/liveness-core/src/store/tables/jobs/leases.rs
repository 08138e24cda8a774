//! Takes jobs, and ends them. What a lease is:
//!
//! - A runner takes a job until a time by the clock of the database, and moves that time on while it runs. All nodes see that one
//!   clock, so their own clocks need not agree, and may be wrong.
//! - Each lease has a random token. What a runner does to its job is refused once another one has taken it, so a runner that was
//!   halted for long cannot end the job of another.
//! - While the clock of the database goes evenly, no job runs twice at once. If it jumps ahead, or a standby with another clock takes
//!   over, leases end early, and a second runner may begin a job that the first still runs. If the clock is set back, leases end
//!   later, and jobs run later, by as much. So a handler must bear being run twice: jobs are run at least once.

use diesel::dsl::not;
use diesel::prelude::*;

use super::adding::{self, Successor};
use super::job::TakenJob;
use crate::Timestamp;
use crate::jobs::{JobDone, JobKind, next_run};
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_jobs::dsl;

/// Takes the job of a kind that has been due for longest. Two nodes that do so at once take two jobs: PostgreSQL leaves out a row
/// that another transaction has locked, and SQLite has one writer.
pub(crate) fn take(
    conn: &mut Connection<'_>,
    kind: JobKind,
    owner: [u8; 16],
    now: i64,
    lease: i64,
) -> Result<Option<TakenJob>, StoreError> {
    let due = dsl::liveness_jobs
        .filter(
            dsl::kind
                .eq(kind.name())
                .and(not(dsl::is_dead))
                .and(dsl::takeable_at.le(now)),
        )
        .order((dsl::takeable_at, dsl::id))
        .limit(1)
        .select((dsl::id, dsl::key, dsl::payload, dsl::attempts));
    let found: Option<(i64, Option<String>, String, i32)> = match conn {
        Connection::Sqlite(conn) => due.first(*conn).optional()?,
        Connection::Postgres(conn) | Connection::Citus(conn) => {
            due.for_update().skip_locked().first(*conn).optional()?
        }
    };
    let Some((id, key, payload, attempts)) = found else {
        return Ok(None);
    };
    let attempts = attempts.saturating_add(1);
    let taken = (
        dsl::owner.eq(owner.as_slice()),
        dsl::takeable_at.eq(now.saturating_add(lease)),
        dsl::attempts.eq(attempts),
    );
    let row = diesel::update(dsl::liveness_jobs.find(id)).set(taken);
    on_either!(conn, |conn| row.execute(*conn))?;
    Ok(Some(TakenJob {
        id,
        key,
        // Its handler refuses what it does not understand. An error here would keep all jobs behind it waiting.
        payload: serde_json::from_str(&payload).unwrap_or_default(),
        attempt: u32::try_from(attempts).unwrap_or_default(),
        owner,
    }))
}

/// From when on the next job of a kind may be taken.
pub(crate) fn next(conn: &mut Connection<'_>, kind: JobKind) -> Result<Option<i64>, StoreError> {
    let next = dsl::liveness_jobs
        .filter(dsl::kind.eq(kind.name()).and(not(dsl::is_dead)))
        .order((dsl::takeable_at, dsl::id))
        .select(dsl::takeable_at);
    Ok(on_either!(conn, |conn| next.first(*conn).optional())?)
}

/// When the next job of a kind is due.
pub(crate) fn next_due(conn: &mut Connection<'_>, kind: JobKind) -> Result<Option<Timestamp>, StoreError> {
    let next = dsl::liveness_jobs
        .filter(dsl::kind.eq(kind.name()).and(not(dsl::is_dead)))
        .order((dsl::takeable_at, dsl::id))
        .select(dsl::run_at);
    let next: Option<i64> = on_either!(conn, |conn| next.first(*conn).optional())?;
    Ok(next.and_then(Timestamp::from_unix_millis))
}

/// Moves the end of a lease on. Returns whether the lease was still held.
pub(crate) fn extend(conn: &mut Connection<'_>, job: &TakenJob, until: i64) -> Result<bool, StoreError> {
    let row = dsl::liveness_jobs
        .find(job.id)
        .filter(dsl::owner.eq(job.owner.as_slice()));
    let extended = diesel::update(row).set(dsl::takeable_at.eq(until));
    Ok(on_either!(conn, |conn| extended.execute(*conn))? > 0)
}

/// Gives a job back that was not done, as if it had not been begun. Returns whether the lease was still held.
pub(crate) fn release(conn: &mut Connection<'_>, job: &TakenJob) -> Result<bool, StoreError> {
    let Some(held) = held(conn, job)? else { return Ok(false) };
    let released = (
        dsl::owner.eq(None::<&[u8]>),
        dsl::takeable_at.eq(held.run_at),
        dsl::attempts.eq((held.attempts - 1).max(0)),
    );
    let row = diesel::update(dsl::liveness_jobs.find(job.id)).set(released);
    on_either!(conn, |conn| row.execute(*conn))?;
    Ok(true)
}

/// Ends a job that is done: deletes it, or has it run again. Returns whether the lease was still held.
pub(crate) fn complete(conn: &mut Connection<'_>, job: &TakenJob, done: JobDone, now: i64) -> Result<bool, StoreError> {
    let Some(held) = held(conn, job)? else { return Ok(false) };
    let asked_for = match done {
        JobDone::RunAgainAt(at) => Some(at.unix_millis()),
        JobDone::Done => None,
    };
    let soonest = [asked_for, held.again_at].into_iter().flatten().min();
    match soonest.or_else(|| held.next_period(now)) {
        Some(run_at) => wait(conn, job.id, run_at, 0, None)?,
        None => {
            let row = diesel::delete(dsl::liveness_jobs.find(job.id));
            on_either!(conn, |conn| row.execute(*conn))?;
        }
    }
    Ok(true)
}

/// Has a job that failed run again after a while, or gives it up. Returns whether the lease was still held.
pub(crate) fn fail(
    conn: &mut Connection<'_>,
    job: &TakenJob,
    error: &str,
    retry_after: Option<i64>,
    now: i64,
) -> Result<bool, StoreError> {
    let Some(held) = held(conn, job)? else { return Ok(false) };
    match retry_after {
        Some(after) => wait(conn, job.id, now.saturating_add(after), held.attempts, Some(error))?,
        None => give_up(conn, job.id, &held, error, now)?,
    }
    Ok(true)
}

/// What an ending needs to know of a job whose lease is held.
#[derive(Queryable)]
struct Held {
    kind: String,
    key: Option<String>,
    payload: String,
    every: Option<i64>,
    run_at: i64,
    attempts: i32,
    again_at: Option<i64>,
}

impl Held {
    /// When it is due next, if it is periodic.
    fn next_period(&self, now: i64) -> Option<i64> {
        let every = std::time::Duration::from_millis(self.every?.unsigned_abs());
        let (run_at, now) = (
            Timestamp::from_unix_millis(self.run_at)?,
            Timestamp::from_unix_millis(now)?,
        );
        Some(next_run(run_at, every, now).unix_millis())
    }
}

/// The job, locked until the end of the transaction, if the lease is still held.
fn held(conn: &mut Connection<'_>, job: &TakenJob) -> Result<Option<Held>, StoreError> {
    let held = dsl::liveness_jobs
        .find(job.id)
        .filter(dsl::owner.eq(job.owner.as_slice()))
        .select((
            dsl::kind,
            dsl::key,
            dsl::payload,
            dsl::every,
            dsl::run_at,
            dsl::attempts,
            dsl::again_at,
        ));
    Ok(match conn {
        Connection::Sqlite(conn) => held.first(*conn).optional()?,
        Connection::Postgres(conn) | Connection::Citus(conn) => held.for_update().first(*conn).optional()?,
    })
}

/// Puts a job back among those that wait.
fn wait(
    conn: &mut Connection<'_>,
    id: i64,
    run_at: i64,
    attempts: i32,
    last_error: Option<&str>,
) -> Result<(), StoreError> {
    let waiting = (
        dsl::owner.eq(None::<&[u8]>),
        dsl::again_at.eq(None::<i64>),
        dsl::run_at.eq(run_at),
        dsl::takeable_at.eq(run_at),
        dsl::attempts.eq(attempts),
        dsl::last_error.eq(last_error),
    );
    let row = diesel::update(dsl::liveness_jobs.find(id)).set(waiting);
    on_either!(conn, |conn| row.execute(*conn))?;
    Ok(())
}

/// Deletes what was given up of a key.
pub(crate) fn delete_dead(conn: &mut Connection<'_>, kind: &str, key: &str) -> Result<(), StoreError> {
    let dead = dsl::liveness_jobs.filter(dsl::is_dead.and(dsl::kind.eq(kind)).and(dsl::key.eq(key)));
    on_either!(conn, |conn| diesel::delete(dead).execute(*conn))?;
    Ok(())
}

/// Gives a job up. If it is periodic, or was added once more while it ran, another follows it. Of those that were given up of one
/// key, only the last is kept, so that a periodic job that always fails does not fill the table.
fn give_up(conn: &mut Connection<'_>, id: i64, held: &Held, error: &str, now: i64) -> Result<(), StoreError> {
    if let Some(key) = &held.key {
        delete_dead(conn, &held.kind, key)?;
    }
    let dead = (
        dsl::is_dead.eq(true),
        dsl::owner.eq(None::<&[u8]>),
        dsl::again_at.eq(None::<i64>),
        dsl::last_error.eq(error),
    );
    let row = diesel::update(dsl::liveness_jobs.find(id)).set(dead);
    on_either!(conn, |conn| row.execute(*conn))?;
    let (Some(key), Some(run_at)) = (&held.key, held.again_at.or_else(|| held.next_period(now))) else {
        return Ok(());
    };
    let successor = Successor {
        kind: &held.kind,
        key,
        payload: &held.payload,
        every: held.every,
        run_at,
        now,
    };
    adding::add_successor(conn, &successor)
}
