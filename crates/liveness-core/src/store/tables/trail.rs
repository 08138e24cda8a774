//! The audit trail, as the store offers it.

pub(crate) mod entries;
pub(crate) mod entry_writer;

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

    /// Writes an entry. It is durable when this returns.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when the entry was not written. [`StoreError::OutcomeUnknown`] when it may have been
    /// written or not.
    pub async fn append(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.append_all(vec![entry]).await
    }

    /// Writes entries in one transaction. They are durable when this returns.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append). Either all entries are written, or none.
    pub async fn append_all(&self, entries: Vec<AuditEntry>) -> Result<(), StoreError> {
        self.writer.write(Write::AuditEntries(entries)).await.map(drop)
    }

    /// The newest entries, at most `limit`, newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub async fn newest(&self, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
        self.reads.read(move |conn| entries::newest(conn, limit)).await
    }
}
