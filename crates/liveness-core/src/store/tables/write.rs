//! The writes that wait, as plain data. `transaction.rs` writes them to the database.

use super::recording::{Recorded, Recording};
use super::user_changes::UserChanges;
use crate::store::engine::error::StoreError;
use crate::store::queue::group_commit::GroupCommitter;
use crate::{AuditEntry, Timestamp, User};

/// The handle to the writer threads.
pub(crate) type Writer = GroupCommitter<Write>;

/// One caller's part of a transaction.
#[derive(Debug)]
pub(crate) enum Write {
    Recording(Box<Recording>),
    AuditEntries(Vec<AuditEntry>),
    /// Adds the user, unless the id is taken.
    User(User, Timestamp),
    /// Adds or changes the users.
    Users(Box<UserChanges>),
}

/// The answer to a write.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Written {
    /// The write was done and has no result.
    Done,
    Recorded(Box<Recorded>),
    User(Option<User>),
}

impl Written {
    /// The error of a call that got the answer of a different kind of write.
    pub(crate) fn unexpected(&self) -> StoreError {
        StoreError::internal(format!("another call's answer came back: {self:?}"))
    }
}

impl Write {
    pub(crate) fn recording(&self) -> Option<&Recording> {
        match self {
            Self::Recording(recording) => Some(recording),
            Self::AuditEntries(_) | Self::User(..) | Self::Users(_) => None,
        }
    }

    pub(crate) fn audit_entries(&self) -> &[AuditEntry] {
        match self {
            Self::Recording(recording) => std::slice::from_ref(&recording.audit_entry),
            Self::AuditEntries(entries) => entries,
            Self::Users(changes) => &changes.entries,
            Self::User(..) => &[],
        }
    }
}
