//! Seals the faces that were recorded before there were keys, a few at a time.

use std::time::Duration;

use super::Store;
use super::engine::connection::{Connection, Purpose};
use super::engine::error::{OpenError, StoreError};
use super::keys::FaceKeys;
use super::tables::faces_in_clear;

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

    /// Seals the next faces in clear after the record with this id. Others record meanwhile. Returns the last record whose face
    /// was sealed, and how many were; `None` if there are no more. Begin with 0. Blocks.
    ///
    /// What was in clear is not gone yet: see [`compact_faces`](Store::compact_faces). Backups keep it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]. [`StoreError::Internal`] when the store has no keys, or its role may not change faces.
    pub fn seal_next_faces(&self, after: i64) -> Result<Option<(i64, usize)>, StoreError> {
        let keys: &FaceKeys = self
            .face_keys()
            .ok_or_else(|| StoreError::internal("this store has no keys to seal faces with"))?;
        self.connections.write(|conn| {
            conn.transaction(Purpose::Write, |conn| {
                faces_in_clear::seal_next(conn, keys, after, STEP)
            })
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
        if self.connections.write_back(PATIENCE)? {
            return Ok(());
        }
        Err(StoreError::unavailable(
            "somebody reads the database file for a long time, so its -wal is not emptied",
        ))
    }
}
