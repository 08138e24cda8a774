//! The connections of a store: to read, to write, and to look at the schema.

mod attempts;
mod sessions;

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use self::sessions::second_of;
use super::connection::Connection;
use super::database_file::DatabaseFile;
use super::error::{KEY_STORE, OpenError, StoreError};
use super::file_trouble::FileTrouble;
use super::migrations::{self, Companion, SchemaState, Sharding};
use super::pool::{Pool, PoolState};
use super::postgres::PostgresSettings;
use super::schema_gate::{SchemaFit, SchemaGate};
use super::sqlite::{self, WrittenBack};

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
}
