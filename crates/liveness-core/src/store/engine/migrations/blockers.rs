//! Says in the log which sessions of PostgreSQL hold a migration up.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, PooledConnection};
use diesel::sql_types::{Integer, Nullable, Text};

/// The time between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// The time after which the same sessions are named again.
const REMINDER: Duration = Duration::from_secs(30);

/// A connection of the pool that does not migrate.
pub(crate) type Companion = PooledConnection<ConnectionManager<PgConnection>>;

/// The sessions that hold a migration up, as they were named last.
#[derive(Default)]
pub(super) struct Blockers {
    named: Vec<String>,
    at: Option<Instant>,
}

impl Blockers {
    /// Names the sessions whose process ids a subquery finds, unless they were named shortly before. A failed look is
    /// not told, because the migration itself tells of trouble with the database.
    pub(super) fn name(&mut self, conn: &mut PgConnection, process_ids: &str) {
        let sessions = format!(
            "SELECT pid, usename::text, application_name FROM pg_stat_activity WHERE pid IN ({process_ids}) ORDER BY pid"
        );
        let sessions = sql::<(Integer, Nullable<Text>, Nullable<Text>)>(&sessions);
        let found: Vec<(i32, Option<String>, Option<String>)> = sessions.load(conn).unwrap_or_default();
        let describe = |(process, role, application): (i32, Option<String>, Option<String>)| {
            let role = role.unwrap_or_else(|| "unknown".to_owned());
            let application = application.filter(|name| !name.is_empty());
            let application = application
                .map(|name| format!(", application {name:?}"))
                .unwrap_or_default();
            format!("process {process} (role {role}{application})")
        };
        let found: Vec<_> = found.into_iter().map(describe).collect();
        let was_just_named = self.named == found && self.at.is_some_and(|at| at.elapsed() < REMINDER);
        if !found.is_empty() && !was_just_named {
            log::warn!(
                "the migration waits for other sessions of the database: {}; it goes on when they have ended their \
                 transaction, or let go of their lock",
                found.join(", ")
            );
            self.named = found;
            self.at = Some(Instant::now());
        }
    }
}

/// Runs `work`, which uses the session of another process of the server. Meanwhile the companion looks what holds that
/// session up. Without a companion nothing is told.
pub(super) fn while_watched<T>(process_id: i32, companion: Option<Companion>, work: impl FnOnce() -> T) -> T {
    let Some(mut companion) = companion else {
        return work();
    };
    let (end, ended) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut blockers = Blockers::default();
            let blocking = format!("SELECT unnest(pg_blocking_pids({process_id}))");
            while ended.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                blockers.name(&mut companion, &blocking);
            }
        });
        let done = work();
        drop(end);
        done
    })
}
