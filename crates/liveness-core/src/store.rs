//! The only door to the database.
//!
//! Every operation is a future that runs its SQL on tokio's blocking threads, never on the caller's.
//! A [`Store`] is a handle: cloning it is cheap, and all clones share their connections.
//! Where SQL is written: one file a table, in the folder of this module.

mod audit_entries;
mod checks;
mod connection;
mod error;
mod file;
mod idempotency_keys;
mod images;
mod migrations;
#[cfg(test)]
mod plans;
mod recording;
mod schema;
mod sessions;
mod users;

use std::path::Path;
use std::sync::Arc;

use diesel::connection::SimpleConnection as _;
use diesel::sqlite::SqliteConnection;

use crate::{AuditEntry, CompletionRule, FaceImage, LivenessCheck, User};

pub use self::audit_entries::insert as insert_audit_entry;
pub use self::checks::{CheckFilter, CheckPage, PageRequest};
pub use self::connection::{SqlitePool, SqliteSettings};
pub use self::error::{OpenError, StoreError};
pub use self::recording::{Recorded, Recording};
pub use self::users::StoredUsers;

use self::connection::Connections;

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
pub struct Store(Arc<Connections>);

impl Store {
    /// Opens the database of a URL, `sqlite://PATH`; the file is made where there is none, readable by its owner only.
    ///
    /// # Errors
    ///
    /// [`OpenError`], which tells in one line what is wrong with the URL or the file.
    pub fn open(url: &str) -> Result<Self, OpenError> {
        let path = file::sqlite_path(url)?;
        Connections::open_file(Path::new(path)).map(Self::of)
    }

    /// Uses a pool that the embedding backend owns; our tables stand beside its own.
    ///
    /// The pool's connections need [`SqliteSettings`] as their customizer.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when a connection cannot be had or is not set up so that a commit is durable.
    pub fn from_sqlite_pool(pool: SqlitePool) -> Result<Self, OpenError> {
        Connections::of_pool(pool).map(Self::of)
    }

    /// A database of its own, in memory, which ends with the last clone of this handle. For tests.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when SQLite cannot make it.
    pub fn in_memory() -> Result<Self, OpenError> {
        Connections::in_memory().map(Self::of)
    }

    fn of(connections: Connections) -> Self {
        Self(Arc::new(connections))
    }

    /// Brings the schema up to date. Blocks; called once, before the first request.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when a migration fails; those before it stay applied.
    pub fn migrate(&self) -> Result<(), OpenError> {
        self.0.blocking_write(migrations::run)
    }

    /// Answers when the database can be read.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it cannot.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let read = |conn: &mut SqliteConnection| Ok(conn.batch_execute("SELECT 1 FROM liveness_checks LIMIT 1")?);
        self.0.read(read).await
    }

    /// Records a check: the record, its image, its audit entry, the ownership of its session and its
    /// idempotency key are one transaction, durable when this answers.
    ///
    /// # Errors
    ///
    /// [`StoreError::SessionOfAnotherUser`] and [`StoreError::IdempotencyKeyReused`], with nothing recorded;
    /// [`StoreError::OutcomeUnknown`] when the commit itself failed.
    pub async fn record(&self, recording: Recording) -> Result<Recorded, StoreError> {
        self.0.write(move |conn| recording::record(conn, &recording)).await
    }

    /// Writes an audit entry in a transaction of its own, durable when this answers.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::OutcomeUnknown`] when it may not have been written.
    pub async fn append_audit_entry(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.0.write(move |conn| audit_entries::insert(conn, &entry)).await
    }

    /// The newest audit entries, newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn newest_audit_entries(&self, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
        self.0.read(move |conn| audit_entries::newest(conn, limit)).await
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
        self.0
            .read(move |conn| checks::completing(conn, self_service_user_id, rule))
            .await
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
        let read = move |conn: &mut SqliteConnection| {
            let Some(check) = checks::completing(conn, self_service_user_id, rule)? else {
                return Ok(None);
            };
            let image = if check.has_image {
                images::get(conn, check.id)?
            } else {
                None
            };
            Ok(Some((check, image)))
        };
        self.0.read(read).await
    }

    /// One page of records, newest first, and how many there are in all.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn checks(&self, filter: CheckFilter, page: PageRequest) -> Result<CheckPage, StoreError> {
        self.0.read(move |conn| checks::page(conn, &filter, page)).await
    }

    /// The users of those ids that exist.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn users(&self, ids: Vec<i64>) -> Result<Vec<User>, StoreError> {
        self.0.read(move |conn| users::find(conn, &ids)).await
    }

    /// The user of that `UserId`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn user_by_user_id(&self, user_id: String) -> Result<Option<User>, StoreError> {
        self.0.read(move |conn| users::find_by_user_id(conn, &user_id)).await
    }

    /// Adds a user unless the id or the `UserId` is taken, and answers the user of that id, if there is one then.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn add_user(&self, user: User, now: crate::Timestamp) -> Result<Option<User>, StoreError> {
        self.0.write(move |conn| users::add(conn, &user, now)).await
    }
}
