//! Opens a store by a URL, or on a pool of an embedding backend.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::engine::connections::{Acceptance, Connections};
use super::engine::database_file::DatabaseFile;
use super::engine::error::OpenError;
use super::engine::file_trouble::{self, FileTrouble};
use super::engine::pool::Pool;
use super::engine::postgres::{self, PostgresPool, PostgresSettings};
use super::engine::sqlite::{self, SqlitePool};
use super::keys::FaceKeys;
use super::queue::group_commit::GroupCommit;
use super::tables::face_objects::FaceObjects;
use super::{Store, Tools};
use crate::faces::FacePlace;
use crate::policy::Policy;
use crate::{Clock, CompletionRule};

impl StoreSettings {
    fn acceptance(&self) -> Acceptance {
        Acceptance {
            changing_sessions: self.accepts_changing_sessions,
            newer_schema: self.accepts_newer_schema,
        }
    }
}

/// The settings of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreSettings {
    /// The most connections to PostgreSQL. SQLite always has one connection that writes and four that read.
    pub connections: u32,
    /// Whether a missing SQLite file is created.
    pub creates_file: bool,
    /// Whether a pooler is accepted that changes the session of a connection. Settings of the session are then lost, and
    /// acknowledged commits may be lost with them.
    pub accepts_changing_sessions: bool,
    /// Whether a database is accepted that has migrations which this program does not know, and must not run with.
    pub accepts_newer_schema: bool,
    /// Whether everything is unavailable until [`Store::migrate`] or [`Store::check_schema`] has succeeded.
    pub awaits_schema: bool,
    /// How writes are collected.
    pub group_commit: GroupCommit,
}

impl Default for StoreSettings {
    /// 10 connections. A missing file is created.
    fn default() -> Self {
        Self {
            connections: 10,
            creates_file: true,
            accepts_changing_sessions: false,
            accepts_newer_schema: false,
            awaits_schema: false,
            group_commit: GroupCommit::default(),
        }
    }
}

impl Store {
    /// Opens the database that a URL names, with the default settings.
    ///
    /// The URL has one of two forms:
    ///
    /// - `sqlite://PATH`. A missing file is created, and only its owner can read it.
    /// - `postgres://…`, any URL that libpq takes, also with several hosts. This function does not wait for the server.
    ///   While the server is out of reach, every operation fails with
    ///   [`StoreError::Unavailable`](super::StoreError::Unavailable).
    ///
    /// # Errors
    ///
    /// [`OpenError`], which says in one line what is wrong with the URL or the file.
    pub fn open(url: &str) -> Result<Self, OpenError> {
        Self::open_with(url, StoreSettings::default())
    }

