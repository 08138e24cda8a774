//! Goes on behind rows that cannot be read, because somebody has put something into them that their columns do not hold. Such a
//! row is a finding, and keeps no other from being found.

use std::ops::Range;

use super::super::verified::TrailPart;
use super::super::verified_objects::BoundObject;
use super::Verifier;
use crate::store::engine::connection::{Connection, Purpose};
use crate::store::engine::error::StoreError;
use crate::trail::Checkpoint;

impl Verifier<'_> {
    /// What a step has returned. `None`, and a finding, if it met a row that cannot be read.
    pub(super) fn unless_unreadable<T>(
        &mut self,
        step: Result<T, StoreError>,
        row: impl FnOnce() -> String,
    ) -> Result<Option<T>, StoreError> {
        match step {
            Ok(done) => Ok(Some(done)),
            Err(error) if error.is_of_a_row() => {
                self.done
                    .find(format!("{} was changed: it cannot be read: {}", row(), error.cause()));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Verifies leaves of one tile. If a row of one cannot be read, verifies them one by one.
    pub(super) fn leaves(
        &mut self,
        leaves: Range<i64>,
        signed: Option<&Checkpoint>,
    ) -> Result<Vec<BoundObject>, StoreError> {
        let (connections, before) = (self.connections, self.done.clone());
        let verified =
            connections.read(|conn| conn.transaction(Purpose::Read, |conn| self.tile(conn, leaves.clone(), signed)));
        if !is_unreadable(&verified) {
            return verified;
        }
        self.done = before;
        let (first, end) = (leaves.start, leaves.end);
        if end - first == 1 {
            let of = || format!("what leaf {first} tells of");
            return Ok(self.unless_unreadable(verified, of)?.unwrap_or_default());
        }
        let mut in_objects = Vec::new();
        for leaf in leaves {
            in_objects.extend(self.leaves(leaf..leaf + 1, signed)?);
        }
        Ok(in_objects)
    }

    /// Makes a step after the other over the ids up to `last`, those of a part. A step is given ids, and returns the first one that
    /// it has not done. `row` says what cannot be read if a step fails at an id.
    pub(super) fn each_id(
        &mut self,
        part: TrailPart,
        last: i64,
        row: impl Fn(i64) -> String,
        mut step: impl FnMut(&mut Self, &mut Connection<'_>, Range<i64>) -> Result<i64, StoreError>,
    ) -> Result<(), StoreError> {
        let connections = self.connections;
        let own = part.of(last.saturating_add(1));
        // Ids begin at 1. Somebody may have put in others.
        let mut id = if own.start == 0 { i64::MIN } else { own.start };
        let mut end = own.end;
        while id < own.end {
            let before = self.done.clone();
            let done = connections.read(|conn| conn.transaction(Purpose::Read, |conn| step(self, conn, id..end)));
            if !is_unreadable(&done) {
                id = done?;
                end = own.end;
                continue;
            }
            self.done = before;
            if end.saturating_sub(id) > 1 {
                end = id.midpoint(end);
                continue;
            }
            self.unless_unreadable(done, || row(id))?;
            id = end;
            end = own.end;
        }
        Ok(())
    }
}

fn is_unreadable<T>(step: &Result<T, StoreError>) -> bool {
    matches!(step, Err(error) if error.is_of_a_row())
}
