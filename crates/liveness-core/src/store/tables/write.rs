//! The writes that wait, as plain data. `transaction.rs` writes them to the database.

use std::sync::Arc;

use super::entry_writer::{EntryWriter, TrailLink};
use super::event_bell::EventBell;
use super::face_objects::PutFace;
use super::job_change::JobChange;
use super::look_limit::{LimitedLook, Looked};
use super::new_session::NewSession;
use super::recording::{Recorded, Recording};
use super::user_changes::UserChanges;
use crate::store::engine::error::StoreError;
use crate::store::queue::group_commit::{GroupCommitter, WriterSession};
use crate::trail::leaf::Sha256;
use crate::verdict::Picture;
use crate::{AuditEntry, User};

/// The handle to the writer threads.
pub(crate) type Writer = GroupCommitter<Write>;

/// What a writer thread keeps from one transaction to the next.
#[derive(Debug)]
pub(crate) struct Session {
    /// The slot of the totals that the thread counts in.
    pub(crate) slot: i32,
    /// The writer of the thread's audit entries.
    pub(crate) entries: EntryWriter,
    /// Whether the transaction publishes events.
    pub(crate) publishes: bool,
    bell: EventBell,
}

impl Session {
    pub(crate) fn new(slot: i32, link: &Arc<TrailLink>, bell: &EventBell) -> Self {
        Self {
            slot,
            entries: EntryWriter::new(Arc::clone(link)),
            publishes: false,
            bell: bell.clone(),
        }
    }
}

impl WriterSession for Session {
    fn committed(&mut self) {
        self.entries.committed();
        if self.publishes {
            self.bell.ring();
        }
    }

    fn rolled_back(&mut self) {
        self.entries.rolled_back();
    }

    fn is_unknown(&mut self) {
        self.entries.is_unknown();
    }
}

/// One caller's part of a transaction.
#[derive(Debug)]
pub(crate) enum Write {
    Recording(Box<PreparedRecording>),
    AuditEntries(Vec<AuditEntry>),
    /// Adds the entry of a look at a face, or of its refusal.
    Look(Box<LimitedLook>),
    /// Adds the user, unless the id is taken. The entry is written if the user was added.
    User(Box<NewUser>),
    /// Adds or changes the users.
    Users(Box<UserChanges>),
    /// Adds or changes jobs.
    Jobs(JobChange),
    /// Issues a session.
    IssueSession(Box<NewSession>),
}

/// A recording, with what was made of its image before the transaction.
#[derive(Debug)]
pub(crate) struct PreparedRecording {
    pub(crate) recording: Recording,
    /// The object of the face, if that is not kept in the database.
    pub(crate) put: Option<PutFace>,
    /// What decoding the image found.
    pub(crate) picture: Option<Picture>,
    /// The keyed digest of the image.
    pub(crate) image_digest: Option<Sha256>,
}

/// A user to add, unless the id is taken.
#[derive(Debug)]
pub(crate) struct NewUser {
    pub(crate) user: User,
    /// The audit entry of it. Its time is that of the user.
    pub(crate) entry: AuditEntry,
}

/// The answer to a write.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Written {
    /// The write was done and has no result.
    Done,
    Recorded(Box<Recorded>),
    Looked(Looked),
    /// The user who has the id, and whether this write added the user.
    User {
        user: Option<User>,
        is_new: bool,
    },
    /// How many jobs were added or changed.
    Jobs(u64),
    /// The session was issued.
    SessionIssued {
        /// How many more attempts may fail. `None` if nothing limits them.
        attempts_left: Option<u32>,
    },
}

impl Written {
    /// The error of a call that got the answer of a different kind of write.
    pub(crate) fn unexpected(&self) -> StoreError {
        StoreError::internal(format!("another call's answer came back: {self:?}"))
    }
}

impl Write {
    pub(crate) fn prepared(&self) -> Option<&PreparedRecording> {
        match self {
            Self::Recording(prepared) => Some(prepared),
            Self::AuditEntries(_)
            | Self::Look(_)
            | Self::User(_)
            | Self::Users(_)
            | Self::Jobs(_)
            | Self::IssueSession(_) => None,
        }
    }

    pub(crate) fn recording(&self) -> Option<&Recording> {
        self.prepared().map(|prepared| &prepared.recording)
    }

    pub(crate) fn look(&self) -> Option<&LimitedLook> {
        match self {
            Self::Look(look) => Some(look),
            Self::Recording(..)
            | Self::AuditEntries(_)
            | Self::User(_)
            | Self::Users(_)
            | Self::Jobs(_)
            | Self::IssueSession(_) => None,
        }
    }

    /// The entries that the write leaves if it does what it is for. They may depend on the answer.
    pub(crate) fn audit_entries(&self, written: Option<&Written>) -> &[AuditEntry] {
        match self {
            Self::Look(look) => match written {
                Some(Written::Looked(Looked::Refused { .. })) => std::slice::from_ref(&look.refusal),
                _ => std::slice::from_ref(&look.entry),
            },
            Self::Recording(prepared) => std::slice::from_ref(&prepared.recording.audit_entry),
            Self::AuditEntries(entries) => entries,
            Self::Users(changes) => &changes.entries,
            Self::User(new) => std::slice::from_ref(&new.entry),
            Self::IssueSession(new) => std::slice::from_ref(&new.entry),
            Self::Jobs(_) => &[],
        }
    }
}
