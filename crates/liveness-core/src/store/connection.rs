//! Connections to SQLite: how they are made, set up, shared and checked.
//!
//! One writer, several readers. What waits for a connection waits here, as a future, so that a busy
//! database holds no thread; past [`WAIT`] it is told so.

use std::fs;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use diesel::sqlite::SqliteConnection;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::error::{self, OpenError, StoreError};
use super::file::{DatabaseFile, cannot_open, uri_of};

/// A pool of SQLite connections, as diesel and r2d2 make one.
pub type SqlitePool = Pool<ConnectionManager<SqliteConnection>>;

/// How long a call waits for its turn at the database.
const WAIT: Duration = Duration::from_secs(5);
const READERS: u32 = 4;

// Older ones can lose commits in WAL mode when there is more than one connection.
const _: () = assert!(
    libsqlite3_sys::SQLITE_VERSION_NUMBER >= 3_051_003,
    "SQLite 3.51.3 or newer is needed"
);

/// Sets up a connection so that a commit is durable, as every connection of a store needs it.
///
/// ```
/// use diesel::r2d2::{ConnectionManager, Pool};
/// use liveness_core::store::SqliteSettings;
///
/// let folder = tempfile::tempdir()?;
/// let pool = Pool::builder()
///     .connection_customizer(Box::new(SqliteSettings::default()))
///     .build(ConnectionManager::<diesel::SqliteConnection>::new(folder.path().join("own.db").to_string_lossy()))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct SqliteSettings {
    read_only: bool,
}

impl SqliteSettings {
    const READER: Self = Self { read_only: true };
    const WRITER: Self = Self { read_only: false };

    /// In this order, each by itself. FULL: with NORMAL a power cut loses commits that were acknowledged.
    const PRAGMAS: [&'static str; 8] = [
        "PRAGMA busy_timeout = 5000",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA foreign_keys = ON",
        "PRAGMA trusted_schema = OFF",
        "PRAGMA mmap_size = 0",
        "PRAGMA temp_store = MEMORY",
        "PRAGMA journal_size_limit = 67108864",
    ];
}

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for SqliteSettings {
    fn on_acquire(&self, conn: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        let query_only = self.read_only.then_some("PRAGMA query_only = ON");
        for pragma in Self::PRAGMAS.into_iter().chain(query_only) {
            conn.batch_execute(pragma).map_err(diesel::r2d2::Error::QueryError)?;
        }
        Ok(())
    }
}

/// One way to the database: its connections, and the turns at them.
#[derive(Debug, Clone)]
struct Lane {
    pool: SqlitePool,
    turns: Arc<Semaphore>,
}

impl Lane {
    fn new(pool: SqlitePool, turns: u32) -> Self {
        Self {
            pool,
            turns: Arc::new(Semaphore::new(turns as usize)),
        }
    }

    fn of_file(path: &Path, uri: &str, settings: SqliteSettings, size: u32) -> Result<Self, OpenError> {
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .max_lifetime(None)
            .idle_timeout(None)
            .test_on_check_out(false)
            .connection_timeout(WAIT)
            .connection_customizer(Box::new(settings))
            .build(ConnectionManager::new(uri))
            .map_err(|error| cannot_open(path, &error))?;
        Ok(Self::new(pool, size))
    }

    async fn run<T: Send + 'static>(
        &self,
        file: Option<&DatabaseFile>,
        operation: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let waited = timeout(WAIT, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = waited.map_err(|_| StoreError::Unavailable("no turn at the database within 5 s".into()))?;
        let turn = turn.map_err(|closed| StoreError::Unavailable(closed.into()))?;
        let pool = self.pool.clone();
        let file = file.cloned();
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            if let Some(file) = file {
                file.check()?;
            }
            operation(&mut *pool.get_timeout(WAIT)?)
        });
        done.await.map_err(|error| StoreError::Internal(error.into()))?
    }
}

/// All connections of a store.
#[derive(Debug)]
pub(super) struct Connections {
    readers: Lane,
    writer: Lane,
    file: Option<DatabaseFile>,
}

