//! The connections of a store: who waits for one, for how long, and what happens when the database goes away.
//!
//! What waits to read waits as a future, so that a busy database holds no thread; past [`WAIT`] it is told so.
//! A connection that broke is dropped, and what can be done again without harm is done again on the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use r2d2::{ManageConnection, PooledConnection};

use super::connection::Connection;
use super::error::{OpenError, StoreError};
use super::file::DatabaseFile;
use super::postgres::{PostgresPool, PostgresSettings};
use super::reader::Readers;
use super::sqlite::SqlitePool;
use super::stats::{Counters, PoolState};

/// How long a call waits for the database.
pub(super) const WAIT: Duration = Duration::from_secs(5);
/// How long the first call waits for a database that went away; those after it do not wait until it is back. Also how
/// often it is looked for.
pub(super) const RETRY: Duration = Duration::from_secs(1);

/// A pool of either engine.
#[derive(Debug, Clone)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PostgresPool),
}

impl Pool {
    fn max_size(&self) -> u32 {
        match self {
            Self::Sqlite(pool) => pool.max_size(),
            Self::Postgres(pool) => pool.max_size(),
        }
    }

    fn state(&self) -> PoolState {
        let state = match self {
            Self::Sqlite(pool) => pool.state(),
            Self::Postgres(pool) => pool.state(),
        };
        PoolState {
            connections: state.connections,
            idle: state.idle_connections,
            max: self.max_size(),
        }
    }

    /// How many transactions may write at once: SQLite lets only one, and with PostgreSQL the second is written while the
    /// first is made durable.
    fn writers(&self) -> u32 {
        match self {
            Self::Sqlite(_) => 1,
            Self::Postgres(pool) => pool.max_size().min(2),
        }
    }
}

/// All connections of a store.
#[derive(Debug)]
pub(super) struct Connections {
    readers: Pool,
    writers: Pool,
    turns: Readers,
    file: Option<DatabaseFile>,
    settings: PostgresSettings,
    counters: Counters,
    is_away: AtomicBool,
    lacks_migrations: AtomicBool,
}

impl Connections {
    /// A pool to read and one to write: of a file they are two, else the same.
    pub(super) fn new(readers: Pool, writers: Pool, file: Option<DatabaseFile>) -> Self {
        // Whoever writes finds a connection, however many read.
        let is_shared = file.is_none();
        let reserved = if is_shared { writers.writers() } else { 0 };
        let turns = readers.max_size().saturating_sub(reserved).max(1);
        Self {
            readers,
            writers,
            turns: Readers::new(turns as usize),
            file,
            settings: PostgresSettings::default(),
            counters: Counters::default(),
            is_away: AtomicBool::new(false),
            lacks_migrations: AtomicBool::new(false),
        }
    }

    pub(super) fn with_settings(self, settings: PostgresSettings) -> Self {
        Self { settings, ..self }
    }

    /// How its connections are set up, where they are PostgreSQL's.
    pub(super) fn settings(&self) -> &PostgresSettings {
        &self.settings
    }

    /// What is counted.
    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many connections there are.
    pub(super) fn state(&self) -> PoolState {
        match &self.file {
            // Two pools, where otherwise one does for both.
            Some(_) => self.readers.state() + self.writers.state(),
            None => self.writers.state(),
        }
    }

    /// How many transactions may write at once.
    pub(super) fn writers(&self) -> u32 {
        self.writers.writers()
    }

    /// Whether two transactions that write may come in each other's way: SQLite lets only one begin.
    pub(super) fn can_collide(&self) -> bool {
        matches!(self.writers, Pool::Postgres(_))
    }

    /// Reads, off the threads of the caller.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        operation: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connections = Arc::clone(self);
        let read = move || connections.read_here(operation);
        self.turns.read(read).await
    }

    /// Does something that reads with [`read_here`](Self::read_here), off the threads of the caller, who does not wait.
    pub(super) fn read_later(&self, run: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
        self.turns.run(run)
    }

    /// Reads, on the thread of the caller.
    pub(super) fn read_here<T>(
        &self,
        operation: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.run(&self.readers, operation)
    }

    /// How many reads wait for a turn.
    pub(super) fn waiting_reads(&self) -> usize {
        self.turns.waiting()
    }

    /// Writes, on the thread of the caller.
    pub(super) fn write<T>(
        &self,
        operation: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.run(&self.writers, operation)
    }

    /// Brings the schema up to date, on the thread of the caller. Until that has succeeded, nothing else does.
    pub(super) fn migrate<T>(
        &self,
        migration: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, OpenError> {
        let migrated = self.on_a_connection(&self.writers, migration);
        self.lacks_migrations.store(migrated.is_err(), Ordering::Release);
        migrated.map_err(|error| OpenError::of("migrate", &error))
    }

    /// Asks on a connection that may write, on the thread of the caller, whether the schema is up to date or not.
    pub(super) fn inspect<T>(
        &self,
        inspection: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, OpenError> {
        let found = self.on_a_connection(&self.writers, inspection);
        found.map_err(|error| OpenError::of("inspect", &error))
    }

    fn run<T>(
        &self,
        pool: &Pool,
        operation: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.lacks_migrations.load(Ordering::Acquire) {
            return Err(StoreError::unavailable("the database's schema is not up to date yet"));
        }
        self.on_a_connection(pool, operation)
    }

    /// Runs an operation on a connection of a pool, and again on the next when it broke, unless it may have been
    /// committed.
    fn on_a_connection<T>(
        &self,
        pool: &Pool,
        mut operation: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Some(file) = &self.file {
            file.check()?;
        }
        let begun = Instant::now();
        for _ in 0..=pool.max_size() {
            let result = match pool {
                Pool::Sqlite(pool) => attempt((&mut *self.of(pool)?).into(), &mut operation),
                Pool::Postgres(pool) => attempt((&mut *self.of(pool)?).into(), &mut operation),
            };
            match result {
                Err(StoreError::Unavailable(cause)) if begun.elapsed() < WAIT => {
                    let error = StoreError::Unavailable(cause);
                    if !error.is_of_the_connection() {
                        return Err(error);
                    }
                }
                other => return other,
            }
        }
        Err(StoreError::unavailable("every connection to the database is broken"))
    }

    /// A connection of the pool.
    fn of<M: ManageConnection>(&self, pool: &r2d2::Pool<M>) -> Result<PooledConnection<M>, StoreError> {
        let found = match pool.try_get() {
            Some(conn) => Ok(conn),
            None if pool.state().connections > 0 => pool.get_timeout(WAIT).map_err(StoreError::unavailable),
            None if self.is_away.load(Ordering::Relaxed) => {
                return Err(StoreError::unavailable("the database is still out of reach"));
            }
            None => pool.get_timeout(RETRY).map_err(|error| {
                if !self.is_away.swap(true, Ordering::Relaxed) {
                    log::warn!("the database is out of reach: {}", OpenError::out_of_reach(&error));
                }
                StoreError::unavailable(error)
            }),
        };
        if found.is_ok() && self.is_away.swap(false, Ordering::Relaxed) {
            log::info!("the database is back");
        }
        found
    }
}

fn attempt<T>(
    mut conn: Connection<'_>,
    operation: &mut impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let result = operation(&mut conn);
    if result.as_ref().is_err_and(StoreError::is_of_the_connection) {
        conn.spoil();
    }
    result
}
