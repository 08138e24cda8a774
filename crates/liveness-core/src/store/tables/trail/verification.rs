//! Recomputes the log from the database, and names every row that was changed, taken away or put in.

mod checkpoints;
mod put_in;
mod told;
mod unreadable;

use std::collections::BTreeMap;
use std::ops::Range;

use super::bound::Bound;
use super::log::{self, GENESIS, Run, StoredTiles};
use super::rows::{self, EntryRow};
use super::verified::{TrailPart, TrailVerification};
use super::verified_objects::{self, BoundObject};
use super::{
    verified_decisions, verified_erasures, verified_holds, verified_lists, verified_records, verified_user_erasures,
};
use crate::store::engine::connection::{Connection, Purpose};
use crate::store::engine::connections::Connections;
use crate::store::engine::error::StoreError;
use crate::store::tables::entry_writer::EntryTrust;
use crate::store::tables::face_objects::FaceObjects;
use crate::trail::{Checkpoint, Hash, HashTiles as _, TrailVerifier, leaf_hash};

/// The leaves of a tile, which are verified together.
const TILE: i64 = 256;
/// How many rows are looked at in one transaction.
const ROWS: i64 = 4096;

/// Where records and faces are.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) connections: &'a Connections,
    pub(crate) objects: Option<&'a FaceObjects>,
}

/// Verifies parts of the trail.
pub(crate) struct Verifier<'a> {
    connections: &'a Connections,
    objects: Option<&'a FaceObjects>,
    log: &'a TrailVerifier,
    trust: &'a EntryTrust,
    done: TrailVerification,
}

impl<'a> Verifier<'a> {
    pub(crate) fn new(sources: Sources<'a>, log: &'a TrailVerifier, trust: &'a EntryTrust) -> Self {
        Self {
            connections: sources.connections,
            objects: sources.objects,
            log,
            trust,
            done: TrailVerification::default(),
        }
    }