impl Connections {
    pub(super) fn open_file(path: &Path) -> Result<Self, OpenError> {
        let made = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        made.map_err(|error| cannot_open(path, &error))?;
        let uri = uri_of(path);
        // One connection by itself, which turns the file to WAL: a pool would try for long before it tells what is wrong.
        let mut first = SqliteConnection::establish(&uri).map_err(|error| cannot_open(path, &error))?;
        SqliteSettings::WRITER
            .on_acquire(&mut first)
            .map_err(|error| cannot_open(path, &error))?;
        let writer = Lane::of_file(path, &uri, SqliteSettings::WRITER, 1)?;
        let readers = Lane::of_file(path, &uri, SqliteSettings::READER, READERS)?;
        let connections = Self {
            readers,
            writer,
            file: Some(DatabaseFile::at(path)?),
        };
        connections.checked()
    }

    pub(super) fn of_pool(pool: SqlitePool) -> Result<Self, OpenError> {
        let readers = Lane::new(pool.clone(), pool.max_size());
        let connections = Self {
            readers,
            writer: Lane::new(pool, 1),
            file: None,
        };
        connections.checked()
    }

    pub(super) fn in_memory() -> Result<Self, OpenError> {
        // One connection for all: each connection to `:memory:` would be a database of its own.
        let pool = Pool::builder()
            .max_size(1)
            .max_lifetime(None)
            .idle_timeout(None)
            .connection_customizer(Box::new(SqliteSettings::WRITER))
            .build(ConnectionManager::new(":memory:"))
            .map_err(|error| OpenError(format!("cannot open a database in memory: {error}")))?;
        let lane = Lane::new(pool, 1);
        Ok(Self {
            readers: lane.clone(),
            writer: lane,
            file: None,
        })
    }

    /// Refuses connections whose commits are not durable.
    fn checked(self) -> Result<Self, OpenError> {
        let mut conn = self
            .writer
            .pool
            .get()
            .map_err(|error| OpenError(format!("cannot reach the database: {error}")))?;
        let journal_mode: String = pragma::<JournalMode>(&mut conn, "journal_mode")?.journal_mode;
        let synchronous = pragma::<Synchronous>(&mut conn, "synchronous")?.synchronous;
        let foreign_keys = pragma::<ForeignKeys>(&mut conn, "foreign_keys")?.foreign_keys;
        drop(conn);
        if journal_mode == "wal" && synchronous >= 2 && foreign_keys == 1 {
            Ok(self)
        } else {
            Err(OpenError(format!(
                "the database's connections have journal_mode={journal_mode}, synchronous={synchronous}, \
                 foreign_keys={foreign_keys}; they need wal, 2 (FULL) and 1, as SqliteSettings sets them"
            )))
        }
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.run(self.file.as_ref(), operation).await
    }

    pub(super) async fn write<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer
            .run(self.file.as_ref(), move |conn| in_transaction(conn, operation))
            .await
    }

    pub(super) fn blocking_write<T>(
        &self,
        operation: impl FnOnce(&mut SqliteConnection) -> Result<T, OpenError>,
    ) -> Result<T, OpenError> {
        let conn = self.writer.pool.get();
        operation(&mut *conn.map_err(|error| OpenError(format!("cannot reach the database: {error}")))?)
    }
}

/// Runs `operation` in one write transaction.
///
/// It begins IMMEDIATE: a deferred one that reads before it writes fails at once when another writes.
fn in_transaction<T>(
    conn: &mut SqliteConnection,
    operation: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut committing = false;
    let result = conn.immediate_transaction(|conn| {
        let value = operation(conn)?;
        committing = true;
        Ok(value)
    });
    result.map_err(|error| if committing { error::of_commit(error) } else { error })
}

fn pragma<Row>(conn: &mut SqliteConnection, name: &str) -> Result<Row, OpenError>
where
    Row: QueryableByName<diesel::sqlite::Sqlite> + 'static,
{
    diesel::sql_query(format!("PRAGMA {name}"))
        .get_result(conn)
        .map_err(|error| OpenError(format!("cannot read the database's {name}: {error}")))
}

#[derive(QueryableByName)]
struct JournalMode {
    #[diesel(sql_type = diesel::sql_types::Text)]
    journal_mode: String,
}

#[derive(QueryableByName)]
struct Synchronous {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    synchronous: i32,
}

#[derive(QueryableByName)]
struct ForeignKeys {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    foreign_keys: i32,
}
