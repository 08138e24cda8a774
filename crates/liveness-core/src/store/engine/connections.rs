//! The connections of a store, and what happens when the database goes away.
//!
//! A broken connection is dropped. The operation is repeated on the next connection, if a repetition does no harm.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::Connection as _;
use diesel::pg::PgConnection;
use diesel::sqlite::SqliteConnection;
use r2d2::{ManageConnection, PooledConnection};

use super::citus;
use super::connection::Connection;
use super::database_file::DatabaseFile;
use super::error::{KEY_STORE, OpenError, StoreError};
use super::file_trouble::FileTrouble;
use super::migrations::{self, Companion, SchemaState, Sharding};
use super::pooler;
use super::postgres::{PostgresPool, PostgresSettings};
use super::schema_gate::{SchemaFit, SchemaGate};
use super::sqlite::{self, SqlitePool, WrittenBack};
use super::timeouts::{RETRY, WAIT};

/// The number of connections of one pool, or of several pools together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PoolState {
    pub(crate) connections: u32,
    pub(crate) idle: u32,
    pub(crate) max: u32,
}

impl std::ops::Add for PoolState {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            connections: self.connections + other.connections,
            idle: self.idle + other.idle,
            max: self.max + other.max,
        }
    }
}

/// A pool of either engine.
#[derive(Debug, Clone)]
pub(crate) enum Pool {
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

    /// The kind of database, as OpenTelemetry's `db.system.name` calls it.
    fn system(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgresql",
        }
    }

    /// How many transactions may write at once. SQLite allows only one. On PostgreSQL, the second transaction is
    /// written while the first is made durable.
    fn writers(&self) -> u32 {
        match self {
            Self::Sqlite(_) => 1,
            Self::Postgres(pool) => pool.max_size().min(2),
        }
    }
}

/// What the operator accepts of a database.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Acceptance {
    /// A pooler that changes the session of a connection.
    pub(crate) changing_sessions: bool,
    /// Migrations that this program must not run with.
    pub(crate) newer_schema: bool,
}

/// All connections of a store.
#[derive(Debug)]
pub(crate) struct Connections {
    readers: Pool,
    writers: Pool,
    file: Option<DatabaseFile>,
    settings: PostgresSettings,
    acceptance: Acceptance,
    /// Whether the server has the extension Citus. The server is asked once.
    is_citus: OnceLock<bool>,
    is_away: AtomicBool,
    schema: SchemaGate,
    /// Whether this is the key store of the faces, and not the database of the records.
    is_key_store: bool,
}

impl Connections {
    /// Takes a pool to read from and a pool to write to. A SQLite file has two pools. Otherwise both are the same pool.
    pub(crate) fn new(readers: Pool, writers: Pool, file: Option<DatabaseFile>) -> Self {
        Self {
            readers,
            writers,
            file,
            settings: PostgresSettings::default(),
            // The list of migrations of a backend that brings its pool may hold migrations of its own.
            acceptance: Acceptance {
                newer_schema: true,
                ..Acceptance::default()
            },
            is_citus: OnceLock::new(),
            is_away: AtomicBool::new(false),
            schema: SchemaGate::new(SchemaFit::Fits),
            is_key_store: false,
        }
    }

    /// The same as those of the key store, which errors and the log then name.
    pub(crate) fn of_key_store(self) -> Self {
        Self {
            is_key_store: true,
            ..self
        }
    }

    /// What the operator accepts of the database.
    pub(crate) fn acceptance(&self) -> Acceptance {
        self.acceptance
    }

