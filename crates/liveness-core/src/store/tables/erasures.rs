//! Erasures of faces, records and users, and the legal holds that keep them away, as the store offers them.
//!
//! Each erasure is one transaction, or one for every few records of a user. It holds the lock of the user, which those who
//! record and those who place a hold take too. The key of a face is destroyed in the key store just before the transaction
//! is committed. So no receipt tells of a face whose key is still there. If the process ends between the two, or the commit
//! fails, the key is gone without a receipt. So the order is kept before, as a job, which writes the receipt then. The same call
//! again does so too.

mod blanking;
mod blanks;
mod erased_records;
mod eraser;
mod face;
mod holds;
mod locks;
pub(crate) mod next_rows;
mod old_faces;
mod old_records;
mod order;
mod record;
mod unfinished;
mod user;

use std::sync::Arc;

use serde_json::Value;

use self::unfinished::Target;
use crate::Timestamp;
use crate::store::engine::error::StoreError;

pub(crate) use self::eraser::Eraser;
pub use self::holds::Holds;
pub use self::locks::Locks;
pub use self::old_faces::{FaceOutcome, OldFace};
pub use self::old_records::{OldRecord, OldRecords};
pub use self::order::{ErasedFace, ErasedRecord, ErasedUser, ErasureError, ErasureOrder};

/// Erasures of faces, of records and of users.
#[derive(Clone, Debug)]
pub struct Erasures {
    eraser: Arc<Eraser>,
}

impl Erasures {
    pub(crate) fn new(eraser: &Arc<Eraser>) -> Self {
        Self {
            eraser: Arc::clone(eraser),
        }
    }

    /// Erases the face of a record. Its key is destroyed, its bytes are deleted, and an audit entry, the receipt, tells of
    /// it. The record stays.
    ///
    /// A face that was never sealed has no key. Its bytes are deleted. Backups of the database still have them.
    ///
    /// # Errors
    ///
    /// [`ErasureError`]. Except for [`ErasureError::Store`], nothing was changed.
    pub async fn erase_face(&self, check_id: i64, order: ErasureOrder) -> Result<ErasedFace, ErasureError> {
        let eraser = Arc::clone(&self.eraser);
        eraser::on_a_thread(move || face::erase(&eraser, check_id, &order)).await
    }

    /// The records with the oldest faces from before a time, of those of which this became. Users under a hold are left out.
    /// `after` is where the step before has ended. Returns the records' ids, and where the next step begins; `None` behind the
    /// last face.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn old_faces(
        &self,
        outcome: FaceOutcome,
        before: Timestamp,
        after: Option<OldFace>,
    ) -> Result<Option<(Vec<i64>, OldFace)>, StoreError> {
        let eraser = Arc::clone(&self.eraser);
        let found = eraser::on_a_thread(move || Ok(old_faces::next(&eraser, outcome, before, after)?)).await;
        found.map_err(of_store)
    }

    /// Erases a record: its face, what names a person in it, and in the audit entries that are about it. The record stays, with
    /// its user's number, its session and its outcome. What else the user has recorded stays as it is.
    ///
    /// # Errors
    ///
    /// [`ErasureError`]. [`ErasureError::Erased`] if it was erased before, alone or with its user.
    pub async fn erase_record(&self, check_id: i64, order: ErasureOrder) -> Result<ErasedRecord, ErasureError> {
        let eraser = Arc::clone(&self.eraser);
        eraser::on_a_thread(move || record::erase(&eraser, check_id, &order)).await
    }

    /// The oldest records from before a time that are not erased, of all users or of one. `after` is where the step before has
    /// ended. Returns `None` behind the last record.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn old_records(
        &self,
        self_service_user_id: Option<i64>,
        before: Timestamp,
        after: Option<OldRecord>,
    ) -> Result<Option<OldRecords>, StoreError> {
        let (eraser, user) = (Arc::clone(&self.eraser), self_service_user_id);
        let found = eraser::on_a_thread(move || Ok(old_records::next(&eraser, user, before, after)?)).await;
        found.map_err(of_store)
    }

    /// Erases a user: all faces, what names the person in the user's row, in records and in audit entries. The records stay
    /// with their outcomes. If it ends in the middle, the same call again goes on with the rest.
    ///
    /// `is_known` says that a directory other than [`Store::users`](crate::store::Store::users) has the user.
    ///
    /// # Errors
    ///
    /// [`ErasureError`]. [`ErasureError::Erased`] if there is nothing that was recorded since the last erasure.
    pub async fn erase_user(
        &self,
        self_service_user_id: i64,
        is_known: bool,
        order: ErasureOrder,
    ) -> Result<ErasedUser, ErasureError> {
        let eraser = Arc::clone(&self.eraser);
        eraser::on_a_thread(move || user::erase(&eraser, self_service_user_id, is_known, &order)).await
    }

    /// Empties the write-ahead logs of SQLite files, which hold what was erased. Returns false if somebody who reads one of them
    /// keeps it from being emptied. Blocks.
    pub(crate) fn empty_log(&self) -> Result<bool, StoreError> {
        self.eraser.empty_log()
    }

    /// Completes an erasure that was begun and not committed, as a job of the kind
    /// [`COMPLETE_ERASURES`](crate::jobs::COMPLETE_ERASURES) keeps it. One that was committed meanwhile is left as it is.
    pub(crate) async fn complete(&self, payload: &Value) -> Result<(), ErasureError> {
        let (target, order) = unfinished::read(payload)?;
        let eraser = Arc::clone(&self.eraser);
        eraser::on_a_thread(move || match target {
            Target::Face { id } => face::complete(&eraser, id, &order, true).map(drop),
            Target::Record { id } => record::complete(&eraser, id, &order, true).map(drop),
            Target::User { id } => user::complete(&eraser, id, &order).map(drop),
        })
        .await
    }
}

/// What only the store has refused.
fn of_store(error: ErasureError) -> StoreError {
    match error {
        ErasureError::Store(error) => error,
        other => StoreError::internal(other),
    }
}
