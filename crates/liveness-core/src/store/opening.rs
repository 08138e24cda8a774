//! Opening a store: by a URL, or on a pool of the embedding backend.

use std::path::{Path, PathBuf};

use super::Store;
use super::engine::connections::{Connections, Pool};
use super::engine::database_file::DatabaseFile;
use super::engine::error::OpenError;
use super::engine::postgres::{self, PostgresPool, PostgresSettings};
use super::engine::sqlite::{self, SqlitePool};
use super::queue::group_commit::GroupCommit;

/// What an operator may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreSettings {
    /// Connections to PostgreSQL. SQLite has one writer and four readers.
    pub connections: u32,
    /// Whether a SQLite file is made where there is none.
    pub creates_file: bool,
    /// How writes are collected.
    pub group_commit: GroupCommit,
}

impl Default for StoreSettings {
    /// 10 connections; a file is made.
    fn default() -> Self {
        Self {
            connections: 10,
            creates_file: true,
            group_commit: GroupCommit::default(),
        }
    }
}

impl Store {
    /// Opens the database of a URL.
    ///
    /// `sqlite://PATH`: the file is made where there is none, readable by its owner only. `postgres://…`, any that libpq
    /// takes, with several hosts too: this does not wait for the server, and whatever is asked while it is out of reach
    /// is [`StoreError::Unavailable`].
    ///
    /// # Errors
    ///
    /// [`OpenError`], which tells in one line what is wrong with the URL or the file.
    pub fn open(url: &str) -> Result<Self, OpenError> {
        Self::open_with(url, StoreSettings::default())
    }

    /// The same with settings.
    ///
    /// # Errors
    ///
    /// As [`Store::open`].
    pub fn open_with(url: &str, settings: StoreSettings) -> Result<Self, OpenError> {
        if postgres::is_url(url) {
            postgres::check_url(url)?;
            if settings.connections == 0 {
                return Err(OpenError::new("there must be at least one connection".to_owned()));
            }
            let pool = postgres::pool(url, settings.connections);
            return Self::start(shared(Pool::Postgres(pool)), settings.group_commit);
        }
        let path = Path::new(sqlite::path(url)?);
        let (readers, writer) = sqlite::open_file(path, settings.creates_file)?;
        let file = DatabaseFile::at(path)?;
        let connections = Connections::new(Pool::Sqlite(readers), Pool::Sqlite(writer), Some(file));
        Self::start(connections, settings.group_commit)
    }

    /// The file that a URL names, where it is SQLite's; it need not be there.
    ///
    /// # Errors
    ///
    /// [`OpenError`], which tells in one line what is wrong with the URL.
    pub fn file_of(url: &str) -> Result<Option<PathBuf>, OpenError> {
        if postgres::is_url(url) {
            return postgres::check_url(url).map(|()| None);
        }
        Ok(Some(PathBuf::from(sqlite::path(url)?)))
    }

    /// Uses a pool of SQLite connections that the embedding backend owns; our tables stand beside its own.
    ///
    /// The pool's connections need [`SqliteSettings`] as their customizer.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when a connection cannot be had or is not set up so that a commit is durable.
    pub fn from_sqlite_pool(pool: SqlitePool) -> Result<Self, OpenError> {
        let pool = Pool::Sqlite(sqlite::checked(pool)?);
        Self::start(shared(pool), GroupCommit::default())
    }

    /// Uses a pool of PostgreSQL connections that the embedding backend owns; our tables stand beside its own, or in a
    /// schema of their own.
    ///
    /// The pool's connections need the same settings as their customizer.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the settings are not the connections'.
    pub fn from_postgres_pool(pool: PostgresPool, settings: PostgresSettings) -> Result<Self, OpenError> {
        settings.check(&pool)?;
        let connections = shared(Pool::Postgres(pool)).with_settings(settings);
        Self::start(connections, GroupCommit::default())
    }

    /// A database of its own, in memory, which ends with the last clone of this handle. For tests.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when SQLite cannot make it.
    pub fn in_memory() -> Result<Self, OpenError> {
        Self::start(shared(Pool::Sqlite(sqlite::in_memory()?)), GroupCommit::default())
    }

    /// The same database with other settings of group commit.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the threads that write cannot be started.
    pub fn with_group_commit(self, group_commit: GroupCommit) -> Result<Self, OpenError> {
        Self::with_reads(self.connections, self.reads, group_commit)
    }
}

/// One pool to read from and to write to.
fn shared(pool: Pool) -> Connections {
    Connections::new(pool.clone(), pool, None)
}