    /// The kind of database, as OpenTelemetry's `db.system.name` calls it.
    pub(crate) fn system(&self) -> &'static str {
        self.writers.system()
    }

    fn name(&self) -> &'static str {
        if self.is_key_store { KEY_STORE } else { "the database" }
    }

    pub(crate) fn with_settings(self, settings: PostgresSettings) -> Self {
        Self { settings, ..self }
    }

    pub(crate) fn accepting(self, acceptance: Acceptance) -> Self {
        Self { acceptance, ..self }
    }

    /// Lets no read or write through until the schema was looked at.
    pub(crate) fn awaiting_schema(self) -> Self {
        self.schema.set(SchemaFit::NotUpToDate);
        self
    }

    /// The settings of the connections, if they are to PostgreSQL.
    pub(crate) fn settings(&self) -> &PostgresSettings {
        &self.settings
    }

    /// How many connections there are.
    pub(crate) fn state(&self) -> PoolState {
        match &self.file {
            // A SQLite file has two pools.
            Some(_) => self.readers.state() + self.writers.state(),
            None => self.writers.state(),
        }
    }

    /// How many reads may run at once. Some connections of a shared pool are kept for the writers.
    pub(crate) fn readers(&self) -> u32 {
        let reserved = if self.file.is_none() { self.writers() } else { 0 };
        self.readers.max_size().saturating_sub(reserved).max(1)
    }

    /// How many transactions may write at once.
    pub(crate) fn writers(&self) -> u32 {
        self.writers.writers()
    }

    /// Whether two transactions that write may collide. SQLite lets only one such transaction begin.
    pub(crate) fn can_collide(&self) -> bool {
        matches!(self.writers, Pool::Postgres(_))
    }

    /// Runs a read on the thread of the caller.
    pub(crate) fn read<T>(
        &self,
        operation: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.run(&self.readers, operation)
    }

    /// Runs a write on the thread of the caller.
    pub(crate) fn write<T>(
        &self,
        operation: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.run(&self.writers, operation)
    }

    /// Looks at the schema, on the thread of the caller. From then on, reads and writes go through if this program may
    /// run with the schema, and fail if not.
    pub(crate) fn look_at_schema(&self) -> Result<SchemaState, OpenError> {
        let mut state = self.inspect(|conn| migrations::state(conn, &self.settings))?;
        if self.acceptance.newer_schema {
            state.unknown.clear();
        }
        self.schema.set(state.fit());
        Ok(state)
    }

    /// Brings the schema up to date, on the thread of the caller. After a failed migration, reads and writes fail until
    /// a migration succeeds.
    pub(crate) fn migrate(&self, sharding: &Sharding) -> Result<Vec<String>, OpenError> {
        let state = self
            .look_at_schema()
            .inspect_err(|_| self.schema.set(SchemaFit::NotUpToDate))?;
        if let Some(version) = state.unknown.first() {
            return Err(OpenError::new(format!(
                "cannot migrate the database: its schema is newer than this program, with migration {version}"
            ))
            .mended_by("install the version that made it, or a later one"));
        }
        let migrated = self.on_a_connection(&self.writers, |conn| {
            migrations::run(conn, &self.settings, sharding, || self.companion())
        });
        self.schema.set(match migrated {
            Ok(_) => SchemaFit::Fits,
            Err(_) => SchemaFit::NotUpToDate,
        });
        migrated.map_err(|error| OpenError::of("migrate", &error))
    }

    /// Another connection to PostgreSQL than the one in use, if the pool has one.
    fn companion(&self) -> Option<Companion> {
        match &self.writers {
            Pool::Postgres(pool) => second_of(pool),
            Pool::Sqlite(_) => None,
        }
    }

    /// Runs an operation on a connection that may write, on the thread of the caller. The schema need not be up to
    /// date.
    pub(crate) fn inspect<T>(
        &self,
        inspection: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, OpenError> {
        let found = self.check_sessions().and_then(|()| {
            let found = self.on_a_connection(&self.writers, inspection);
            found.map_err(|error| OpenError::of("inspect", &error))
        });
        found.map_err(|error| if self.is_key_store { error.of_key_store() } else { error })
    }

    /// Refuses a pooler that changes the session of a connection, for which the check needs two connections, or that lets no
    /// transaction begin.
    fn check_sessions(&self) -> Result<(), OpenError> {
        let Pool::Postgres(pool) = &self.writers else {
            return Ok(());
        };
        let mut conn = self.lend(pool).map_err(|error| OpenError::of("reach", &error))?;
        let other = if self.acceptance.changing_sessions {
            None
        } else {
            second_of(pool)
        };
        let changed = match other {
            Some(mut other) => pooler::changes_sessions(&mut conn, &mut other),
            None => conn.transaction(|_| Ok(false)),
        };
        drop(conn);
        match changed {
            Ok(true) => Err(OpenError::new(pooler::CHANGES_SESSIONS.to_owned())
                .mended_by(pooler::MEND)
                .named("pooler")),
            Ok(false) => Ok(()),
            Err(_) if self.refuses_transactions(pool) => {
                Err(OpenError::new(pooler::REFUSES_TRANSACTIONS.to_owned()).mended_by(pooler::MEND))
            }
            // If a connection broke during the check, the next operation reports it.
            Err(_) => Ok(()),
        }
    }

    /// Whether each of two connections takes a statement, and ends at a transaction. Connections that are broken already count
    /// for nothing.
    fn refuses_transactions(&self, pool: &PostgresPool) -> bool {
        let mut refused = 0;
        for _ in 0..=pool.max_size() + 1 {
            let Ok(mut conn) = self.lend(pool) else { return false };
            refused += u32::from(pooler::refuses_transactions(&mut conn));
            if refused == 2 {
                return true;
            }
        }
        false
    }

    fn run<T>(
        &self,
        pool: &Pool,
        operation: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.schema.pass()?;
        self.on_a_connection(pool, operation)
    }

    /// Writes the write-ahead log of a SQLite file back into the file, and empties the log, unless others keep it from being
    /// done in time. Nothing is done for another database, nor if others have put files in place of ours.
    pub(crate) fn write_back(&self, patience: Duration) -> Result<WrittenBack, StoreError> {
        let (Some(file), Pool::Sqlite(pool)) = (&self.file, &self.writers) else {
            return Ok(WrittenBack::NOTHING);
        };
        file.check_not_replaced()?;
        let begun = Instant::now();
        let lent = pool.get_timeout(patience.max(Duration::from_millis(1)));
        let mut conn = lent.map_err(StoreError::unavailable)?;
        sqlite::write_back(&mut conn, patience.saturating_sub(begun.elapsed()))
    }

    /// The file of a SQLite database, unless an embedding backend opened it.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_ref().map(DatabaseFile::path)
    }

    /// The file or folder that keeps this process from a SQLite database, if one does.
    pub(crate) fn file_trouble(&self) -> Option<FileTrouble> {
        self.file.as_ref().and_then(DatabaseFile::trouble)
    }

    /// Runs an operation on a connection of a pool. An error names the file that caused it, if one did.
    fn on_a_connection<T>(
        &self,
        pool: &Pool,
        operation: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Some(file) = &self.file {
            file.check()?;
        }
        self.attempts(pool, operation).map_err(|error| match error {
            StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) => match self.file_trouble() {
                Some(trouble) => error.because_of(&trouble),
                None => error,
            },
            other => other,
        })
    }

    /// Runs an operation on a connection of a pool. If the connection breaks, runs the operation again on the next
    /// connection, unless the transaction may have been committed.
    fn attempts<T>(
        &self,
        pool: &Pool,
        mut operation: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let begun = Instant::now();
        for _ in 0..=pool.max_size() {
            let result = match pool {
                Pool::Sqlite(lender) => {
                    let is_write = std::ptr::eq(pool, &raw const self.writers);
                    self.attempt_on_file(&mut *self.lend(lender)?, is_write, &mut operation)
                }
                Pool::Postgres(pool) => self.attempt_on_server(&mut *self.lend(pool)?, &mut operation),
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

    /// Runs an operation on SQLite. What was written is acknowledged only if it is in the files that others will find.
    fn attempt_on_file<T>(
        &self,
        conn: &mut SqliteConnection,
        is_write: bool,
        operation: &mut impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Some(file) = &self.file else {
            return attempt(conn.into(), operation);
        };
        file.check_log(conn, is_write)?;
        let done = attempt((&mut *conn).into(), operation)?;
        if is_write {
            let is_in_place = file.check().and_then(|()| file.check_log(conn, true));
            is_in_place.map_err(|error| StoreError::outcome_unknown(error.cause()))?;
        }
        Ok(done)
    }

    fn attempt_on_server<T>(
        &self,
        conn: &mut PgConnection,
        operation: &mut impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let is_citus = match self.is_citus.get() {
            Some(is_citus) => *is_citus,
            None => {
                let asked = attempt(conn.into(), &mut |conn| match conn {
                    Connection::Postgres(conn) => Ok(citus::is_installed(conn)?),
                    Connection::Sqlite(_) | Connection::Citus(_) => Ok(false),
                })?;
                *self.is_citus.get_or_init(|| asked)
            }
        };
        let conn = if is_citus {
            Connection::Citus(conn)
        } else {
            Connection::Postgres(conn)
        };
        attempt(conn, operation)
    }

    /// Takes a connection from the pool. Logs when the database goes away, and when it is back.
    fn lend<M: ManageConnection>(&self, pool: &r2d2::Pool<M>) -> Result<PooledConnection<M>, StoreError> {
        let found = match pool.try_get() {
            Some(conn) => Ok(conn),
            None if pool.state().connections > 0 => pool.get_timeout(WAIT).map_err(StoreError::unavailable),
            None if self.is_away.load(Ordering::Relaxed) => {
                return Err(StoreError::unavailable("the database is still out of reach"));
            }
            None => pool.get_timeout(RETRY).map_err(|error| {
                if !self.is_away.swap(true, Ordering::Relaxed) {
                    log::warn!("{} is out of reach: {}", self.name(), OpenError::out_of_reach(&error));
                }
                StoreError::unavailable(error)
            }),
        };
        if found.is_ok() && self.is_away.swap(false, Ordering::Relaxed) {
            log::info!("{} is back", self.name());
        }
        found
    }
}

/// Takes another connection from the pool. Returns `None` if the pool has only one, or if an embedding backend uses all
/// other connections.
fn second_of(pool: &PostgresPool) -> Option<Companion> {
    match pool.state() {
        state if state.idle_connections == 0 && state.connections == pool.max_size() => None,
        _ => pool.get_timeout(RETRY).ok(),
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
