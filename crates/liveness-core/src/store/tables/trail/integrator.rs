//! The integrator: puts the new entries into the log, in an order that stays, and signs its checkpoints.
//!
//! Entries are written without a place. On each step, the integrator takes the entries of each writer that follow those it has
//! taken, because a writer's entries are committed in the order of their counts. One node at a time makes a step.
//!
//! A checkpoint is signed after the step that it is of, and not in its transaction: the signer may be far away.

mod taken;

use std::sync::Arc;

use self::taken::Taken;
use super::log::{self, GENESIS, Head, StoredCheckpoint, StoredTiles};
use super::rows;
use crate::Timestamp;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::tables::entry_writer::EntryTrust;
use crate::trail::{Checkpoint, Hash, RightEdge, SignedCheckpoint, SignerError, TrailSigner, leaf_hash};

/// The time between two checkpoints of a log that grows, in milliseconds.
const CHECKPOINT_AFTER: i64 = 10_000;
/// The same of a log that does not grow.
const CHECKPOINT_AGAIN_AFTER: i64 = 600_000;

/// What the integrator remembers from one step to the next.
#[derive(Debug)]
pub(crate) struct Integrator {
    signer: Arc<dyn TrailSigner>,
    trust: EntryTrust,
    /// The edge of the log as it was after the last step. It need not be read again, and nobody can change it unseen.
    edge: Option<RightEdge>,
}

/// What a step has done.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Step {
    /// How many entries it has put into the log.
    pub(crate) added: usize,
    /// Whether there may be more.
    pub(crate) is_partial: bool,
    /// The checkpoint that is to be signed now.
    pub(crate) due: Option<DueCheckpoint>,
    /// What it has found that must not be, in words.
    pub(crate) findings: Vec<String>,
    /// The edge of the log after the step.
    edge: Option<RightEdge>,
}

/// A checkpoint that is not signed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DueCheckpoint {
    size: i64,
    root: Hash,
    at: Timestamp,
    /// Whether no writer had more entries.
    is_whole: bool,
}

impl Integrator {
    pub(crate) fn new(signer: Arc<dyn TrailSigner>, trust: EntryTrust) -> Self {
        Self {
            signer,
            trust,
            edge: None,
        }
    }

    /// Whether there is something to do. Only reads.
    pub(crate) fn is_due(&self, conn: &mut Connection<'_>, now: Timestamp) -> Result<bool, StoreError> {
        let head = log::head(conn)?;
        if head.size == 0 || head.logged_id < head.last_unwritten_id {
            return Ok(true);
        }
        for writer in log::open_writers(conn)? {
            if !rows::new_entries(conn, &writer.writer, writer.logged, 1)?.is_empty() {
                return Ok(true);
            }
        }
        let newest = log::newest_checkpoint(conn)?;
        Ok(is_checkpoint_due(newest.as_ref(), head.size, now, false))
    }

    /// Makes a step, in a transaction of the caller. With `is_last` a checkpoint of what is new is due, whatever the time.
    ///
    /// # Errors
    ///
    /// [`StoreError::Internal`] if the log is not the one that was signed. Nothing is put into it then.
    pub(crate) fn step(&self, conn: &mut Connection<'_>, now: Timestamp, is_last: bool) -> Result<Step, StoreError> {
        let Some(head) = log::lock_head(conn)? else {
            return Ok(Step::default());
        };
        let mut edge = self.edge_of(conn, head)?;
        let mut taken = Taken::new(head, now);
        if head.size == 0 {
            taken.add(GENESIS, 0, leaf_hash(&head.genesis().leaf()));
        }
        self.take_old(conn, head, &mut taken)?;
        for writer in log::open_writers(conn)? {
            self.take_new(conn, writer, &mut taken)?;
        }
        let size = taken.size();
        // Where nothing is taken, there is no more to take, whatever is left: it is not good.
        taken.is_partial &= !taken.leaves.is_empty();
        if !taken.leaves.is_empty() {
            let tiles = edge.append(&taken.leaves);
            log::put_tiles(conn, &tiles)?;
            log::add_runs(conn, taken.runs)?;
            log::set_head(conn, size, taken.logged_id)?;
        }
        let mut step = Step {
            added: taken.leaves.len(),
            is_partial: taken.is_partial,
            due: None,
            findings: taken.findings,
            edge: None,
        };
        let newest = log::newest_checkpoint(conn)?;
        if is_checkpoint_due(newest.as_ref(), size, now, is_last) {
            step.due = Some(DueCheckpoint {
                size,
                root: edge.root(),
                at: now,
                is_whole: !step.is_partial,
            });
        }
        step.edge = Some(edge);
        Ok(step)
    }

    /// Hears how the transaction of a step ended.
    pub(crate) fn ended(&mut self, step: Result<&mut Step, &StoreError>) {
        match step {
            Ok(Step { edge: Some(edge), .. }) => self.edge = Some(std::mem::take(edge)),
            // Whether the log is longer now is not known.
            Err(StoreError::OutcomeUnknown(_)) => self.edge = None,
            Ok(_) | Err(_) => {}
        }
    }

