//! What is ordered of an erasure, what comes of it, and why it is refused.

use crate::store::engine::error::StoreError;
use crate::store::tables::events::telling::Cause;
use crate::{AuditEntry, Reason, Timestamp};

/// The order to erase something, to place or lift a hold, or to unlock a user.
#[derive(Debug, Clone)]
pub struct ErasureOrder {
    /// Why. The receipt keeps it, so it should name nobody.
    pub reason: Reason,
    /// The audit entry of who orders it. Its time is that of the erasure. The store adds the user, the record, the face and
    /// the reason.
    pub entry: AuditEntry,
    /// The W3C `traceparent` of the request, for the events of it.
    pub traceparent: Option<String>,
}

impl ErasureOrder {
    /// What its events have in common.
    pub(super) fn cause(&self) -> Cause<'_> {
        Cause {
            at: self.entry.at,
            traceparent: self.traceparent.as_deref(),
        }
    }

    /// The audit entry, with the user whom the order is about and the reason.
    pub(super) fn entry_about(&self, user: i64) -> AuditEntry {
        let mut entry = AuditEntry {
            self_service_user_id: Some(user),
            ..self.entry.clone()
        };
        entry.subject.shown.purpose = Some(self.reason.as_str().to_owned());
        entry
    }
}

/// A face that was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedFace {
    /// The record.
    pub liveness_check_id: i64,
    /// SHA-256 of the bytes that were kept.
    pub digest: [u8; 32],
    /// When.
    pub erased_at: Timestamp,
    /// From when on no backup opens it: the next rotation of the keys. `None` while that day is not known, and for a face
    /// that was not sealed.
    pub unreadable_from: Option<Timestamp>,
}

/// A record that was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedRecord {
    /// The record.
    pub liveness_check_id: i64,
    /// SHA-256 of the bytes of its face that were kept, if it had one still.
    pub face_digest: Option<[u8; 32]>,
    /// When.
    pub erased_at: Timestamp,
}

/// A user who was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedUser {
    /// `SelfServiceUser.Id`
    pub self_service_user_id: i64,
    /// How many records say no more who it was.
    pub records: i64,
    /// How many faces were erased with them.
    pub faces: i64,
    /// When.
    pub erased_at: Timestamp,
    /// As in [`ErasedFace`].
    pub unreadable_from: Option<Timestamp>,
}

/// Why nothing was erased, or no hold was placed or lifted.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ErasureError {
    /// There is no such record.
    #[error("there is no such liveness check")]
    NoSuchRecord,
    /// There is no such user.
    #[error("there is no such user")]
    NoSuchUser,
    /// The record never had a face.
    #[error("the liveness check has no face")]
    NoFace,
    /// It was erased before.
    #[error("it was erased")]
    Erased,
    /// The user is under a legal hold.
    #[error("the user is under a legal hold")]
    Held,
    /// The user is under no legal hold.
    #[error("the user is under no legal hold")]
    NotHeld,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<diesel::result::Error> for ErasureError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Store(error.into())
    }
}
