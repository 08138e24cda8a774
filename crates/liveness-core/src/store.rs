//! The only door to the database.
//!
//! Every operation is a future that runs its SQL on tokio's blocking threads, never on the caller's.
//! A [`Store`] is a handle: cloning it is cheap, and all clones share their connections.
//! Where SQL is written: one file a table, in the folder of this module.

mod among;
mod audit_entries;
mod checks;
mod connection;
mod counts;
mod diagnosis;
mod error;
mod file;
mod images;
mod insert;
mod migrations;
#[cfg(test)]
mod plans;
mod pool;
mod postgres;
mod reader;
mod recording;
mod schema;
mod sessions;
mod sqlite;
mod stats;
mod together;
mod users;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{AuditEntry, CheckEvidence, CompletionRule, FaceImage, LivenessCheck, Timestamp, User};

pub use self::audit_entries::insert as insert_audit_entry;
pub use self::checks::{CheckFilter, CheckPage, CheckSpan, PageRequest};
pub use self::connection::Connection;
pub use self::diagnosis::{Diagnosis, Setting};
pub use self::error::{OpenError, StoreError};
pub use self::postgres::{PostgresPool, PostgresSettings};
pub use self::recording::{Recorded, Recording};
pub use self::sqlite::{SqlitePool, SqliteSettings};
pub use self::stats::{Distribution, StoreStats};
pub use self::users::StoredUsers;
pub use self::writer::GroupCommit;

use self::file::DatabaseFile;
use self::pool::{Connections, Pool};
use self::recording::{Write, Written};
use self::together::Together;
use self::writer::Writer;

/// The database of liveness checks.
///
/// ```
/// use liveness_core::store::Store;
///
/// let store = Store::in_memory()?;
/// store.migrate()?;
/// # Ok::<(), liveness_core::store::OpenError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Store {
    connections: Arc<Connections>,
    writer: Arc<Writer>,
    questions: Questions,
}

/// What is asked with most requests.
#[derive(Clone, Debug)]
struct Questions {
    user: Arc<Together<i64, Option<User>>>,
    user_by_user_id: Arc<Together<String, Option<User>>>,
    completing_check: Arc<Together<(i64, CompletionRule), Option<LivenessCheck>>>,
}

impl Questions {
    fn new() -> Self {
        Self {
            user: Together::new(users::each),
            user_by_user_id: Together::new(users::each_by_user_id),
            completing_check: Together::new(checks::each_completing),
        }
    }

