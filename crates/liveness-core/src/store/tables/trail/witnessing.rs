//! What a witness is shown of the log, and what is kept of its answer.

use diesel::prelude::*;

use super::Trail;
use super::integrator::of_tree;
use super::log::{self, StoredTiles};
use crate::store::engine::connection::{Connection, Purpose, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_trail_checkpoints as checkpoints;
use crate::trail::{Hash, SignedCheckpoint, consistency_proof};

impl Trail {
    /// The notes of all checkpoints that are kept, the newest last. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub fn checkpoints(&self) -> Result<Vec<String>, StoreError> {
        let stored = self.connections.read(log::all_checkpoints)?;
        Ok(stored.into_iter().map(|stored| stored.note).collect())
    }

    /// The note of the newest checkpoint, whichever node has signed it. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub fn last_checkpoint(&self) -> Result<Option<String>, StoreError> {
        let newest = self.connections.read(log::newest_checkpoint)?;
        Ok(newest.map(|newest| newest.note))
    }

    /// Proves that the log of `old` entries is the beginning of the log of `new` entries. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], and [`StoreError::Internal`] if the log is shorter, or not whole.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, StoreError> {
        self.connections.read(|conn| {
            conn.transaction(Purpose::Read, |conn| {
                consistency_proof(&mut StoredTiles(conn), old, new).map_err(of_tree)
            })
        })
    }

    /// Keeps the cosignature of a witness with its checkpoint, whose note was `before`. Returns false if that checkpoint is
    /// not kept any more, because a newer one has taken its place. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`], and [`StoreError::OutcomeUnknown`].
    pub fn keep_cosigned(&self, before: &str, cosigned: &SignedCheckpoint) -> Result<bool, StoreError> {
        let size = i64::try_from(cosigned.checkpoint().size).map_err(StoreError::internal)?;
        let note = cosigned.note();
        self.connections.write(|conn| {
            conn.transaction(Purpose::Write, |conn| {
                let replaced: usize = replace_note(conn, size, before, note)?;
                Ok(replaced > 0)
            })
        })
    }
}

fn replace_note(conn: &mut Connection<'_>, size: i64, before: &str, note: &str) -> Result<usize, StoreError> {
    let same = checkpoints::table.filter(checkpoints::size.eq(size).and(checkpoints::note.eq(before)));
    let update = diesel::update(same).set(checkpoints::note.eq(note));
    Ok(on_either!(conn, |conn| update.execute(*conn))?)
}