    /// Opens the database that a URL names, with settings.
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
            return Self::start_with(shared(Pool::Postgres(pool)), settings);
        }
        let path = Path::new(sqlite::path(url)?);
        let (readers, writer) = sqlite::open_file(path, settings.creates_file)?;
        let file = DatabaseFile::at(path)?;
        let connections = Connections::new(Pool::Sqlite(readers), Pool::Sqlite(writer), Some(file));
        Self::start_with(connections, settings)
    }

    fn start_with(connections: Connections, settings: StoreSettings) -> Result<Self, OpenError> {
        let mut connections = connections.accepting(settings.acceptance());
        if settings.awaits_schema {
            connections = connections.awaiting_schema();
        }
        Self::start(connections, settings.group_commit)
    }

    /// The file that a URL of SQLite names, or `None` for a URL of PostgreSQL. The file need not exist.
    ///
    /// # Errors
    ///
    /// [`OpenError`], which says in one line what is wrong with the URL.
    pub fn file_of(url: &str) -> Result<Option<PathBuf>, OpenError> {
        if postgres::is_url(url) {
            return postgres::check_url(url).map(|()| None);
        }
        Ok(Some(PathBuf::from(sqlite::path(url)?)))
    }

    /// The files of a SQLite database: the database itself, its `-journal`, its `-wal` and its `-shm`. They need not
    /// exist.
    pub fn files_at(path: &Path) -> [PathBuf; 4] {
        file_trouble::files(path)
    }

    /// Looks whether this process may use the file of a URL, what SQLite puts beside it, and its folder. The file need not
    /// exist. A URL of PostgreSQL names no file.
    ///
    /// # Errors
    ///
    /// [`OpenError`], which names the file or folder that it may not use, and what would mend it.
    pub fn check_file(url: &str) -> Result<(), OpenError> {
        let file = Self::file_of(url)?;
        match file.and_then(|path| file_trouble::find(&path)) {
            Some(FileTrouble { problem, mend }) => Err(OpenError::new(problem).mended_by(mend)),
            None => Ok(()),
        }
    }

    /// Opens a store on a pool of SQLite connections of an embedding backend. Our tables are beside the backend's
    /// tables.
    ///
    /// The pool's connections need [`SqliteSettings`](super::SqliteSettings) as their customizer.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the pool gives no connection, or when commits on its connections are not durable.
    pub fn from_sqlite_pool(pool: SqlitePool) -> Result<Self, OpenError> {
        let pool = Pool::Sqlite(sqlite::checked(pool)?);
        Self::start(shared(pool), GroupCommit::default())
    }

    /// Opens a store on a pool of PostgreSQL connections of an embedding backend. Our tables are beside the backend's
    /// tables, or in a schema of their own.
    ///
    /// The pool's connections need the same `settings` as their customizer.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the pool gives no connection, or when its connections do not have these settings.
    pub fn from_postgres_pool(pool: PostgresPool, settings: PostgresSettings) -> Result<Self, OpenError> {
        settings.check(&pool)?;
        let connections = shared(Pool::Postgres(pool)).with_settings(settings);
        Self::start(connections, GroupCommit::default())
    }

    /// Opens a new database in memory, for tests. The database ends with the last clone of this handle.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when SQLite cannot create the database.
    pub fn in_memory() -> Result<Self, OpenError> {
        Self::start(shared(Pool::Sqlite(sqlite::in_memory()?)), GroupCommit::default())
    }

    /// Returns a store on the same connections, with other settings of group commit.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the threads that write cannot be started.
    pub fn with_group_commit(self, group_commit: GroupCommit) -> Result<Self, OpenError> {
        let tools = self.tools();
        Self::with_reads(self.connections, self.reads, tools, group_commit)
    }

    /// Returns a store on the same connections that judges reports by a policy. Without this, it is [`Policy::record`].
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the threads that write cannot be started.
    pub fn with_policy(self, policy: Policy) -> Result<Self, OpenError> {
        let group_commit = self.writer.settings();
        let tools = Tools {
            in_force: Arc::new(self.in_force.with_policy(policy)),
            ..self.tools()
        };
        Self::with_reads(self.connections, self.reads, tools, group_commit)
    }

    /// Returns a store on the same connections whose event `liveness.user.passed` tells that a user has passed by this rule. Without
    /// this, it is [`CompletionRule::AnySuccessful`].
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the threads that write cannot be started.
    pub fn with_passing_rule(self, rule: CompletionRule) -> Result<Self, OpenError> {
        let group_commit = self.writer.settings();
        let tools = Tools {
            in_force: Arc::new(self.in_force.with_passing_rule(rule)),
            ..self.tools()
        };
        Self::with_reads(self.connections, self.reads, tools, group_commit)
    }

    /// Returns a store on the same connections that measures by this clock how long users have waited who have failed or recorded
    /// too much. The clock must not jump. Without this, it is [`SteadyClock`](crate::SteadyClock).
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the threads that write cannot be started.
    pub fn with_steady_clock(self, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let group_commit = self.writer.settings();
        let tools = Tools {
            in_force: Arc::new(self.in_force.with_steady_clock(clock)),
            ..self.tools()
        };
        Self::with_reads(self.connections, self.reads, tools, group_commit)
    }

    /// Returns a store on the same connections that seals each face, and opens those that are sealed. Without this, faces
    /// are recorded in clear, and sealed ones cannot be opened.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the threads that write cannot be started.
    pub fn with_sealed_faces(self, keys: FaceKeys) -> Result<Self, OpenError> {
        let group_commit = self.writer.settings();
        let mut tools = self.tools();
        tools.faces.keys = Arc::new(Some(Arc::new(keys.accepting(self.connections.acceptance()))));
        Self::with_reads(self.connections, self.reads, tools, group_commit)
    }

    /// Returns a store on the same connections that puts new faces into a place outside the database, before their record is
    /// committed. Faces that are in the database are still read. Faces outside the database are always sealed, so call
    /// [`with_sealed_faces`](Self::with_sealed_faces) first.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when this store does not seal faces, or the threads that write cannot be started.
    pub fn with_faces_in(self, place: Arc<dyn FacePlace>) -> Result<Self, OpenError> {
        if self.face_keys().is_none() {
            return Err(OpenError::new(
                "faces outside the database are always sealed, and there are no keys".to_owned(),
            )
            .mended_by("set LIVENESS_FACE_KEYS"));
        }
        self.with_objects(FaceObjects::new(place, true))
    }

    /// Returns a store on the same connections that reads the faces in a place outside the database, and puts new ones into
    /// the database.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the threads that write cannot be started.
    pub fn with_older_faces_in(self, place: Arc<dyn FacePlace>) -> Result<Self, OpenError> {
        self.with_objects(FaceObjects::new(place, false))
    }

    fn with_objects(self, objects: FaceObjects) -> Result<Self, OpenError> {
        let group_commit = self.writer.settings();
        let mut tools = self.tools();
        tools.faces.objects = Some(Arc::new(objects));
        Self::with_reads(self.connections, self.reads, tools, group_commit)
    }
}

/// Uses one pool both to read and to write.
fn shared(pool: Pool) -> Connections {
    Connections::new(pool.clone(), pool, None)
}
