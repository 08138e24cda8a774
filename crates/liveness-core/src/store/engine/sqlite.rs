//! Sets up connections to SQLite so that a commit is durable, and creates pools of them.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use diesel::sqlite::SqliteConnection;

use super::database_file::{cannot_open, uri_of};
use super::error::{OpenError, StoreError};
use super::timeouts::WAIT;

/// A pool of SQLite connections, by diesel and r2d2.
pub type SqlitePool = Pool<ConnectionManager<SqliteConnection>>;

/// The number of connections that read a file of the store. One more connection writes.
const READERS: u32 = 4;

// Older versions can lose commits in WAL mode when there is more than one connection.
const _: () = assert!(
    libsqlite3_sys::SQLITE_VERSION_NUMBER >= 3_051_003,
    "SQLite 3.51.3 or newer is needed"
);

/// Sets up a connection as the store needs it, so that a commit is durable.
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

    /// The pragmas run one by one, in this order. `synchronous` is FULL, because with NORMAL a power cut loses
    /// acknowledged commits.
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
        // A batch changes many pages in different places. The cache holds 16 MB of pages, and a checkpoint writes as
        // many back to the file together.
        let own: &[_] = if self.read_only {
            &["PRAGMA query_only = ON"]
        } else {
            &["PRAGMA cache_size = -16000", "PRAGMA wal_autocheckpoint = 4000"]
        };
        for pragma in Self::PRAGMAS.iter().chain(own) {
            conn.batch_execute(pragma).map_err(diesel::r2d2::Error::QueryError)?;
        }
        Ok(())
    }
}

/// The path in `sqlite://PATH`.
pub(crate) fn path(url: &str) -> Result<&str, OpenError> {
    match url.split_once("://") {
        Some(("sqlite", path)) if !path.is_empty() && !path.contains(['?', '\0']) => Ok(path),
        _ => Err(OpenError::new(
            "the database URL must be sqlite://PATH or postgres://…".to_owned(),
        )),
    }
}

/// Opens a file: a pool of connections that read, and a pool with one connection that writes. With `creates`, a missing
/// file is created.
pub(crate) fn open_file(path: &Path, creates: bool) -> Result<(SqlitePool, SqlitePool), OpenError> {
    // A file that is there is not opened here: closing it again would drop the locks that SQLite holds on it for other
    // connections of this process (https://sqlite.org/howtocorrupt.html, section 2.2).
    let found = if creates {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600).open(path).map(drop)
    } else {
        fs::metadata(path).map(drop)
    };
    match found {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(cannot_open(path, &error)),
        _ => {}
    }
    let uri = uri_of(path);
    // One connection without a pool turns the file to WAL. A pool would try for a long time before it reports an error.
    let mut first = SqliteConnection::establish(&uri).map_err(|error| cannot_open(path, &error))?;
    // SQLite does not use the busy timeout when another process turns the file to WAL at the same time. So this loop
    // waits.
    let deadline = Instant::now() + WAIT;
    while let Err(error) = SqliteSettings::WRITER.on_acquire(&mut first) {
        if error.to_string() != "database is locked" || Instant::now() > deadline {
            return Err(cannot_open(path, &error));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let pool = |size, settings| {
        Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .max_lifetime(None)
            .idle_timeout(None)
            .test_on_check_out(false)
            .connection_timeout(WAIT)
            .connection_customizer(Box::new(settings))
            .build(ConnectionManager::new(&uri))
            .map_err(|error| cannot_open(path, &error))
    };
    let writer = checked(pool(1, SqliteSettings::WRITER)?)?;
    Ok((pool(READERS, SqliteSettings::READER)?, writer))
}

/// What became of a write-ahead log that was written back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WrittenBack {
    /// Whether the file holds all of it.
    pub(crate) is_whole: bool,
    /// Whether it is empty. A reader can keep it from being emptied although the file is whole.
    pub(crate) is_empty: bool,
}

impl WrittenBack {
    /// There is no log.
    pub(crate) const NOTHING: Self = Self {
        is_whole: true,
        is_empty: true,
    };
}

/// Writes the log back into the file, and empties it. Waits for others that read or write.
pub(crate) fn write_back(conn: &mut SqliteConnection, patience: Duration) -> Result<WrittenBack, StoreError> {
    conn.batch_execute(&format!("PRAGMA busy_timeout = {}", patience.as_millis()))?;
    let found = diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result::<Checkpoint>(conn);
    conn.batch_execute(SqliteSettings::PRAGMAS[0])?;
    let found = found?;
    Ok(WrittenBack {
        is_whole: found.log == found.checkpointed,
        is_empty: found.busy == 0,
    })
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    busy: i32,
    #[diesel(sql_type = diesel::sql_types::Integer)]
    log: i32,
    #[diesel(sql_type = diesel::sql_types::Integer)]
    checkpointed: i32,
}

/// A pool with one connection. Another connection to `:memory:` would be another database.
pub(crate) fn in_memory() -> Result<SqlitePool, OpenError> {
    Pool::builder()
        .max_size(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .connection_customizer(Box::new(SqliteSettings::WRITER))
        .build(ConnectionManager::new(":memory:"))
        .map_err(|error| OpenError::new(format!("cannot open a database in memory: {error}")))
}

/// Refuses a pool whose connections are not set up as [`SqliteSettings`] does it.
pub(crate) fn checked(pool: SqlitePool) -> Result<SqlitePool, OpenError> {
    let mut conn = pool.get().map_err(|error| OpenError::out_of_reach(&error))?;
    let journal_mode: String = pragma::<JournalMode>(&mut conn, "journal_mode")?.journal_mode;
    let synchronous = pragma::<Synchronous>(&mut conn, "synchronous")?.synchronous;
    let foreign_keys = pragma::<ForeignKeys>(&mut conn, "foreign_keys")?.foreign_keys;
    drop(conn);
    if journal_mode == "wal" && synchronous >= 2 && foreign_keys == 1 {
        Ok(pool)
    } else {
        Err(OpenError::new(format!(
            "the database's connections have journal_mode={journal_mode}, synchronous={synchronous}, \
             foreign_keys={foreign_keys}; they need wal, 2 (FULL) and 1, as SqliteSettings sets them"
        )))
    }
}

fn pragma<Row>(conn: &mut SqliteConnection, name: &str) -> Result<Row, OpenError>
where
    Row: QueryableByName<diesel::sqlite::Sqlite> + 'static,
{
    diesel::sql_query(format!("PRAGMA {name}"))
        .get_result(conn)
        .map_err(|error| OpenError::new(format!("cannot read the database's {name}: {error}")))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_a_reader_holds_is_in_the_file_and_not_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let open = || SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        let (mut writer, mut reader) = (open(), open());
        writer
            .batch_execute("PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)")
            .unwrap();
        reader.batch_execute("BEGIN; SELECT * FROM t").unwrap();

        let held = write_back(&mut writer, Duration::ZERO).unwrap();
        assert_eq!((held.is_whole, held.is_empty), (true, false));

        reader.batch_execute("COMMIT").unwrap();
        assert_eq!(write_back(&mut writer, Duration::ZERO).unwrap(), WrittenBack::NOTHING);
    }
}