    fn waiting(&self) -> usize {
        self.user.waiting() + self.user_by_user_id.waiting() + self.completing_check.waiting()
    }
}

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
            return Self::of(Self::shared(Pool::Postgres(pool)), settings.group_commit);
        }
        let path = Path::new(sqlite::path(url)?);
        let (readers, writer) = sqlite::open_file(path, settings.creates_file)?;
        let file = DatabaseFile::at(path)?;
        let connections = Connections::new(Pool::Sqlite(readers), Pool::Sqlite(writer), Some(file));
        Self::of(connections, settings.group_commit)
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
        Self::of(Self::shared(pool), GroupCommit::default())
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
        let connections = Self::shared(Pool::Postgres(pool)).with_settings(settings);
        Self::of(connections, GroupCommit::default())
    }

    /// A database of its own, in memory, which ends with the last clone of this handle. For tests.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when SQLite cannot make it.
    pub fn in_memory() -> Result<Self, OpenError> {
        Self::of(Self::shared(Pool::Sqlite(sqlite::in_memory()?)), GroupCommit::default())
    }

    fn shared(pool: Pool) -> Connections {
        Connections::new(pool.clone(), pool, None)
    }

    fn of(connections: Connections, group_commit: GroupCommit) -> Result<Self, OpenError> {
        let connections = Arc::new(connections);
        let writer = Arc::new(Writer::start(&connections, group_commit)?);
        Ok(Self {
            connections,
            writer,
            questions: Questions::new(),
        })
    }

    /// The same database, with writes collected otherwise.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the threads that write cannot be started.
    pub fn with_group_commit(self, group_commit: GroupCommit) -> Result<Self, OpenError> {
        let writer = Arc::new(Writer::start(&self.connections, group_commit)?);
        Ok(Self { writer, ..self })
    }

    /// Brings the schema up to date; nodes that do so at once take turns. Blocks. After it has failed, everything is
    /// [`StoreError::Unavailable`] until it succeeds. Gives back the names of the migrations that it ran.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the database is out of reach or a migration fails, with nothing changed.
    pub fn migrate(&self) -> Result<Vec<String>, OpenError> {
        let settings = self.connections.settings();
        self.connections.migrate(|conn| migrations::run(conn, settings))
    }

    /// Refuses a database whose schema is not that of this program. Blocks, and changes nothing.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when it is not, or the database cannot be asked.
    pub fn check_schema(&self) -> Result<(), OpenError> {
        let (lacking, unknown) = self.connections.inspect(migrations::state)?;
        match (&*lacking, &*unknown) {
            ([], []) => Ok(()),
            ([], [version, ..]) => Err(OpenError::new(format!(
                "the database's schema is newer than this program: it has migration {version}"
            ))),
            ([name, ..], _) => Err(OpenError::new(format!(
                "the database's schema is not up to date: it lacks {name}; run `migrate` first"
            ))),
        }
    }

    /// What the database says of itself, for who runs it. Blocks, and leaves nothing changed.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the database cannot be asked.
    pub fn diagnose(&self) -> Result<Diagnosis, OpenError> {
        self.connections.inspect(diagnosis::of)
    }

    /// Answers when the database can be read.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it cannot.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let read = |conn: &mut Connection<'_>| Ok(conn.execute("SELECT 1 FROM liveness_checks LIMIT 1")?);
        self.connections.read(read).await
    }

    /// What the store is doing, in numbers. Asks nothing of the database.
    pub fn stats(&self) -> StoreStats {
        let connections = &self.connections;
        let waiting_reads = connections.waiting_reads() + self.questions.waiting();
        connections
            .counters()
            .snapshot(connections.state(), waiting_reads, self.writer.waiting())
    }

    /// Records a check: the record, its image, its audit entry, the ownership of its session and its
    /// idempotency key are one transaction, durable when this answers. Calls that wait for it at the same time share it.
    ///
    /// # Errors
    ///
    /// [`StoreError::SessionOfAnotherUser`] and [`StoreError::IdempotencyKeyReused`], with nothing recorded;
    /// [`StoreError::OutcomeUnknown`] when the commit itself failed.
    pub async fn record(&self, recording: Recording) -> Result<Recorded, StoreError> {
        match self.writer.write(Write::Recording(Box::new(recording))).await? {
            Written::Recorded(recorded) => Ok(*recorded),
            other => Err(unexpected(&other)),
        }
    }

    /// Writes an audit entry, durable when this answers.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::OutcomeUnknown`] when it may not have been written.
    pub async fn append_audit_entry(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.append_audit_entries(vec![entry]).await
    }

    /// Writes audit entries, all of them durable when this answers.
    ///
    /// # Errors
    ///
    /// As [`append_audit_entry`](Self::append_audit_entry); all of them are written, or none.
    pub async fn append_audit_entries(&self, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
        self.writer.write(Write::AuditEntries(entries)).await.map(drop)
    }

    /// The newest audit entries, newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn newest_audit_entries(&self, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
        self.connections
            .read(move |conn| audit_entries::newest(conn, limit))
            .await
    }

    /// The record by which a user has completed the check under `rule`, if there is one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn completing_check(
        &self,
        self_service_user_id: i64,
        rule: CompletionRule,
    ) -> Result<Option<LivenessCheck>, StoreError> {
        let question = (self_service_user_id, rule);
        self.questions.completing_check.ask(&self.connections, question).await
    }

    /// The same with its face.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn completing_check_with_image(
        &self,
        self_service_user_id: i64,
        rule: CompletionRule,
    ) -> Result<Option<(LivenessCheck, Option<FaceImage>)>, StoreError> {
        let read = move |conn: &mut Connection<'_>| {
            let Some(check) = checks::completing(conn, self_service_user_id, rule)? else {
                return Ok(None);
            };
            let image = images::of(conn, &check)?;
            Ok(Some((check, image)))
        };
        self.connections.read(read).await
    }

    /// All that is known of the check of that id, face included.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn evidence(&self, id: i64) -> Result<Option<CheckEvidence>, StoreError> {
        let read = move |conn: &mut Connection<'_>| {
            let Some((check, details)) = checks::with_details(conn, id)? else {
                return Ok(None);
            };
            let image = images::of(conn, &check)?;
            Ok(Some(CheckEvidence { check, details, image }))
        };
        self.connections.read(read).await
    }

    /// One page of records, newest first, and how many there are in all.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn checks(&self, filter: CheckFilter, page: PageRequest) -> Result<CheckPage, StoreError> {
        self.connections
            .read(move |conn| checks::page(conn, &filter, page))
            .await
    }

    /// The next records of a span, oldest first: those behind the record of this time and id, or from the beginning.
    /// However far it has come, a step costs the same. A record that was acknowledged before the first step is met.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn checks_after(
        &self,
        span: CheckSpan,
        after: Option<(Timestamp, i64)>,
        limit: i64,
    ) -> Result<Vec<LivenessCheck>, StoreError> {
        self.connections
            .read(move |conn| checks::after(conn, &span, after, limit))
            .await
    }

    /// The face of a record, if it has one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn image(&self, check_id: i64) -> Result<Option<FaceImage>, StoreError> {
        self.connections.read(move |conn| images::get(conn, check_id)).await
    }

    /// The user of that id.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn user(&self, id: i64) -> Result<Option<User>, StoreError> {
        self.questions.user.ask(&self.connections, id).await
    }

    /// The users of those ids that exist.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn users(&self, ids: Vec<i64>) -> Result<Vec<User>, StoreError> {
        self.connections.read(move |conn| users::find(conn, &ids)).await
    }

    /// The user of that `UserId`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn user_by_user_id(&self, user_id: String) -> Result<Option<User>, StoreError> {
        self.questions.user_by_user_id.ask(&self.connections, user_id).await
    }

    /// The users of those `UserId`s that exist.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn users_by_user_ids(&self, user_ids: Vec<String>) -> Result<Vec<User>, StoreError> {
        self.connections
            .read(move |conn| users::find_by_user_ids(conn, &user_ids))
            .await
    }

    /// Adds users, and changes those whose ids are known, in one transaction. No two may be of one id.
    ///
    /// # Errors
    ///
    /// [`StoreError::Internal`], with nothing written, when a `UserId` is another user's.
    pub async fn put_users(&self, users: Vec<User>, now: Timestamp) -> Result<(), StoreError> {
        self.writer.write(Write::Users(users, now)).await.map(drop)
    }

    /// Adds a user unless the id or the `UserId` is taken, and answers the user of that id, if there is one then.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn add_user(&self, user: User, now: Timestamp) -> Result<Option<User>, StoreError> {
        match self.writer.write(Write::User(user, now)).await? {
            Written::User(user) => Ok(user),
            other => Err(unexpected(&other)),
        }
    }
}

fn unexpected(written: &Written) -> StoreError {
    StoreError::internal(format!("another call's answer came back: {written:?}"))
}
