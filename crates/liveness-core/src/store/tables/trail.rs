//! The audit trail: the store's door to it.

pub(crate) mod entries;

use std::sync::Arc;

use super::write::{Write, Writer};
use crate::AuditEntry;
use crate::store::engine::error::StoreError;
use crate::store::queue::read_pool::ReadPool;

/// The audit trail. Entries are added and read, never changed.
#[derive(Clone, Debug)]
pub struct Trail {
    reads: Arc<ReadPool>,
    writer: Arc<Writer>,
}

impl Trail {
    pub(crate) fn new(reads: &Arc<ReadPool>, writer: &Arc<Writer>) -> Self {
        Self {
            reads: Arc::clone(reads),
            writer: Arc::clone(writer),
        }
    }

    /// Writes an entry, durable when this answers.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] or [`StoreError::OutcomeUnknown`] when it may not have been written.
    pub async fn append(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.append_all(vec![entry]).await
    }

    /// Writes entries in one transaction, durable when this answers.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append). Either all of them are written, or none.
    pub async fn append_all(&self, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
        self.writer.write(Write::AuditEntries(entries)).await.map(drop)
    }

    /// The newest entries, newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn newest(&self, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
        self.reads.read(move |conn| entries::newest(conn, limit)).await
    }
}
