//! Verifies the checkpoints: their signatures, that the log goes on from each of them, and that its tiles are those that were signed.

use super::super::log::{self, StoredTiles};
use super::super::verified::TrailPart;
use super::Verifier;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::trail::{
    Checkpoint, Hash, SignedCheckpoint, consistency_proof, inclusion_proof, verify_consistency, verify_inclusion,
};

impl Verifier<'_> {
    /// Verifies the signatures of all checkpoints, and that the log goes on from each of them. Returns the newest.
    pub(super) fn checkpoints(
        &mut self,
        stored: &[log::StoredCheckpoint],
        part: TrailPart,
    ) -> Result<Option<Checkpoint>, StoreError> {
        let mut opened = Vec::new();
        for stored in stored {
            match SignedCheckpoint::open(&stored.note, self.log) {
                Ok(signed) => {
                    let checkpoint = signed.checkpoint();
                    if !stored.says(checkpoint) {
                        self.done.find(format!(
                            "the row of the checkpoint of {} entries was changed: its note says something else",
                            checkpoint.size
                        ));
                    }
                    opened.push(checkpoint.clone());
                }
                Err(error) => self.done.find(format!(
                    "the checkpoint of {} entries is not signed by the key of the trail: {error}",
                    stored.size
                )),
            }
        }
        let Some(newest) = opened.iter().max_by_key(|checkpoint| checkpoint.size).cloned() else {
            if self.done.size > 0 {
                self.done
                    .find("the log has no checkpoint that the key of the trail has signed".to_owned());
            }
            return Ok(None);
        };
        if newest.size > self.done.size {
            self.done.find(format!(
                "the log has {} entries, but a checkpoint of it has {}: its end was taken away",
                self.done.size, newest.size
            ));
            return Ok(None);
        }
        let older: Vec<_> = opened.iter().filter(|older| older.size < newest.size).collect();
        let own = part.of(i64::try_from(older.len()).map_err(StoreError::internal)?);
        let before = usize::try_from(own.start).map_err(StoreError::internal)?;
        let count = usize::try_from(own.end - own.start).map_err(StoreError::internal)?;
        for older in older.into_iter().skip(before).take(count) {
            self.goes_on(older, &newest)?;
        }
        Ok(Some(newest))
    }

    fn goes_on(&mut self, older: &Checkpoint, newest: &Checkpoint) -> Result<(), StoreError> {
        let proof = self.connections.read(|conn| {
            Ok(consistency_proof(&mut StoredTiles(conn), older.size, newest.size).map_err(|error| error.to_string()))
        })?;
        let verified = proof.and_then(|proof| {
            verify_consistency((older.size, &older.root), (newest.size, &newest.root), &proof)
                .map_err(|error| error.to_string())
        });
        if let Err(problem) = verified {
            self.done.find(format!(
                "the log of {} entries does not go on from the one of {} entries that was signed: {problem}",
                newest.size, older.size
            ));
        }
        Ok(())
    }

    /// Verifies that the hashes of a tile are those that were signed. One proof does: all hashes of the tile go into it.
    pub(super) fn tile_is_signed(
        &mut self,
        conn: &mut Connection<'_>,
        index: u64,
        hashes: &[Hash],
        signed: &Checkpoint,
    ) -> Result<(), StoreError> {
        if index >= signed.size {
            return Ok(());
        }
        let place = usize::try_from(index % 256).unwrap_or_default();
        let Some(leaf) = hashes.get(place) else {
            self.done
                .find(format!("the hash of the leaf {index} was taken away from the tiles"));
            return Ok(());
        };
        let proof = inclusion_proof(&mut StoredTiles(conn), index, signed.size).map_err(|error| error.to_string());
        let verified = proof.and_then(|proof| {
            verify_inclusion(leaf, index, signed.size, &proof, &signed.root).map_err(|error| error.to_string())
        });
        if let Err(problem) = verified {
            self.done.find(format!(
                "the tile of leaf {index} is not the one that was signed: {problem}"
            ));
        }
        Ok(())
    }
}
