//! Erasures of faces and of users, and the legal holds that keep them away, as the store offers them.
//!
//! Each erasure is one transaction, or one for every few records of a user. It holds the lock of the user, which those who
//! record and those who place a hold take too. The key of a face is destroyed in the key store just before the transaction
//! is committed. So no receipt tells of a face whose key is still there. If the process ends between the two, or the commit
//! fails, the key is gone without a receipt. So the order is kept before, as a job, which writes the receipt then. The same call
//! again does so too.

mod blanking;
mod blanks;
mod eraser;
mod face;
mod holds;
mod locks;
pub(crate) mod next_rows;
mod old_faces;
mod order;
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
pub use self::order::{ErasedFace, ErasedUser, ErasureError, ErasureOrder};

/// Erasures of faces and of users.
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
        found.map_err(|error| match error {
            ErasureError::Store(error) => error,
            other => StoreError::internal(other),
        })
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

    /// Completes an erasure that was begun and not committed, as a job of the kind
    /// [`COMPLETE_ERASURES`](crate::jobs::COMPLETE_ERASURES) keeps it. One that was committed meanwhile is left as it is.
    pub(crate) async fn complete(&self, payload: &Value) -> Result<(), ErasureError> {
        let (target, order) = unfinished::read(payload)?;
        let eraser = Arc::clone(&self.eraser);
        eraser::on_a_thread(move || match target {
            Target::Face { id } => face::complete(&eraser, id, &order, true).map(drop),
            Target::User { id } => user::complete(&eraser, id, &order).map(drop),
        })
        .await
    }
}
