//! Seals the faces that were recorded before there were keys, a few at a time.

use std::time::Duration;

use super::Store;
use super::engine::connection::{Connection, Purpose};
use super::engine::error::{OpenError, StoreError};
use super::keys::FaceKeys;
use super::queue::group_commit::WriterSession as _;
use super::tables::entry_writer::EntryWriter;
use super::tables::faces_in_clear::{self, Sealer};
use super::tables::trail::rows::SEALING;
use crate::AuditEntry;

/// How many faces are sealed in one transaction. Those who record wait for it at most.
const STEP: i64 = 16;
/// How long others may read a SQLite file before its log is emptied.
const PATIENCE: Duration = Duration::from_secs(10);

impl Store {
    /// How many faces are in clear. Reads the whole table of faces, but no face. Blocks.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the database cannot be asked.
    pub fn faces_in_clear(&self) -> Result<i64, OpenError> {
        self.connections.inspect(faces_in_clear::count)
    }

    /// Begins to seal the faces that are in clear. Each of them leaves this audit entry, with its record and the digest of the
    /// sealed face.
    ///
    /// # Errors
    ///
    /// [`StoreError::Internal`] when the store has no keys.
    pub fn seal_old_faces(&self, entry: AuditEntry) -> Result<FaceSealing<'_>, StoreError> {
        let keys = self
            .face_keys()
            .ok_or_else(|| StoreError::internal("this store has no keys to seal faces with"))?;
        Ok(FaceSealing {
            store: self,
            keys,
            entry: AuditEntry {
                message: SEALING.into(),
                ..entry
            },
            writer: EntryWriter::new(self.trail().link()),
            after: 0,
        })
    }

    /// Writes a SQLite file anew, or PostgreSQL's table of faces, so that nothing is left in them of faces that were sealed or
    /// replaced. Nobody can record meanwhile. PostgreSQL's WAL keeps what it had. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError`], when the disk has no room for a copy, or others use a SQLite file for too long.
    pub fn compact_faces(&self) -> Result<(), StoreError> {
        self.connections.write(|conn| {
            let compact = match conn {
                Connection::Sqlite(_) => "VACUUM",
                Connection::Postgres(_) | Connection::Citus(_) => "VACUUM FULL liveness_images",
            };
            Ok(conn.execute(compact)?)
        })?;
        if self.connections.write_back(PATIENCE)?.is_empty {
            return Ok(());
        }
        Err(StoreError::unavailable(
            "somebody reads the database file for a long time, so its -wal is not emptied",
        ))
    }
}

/// Faces in clear that are being sealed. If it ends early, another one goes on with the rest.
#[derive(Debug)]
pub struct FaceSealing<'a> {
    store: &'a Store,
    keys: &'a FaceKeys,
    entry: AuditEntry,
    writer: EntryWriter,
    /// The last record whose face was sealed.
    after: i64,
}

impl FaceSealing<'_> {
    /// Seals the next faces in clear. Others record meanwhile. Returns how many it sealed; `None` if there are no more. Blocks.
    ///
    /// What was in clear is not gone yet: see [`compact_faces`](Store::compact_faces). Backups keep it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]. [`StoreError::Internal`] when the role may not change faces, or a face is not the one that was
    /// recorded.
    pub fn next_faces(&mut self) -> Result<Option<usize>, StoreError> {
        let (writer, after) = (&mut self.writer, self.after);
        let sealed = self.store.connections.write(|conn| {
            writer.rolled_back();
            conn.transaction(Purpose::Write, |conn| {
                let mut sealer = Sealer {
                    keys: self.keys,
                    entry: &self.entry,
                    writer,
                };
                faces_in_clear::seal_next(conn, &mut sealer, after, STEP)
            })
        });
        match &sealed {
            Ok(_) => self.writer.committed(),
            Err(StoreError::OutcomeUnknown(_)) => self.writer.is_unknown(),
            Err(_) => self.writer.rolled_back(),
        }
        let Some((last, sealed)) = sealed? else {
            return Ok(None);
        };
        self.after = last;
        Ok(Some(sealed))
    }
}