    /// Signs a checkpoint. Blocks as long as the signer does.
    ///
    /// # Errors
    ///
    /// [`SignerError`].
    pub(crate) fn sign(&self, due: DueCheckpoint) -> Result<StoredCheckpoint, SignerError> {
        let entries = due.size.unsigned_abs();
        let note = Checkpoint::of(self.signer.verifier(), entries, due.root).sign(&self.signer)?;
        // A signer of another key, or a broken one, must not put into the log what nobody can verify.
        SignedCheckpoint::open(&note, self.signer.verifier()).map_err(|error| SignerError {
            problem: format!("what the signer of the trail signs is not good: {error}"),
            mend: "see that it has the key of the log".to_owned(),
        })?;
        Ok(StoredCheckpoint::new(due.at, due.size, note))
    }

    /// Keeps a signed checkpoint, in a transaction of the caller. Returns false if another node has kept a newer one meanwhile.
    pub(crate) fn keep(
        &self,
        conn: &mut Connection<'_>,
        due: DueCheckpoint,
        checkpoint: &StoredCheckpoint,
    ) -> Result<bool, StoreError> {
        log::hold_head(conn)?;
        let newest = log::newest_checkpoint(conn)?;
        if newest.is_some_and(|newest| newest.size > due.size) {
            return Ok(false);
        }
        log::put_checkpoint(conn, checkpoint)?;
        if due.is_whole {
            log::close_silent_writers(conn, due.at)?;
        }
        Ok(true)
    }

    /// The edge of the log. If another node has put entries into it, the edge is read, and must be that of the checkpoint.
    fn edge_of(&self, conn: &mut Connection<'_>, head: Head) -> Result<RightEdge, StoreError> {
        let size = u64::try_from(head.size).map_err(StoreError::internal)?;
        if let Some(edge) = &self.edge {
            if edge.size() == size {
                return Ok(edge.clone());
            }
            if edge.size() > size {
                return Err(StoreError::internal(format!(
                    "the trail had {} entries and has {size} now: the database was set back",
                    edge.size()
                )));
            }
        }
        let mut tiles = StoredTiles(conn);
        let edge = RightEdge::read(&mut tiles, size).map_err(of_tree)?;
        if let Some(newest) = log::newest_checkpoint(conn)? {
            self.check_signed(conn, &newest, size)?;
        }
        Ok(edge)
    }

    /// Checks that the log goes on from its newest checkpoint.
    fn check_signed(&self, conn: &mut Connection<'_>, newest: &StoredCheckpoint, size: u64) -> Result<(), StoreError> {
        let signed = SignedCheckpoint::open(&newest.note, self.signer.verifier()).map_err(|error| {
            StoreError::internal(format!(
                "the newest checkpoint of the trail is not signed by LIVENESS_TRAIL_KEY_FILE: {error}"
            ))
        })?;
        let checkpoint = signed.checkpoint();
        if checkpoint.size > size {
            return Err(StoreError::internal(format!(
                "the trail has {size} entries, but a checkpoint of it has {}: the database was set back",
                checkpoint.size
            )));
        }
        let root = crate::trail::root(&mut StoredTiles(conn), checkpoint.size).map_err(of_tree)?;
        if root != checkpoint.root {
            return Err(StoreError::internal(format!(
                "the trail is not the one that was signed: its first {} entries have another root than the checkpoint",
                checkpoint.size
            )));
        }
        Ok(())
    }
}

/// A tree that cannot be read: the store's own error, or that the trail is not whole.
pub(super) fn of_tree(error: crate::trail::TreeError<StoreError>) -> StoreError {
    match error {
        crate::trail::TreeError::Tile { source, .. } => source,
        other => StoreError::internal(format!("the trail is not whole: {other}")),
    }
}

/// Whether a checkpoint is to be signed.
fn is_checkpoint_due(newest: Option<&StoredCheckpoint>, size: i64, now: Timestamp, is_last: bool) -> bool {
    let Some(newest) = newest else { return true };
    let age = now.unix_millis() - newest.at;
    if newest.size < size {
        // A clock that was set back does not keep it waiting.
        is_last || !(0..CHECKPOINT_AFTER).contains(&age)
    } else {
        age >= CHECKPOINT_AGAIN_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_due_after_10_s_where_the_log_has_grown_and_after_10_min_where_it_has_not() {
        let epoch = Timestamp::from_unix_millis(0).unwrap();
        let signed = StoredCheckpoint::new(epoch, 5, String::new());
        let is_due = |size, now, is_last| {
            let now = epoch.plus_millis(now);
            is_checkpoint_due(Some(&signed), size, now, is_last)
        };
        for (size, now, is_last, expected) in [
            (6, 0, false, false),
            (6, 9_999, false, false),
            (6, 10_000, false, true),
            (6, -1, false, true),
            (6, 0, true, true),
            (5, 0, true, false),
            (5, 10_000, false, false),
            (5, 599_999, false, false),
            (5, 600_000, false, true),
            (5, -600_000, false, false),
        ] {
            assert_eq!(is_due(size, now, is_last), expected, "{size} {now} {is_last}");
        }
        assert!(is_checkpoint_due(None, 1, epoch, false));
    }
}