    /// Verifies a part. `progress` hears how many leaves of how many are done.
    pub(crate) fn verify(
        mut self,
        part: TrailPart,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<TrailVerification, StoreError> {
        let connections = self.connections;
        let read = connections.read(|conn| {
            conn.transaction(Purpose::Read, |conn| {
                Ok((log::head(conn)?, log::all_checkpoints(conn)?))
            })
        });
        let (head, checkpoints) = match self.unless_unreadable(read, || "a checkpoint".to_owned())? {
            Some(read) => read,
            None => (connections.read(log::head)?, Vec::new()),
        };
        self.done.size = u64::try_from(head.size).unwrap_or_default();
        self.done.last_unbound_record = head.last_unbound_check_id;
        let signed = self.checkpoints(&checkpoints, part)?;
        self.done.signed = signed.as_ref().map_or(0, |signed| signed.size);
        let leaves = part.of(head.size);
        let mut index = leaves.start;
        while index < leaves.end {
            let end = leaves.end.min((index / TILE + 1) * TILE);
            let in_objects = self.leaves(index..end, signed.as_ref())?;
            // Outside the transaction, because a place may be slow.
            verified_objects::verify(connections, self.objects, &in_objects, &mut self.done)?;
            index = end;
            progress(
                u64::try_from(index - leaves.start).unwrap_or_default(),
                u64::try_from(leaves.end - leaves.start).unwrap_or_default(),
            );
        }
        self.unlogged(part)?;
        self.unbound(part, head.last_unbound_check_id)?;
        self.decisions(part)?;
        self.erasures(part)?;
        self.holds(part)?;
        self.erased_users(part)?;
        Ok(self.done)
    }

    /// Verifies leaves of one tile. Returns the faces in objects, which are still to be verified.
    fn tile(
        &mut self,
        conn: &mut Connection<'_>,
        leaves: Range<i64>,
        signed: Option<&Checkpoint>,
    ) -> Result<Vec<BoundObject>, StoreError> {
        let tile = StoredTiles(conn).tile(0, (leaves.start / TILE).unsigned_abs(), 256)?;
        let (hashes, _) = tile.as_chunks::<32>();
        if let Some(signed) = signed {
            self.tile_is_signed(conn, leaves.start.unsigned_abs(), hashes, signed)?;
        }
        let mut bound = Bound::default();
        let before = self.done.entries;
        for run in log::runs_from(conn, leaves.start, TILE + 1)? {
            if let Some(own) = run.part_of(&leaves) {
                bound.append(self.run(conn, &run, own, hashes)?);
            }
        }
        if self.done.entries - before < (leaves.end - leaves.start).unsigned_abs() {
            self.done.find(format!(
                "the rows of liveness_trail_runs or liveness_trail_head were changed: no run leads to each leaf from {} to {}",
                leaves.start,
                leaves.end - 1
            ));
        }
        let in_objects = verified_records::verify(conn, self.trust, &bound.records, &mut self.done)?;
        verified_erasures::verify_erased(conn, &bound.erasures, &mut self.done)?;
        verified_decisions::verify(conn, &bound.decisions, &mut self.done)?;
        verified_erasures::verify_blanks(conn, self.trust, &bound.blanks, &mut self.done)?;
        verified_holds::verify(conn, self.trust, &bound.held, &mut self.done)?;
        verified_lists::verify(conn, &bound.lists, &mut self.done)?;
        verified_user_erasures::verify(conn, self.trust, &bound.erased_users, &mut self.done)?;
        Ok(in_objects)
    }

    /// Verifies the leaves of a run. Returns what they bind.
    fn run(
        &mut self,
        conn: &mut Connection<'_>,
        run: &Run,
        leaves: Range<i64>,
        hashes: &[Hash],
    ) -> Result<Bound, StoreError> {
        if run.writer == GENESIS {
            self.genesis(conn, hashes)?;
            return Ok(Bound::default());
        }
        let mut found = BTreeMap::<i64, Vec<EntryRow>>::new();
        for row in rows::of_writer(conn, &run.writer, run.count_at(leaves.start)..run.count_at(leaves.end))? {
            found.entry(row.count()).or_default().push(row);
        }
        let mut bound = Bound::default();
        for index in leaves {
            self.done.entries += 1;
            let hash = usize::try_from(index % TILE).ok().and_then(|place| hashes.get(place));
            let rows = found.remove(&run.count_at(index)).unwrap_or_default();
            if let Some(entry) = self.entry(index, hash, rows) {
                bound.take(index, entry);
            }
        }
        Ok(bound)
    }

    fn genesis(&mut self, conn: &mut Connection<'_>, hashes: &[Hash]) -> Result<(), StoreError> {
        self.done.entries += 1;
        let leaf = log::head(conn)?.genesis().leaf();
        if hashes.first() != Some(&leaf_hash(&leaf)) {
            self.done
                .find("the row of liveness_trail_head was changed: the first leaf says something else".to_owned());
        }
        Ok(())
    }

    /// Verifies the rows that have the place of one leaf. Returns the good one of them.
    fn entry(&mut self, index: i64, hash: Option<&Hash>, rows: Vec<EntryRow>) -> Option<EntryRow> {
        if rows.is_empty() {
            self.done
                .find(format!("the audit entry of leaf {index} was taken away"));
            return None;
        }
        let is_alone = rows.len() == 1;
        let mut good = None;
        for row in rows {
            let problem = match row.leaf(&self.trust.key) {
                Ok(leaf) if Some(&leaf_hash(&leaf)) == hash => self.own_columns(&row, hash),
                Ok(_) => Some("its leaf says something else".to_owned()),
                Err(problem) => Some(problem),
            };
            match problem {
                None => good = Some(row),
                Some(problem) if is_alone => self
                    .done
                    .find(format!("audit entry {} (leaf {index}) was changed: {problem}", row.id)),
                Some(_) => self.done.find(format!(
                    "audit entry {} was put in: leaf {index} is that of another",
                    row.id
                )),
            }
        }
        let good = good?;
        if good.writer.is_some() && good.mac.is_none() {
            self.done.unsigned += 1;
        }
        Some(good)
    }

    /// What is wrong with the columns that no leaf has.
    fn own_columns(&self, row: &EntryRow, hash: Option<&Hash>) -> Option<String> {
        let writer = row.writer.as_deref()?;
        let hash = hash?;
        if row.leaf_hash.as_deref() != Some(&hash[..]) {
            return Some("leaf_hash is not the hash of its leaf".to_owned());
        }
        let is_signed = self.trust.is_signed(writer, row.count(), hash, row.mac.as_deref());
        (!is_signed).then(|| "mac is not made with the key of the trail".to_owned())
    }
}
