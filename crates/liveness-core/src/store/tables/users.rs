//! The users of the standalone host, as the store offers them.

pub(crate) mod changes;
pub(crate) mod rows;

use std::sync::Arc;

use super::user_changes::UserChanges;
use super::write::{NewUser, Write, Writer, Written};
use crate::store::engine::error::StoreError;
use crate::store::queue::batch_loader::BatchLoader;
use crate::store::queue::read_pool::ReadPool;
use crate::{AuditEntry, Timestamp, User};

/// The users of the standalone host.
#[derive(Clone, Debug)]
pub struct Users {
    reads: Arc<ReadPool>,
    writer: Arc<Writer>,
    by_id: Arc<BatchLoader<i64, Option<User>>>,
    by_user_id: Arc<BatchLoader<String, Option<User>>>,
}

impl Users {
    pub(crate) fn new(reads: &Arc<ReadPool>, writer: &Arc<Writer>) -> Self {
        Self {
            reads: Arc::clone(reads),
            writer: Arc::clone(writer),
            by_id: BatchLoader::new(reads, rows::each),
            by_user_id: BatchLoader::new(reads, rows::each_by_user_id),
        }
    }

    /// How many calls wait in the batch loaders.
    pub(crate) fn waiting(&self) -> usize {
        self.by_id.waiting() + self.by_user_id.waiting()
    }

    /// The user with this id.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn get(&self, id: i64) -> Result<Option<User>, StoreError> {
        self.by_id.load(id).await
    }

    /// The user with this `UserId`.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn get_by_user_id(&self, user_id: String) -> Result<Option<User>, StoreError> {
        self.by_user_id.load(user_id).await
    }

    /// The users with these ids, in any order. Ids without a user are left out.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn find(&self, ids: Vec<i64>) -> Result<Vec<User>, StoreError> {
        self.reads.read(move |conn| rows::find(conn, &ids)).await
    }

    /// The users with these `UserId`s, in any order. `UserId`s without a user are left out.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn find_by_user_ids(&self, user_ids: Vec<String>) -> Result<Vec<User>, StoreError> {
        self.reads
            .read(move |conn| rows::find_by_user_ids(conn, &user_ids))
            .await
    }

    /// Adds users, and changes users whose id exists, in one transaction. All ids in `users` must differ.
    ///
    /// # Errors
    ///
    /// [`StoreError::Internal`] when a `UserId` belongs to another user. Nothing is written then.
    pub async fn put(&self, users: Vec<User>, now: Timestamp) -> Result<(), StoreError> {
        let changes = UserChanges {
            users,
            without_records: Vec::new(),
            entries: Vec::new(),
            at: now,
        };
        self.change(changes).await
    }

    /// Adds and changes users, and writes the audit entries of it, in one transaction.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put), and [`StoreError::Unavailable`] when a user who must have no records has one. Nothing is
    /// written then.
    pub async fn change(&self, changes: UserChanges) -> Result<(), StoreError> {
        self.writer.write(Write::Users(Box::new(changes))).await.map(drop)
    }

    /// Those of the ids that have records, in any order.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn with_records(&self, ids: Vec<i64>) -> Result<Vec<i64>, StoreError> {
        self.reads.read(move |conn| changes::with_records(conn, &ids)).await
    }

    /// Adds a user, unless the id or the `UserId` is taken, and writes the audit entry of it in the same transaction. If
    /// nobody is added, no entry is written. Returns the user that has the id after this call. Returns `None` if only the
    /// `UserId` was taken.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn add(&self, user: User, entry: AuditEntry) -> Result<Option<User>, StoreError> {
        match self
            .writer
            .write(Write::User(Box::new(NewUser { user, entry })))
            .await?
        {
            Written::User { user, .. } => Ok(user),
            other => Err(other.unexpected()),
        }
    }
}
