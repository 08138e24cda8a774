//! Finds rows that somebody has put in: entries that are not in the log, and records that no entry tells of.

use std::ops::Range;

use super::super::log::{self, NO_WRITER, Run};
use super::super::verified::TrailPart;
use super::super::{rows, verified_records};
use super::{ROWS, Verifier};
use crate::store::engine::connection::{Connection, Purpose};
use crate::store::engine::error::StoreError;

impl Verifier<'_> {
    /// Finds entries that are not in the log, and may not become part of it.
    pub(super) fn unlogged(&mut self, part: TrailPart) -> Result<(), StoreError> {
        let connections = self.connections;
        let last = connections.read(rows::last_id)?;
        let own = part.of(last + 1);
        let mut id = own.start;
        while id < own.end {
            let end = own.end.min(id + ROWS);
            connections.read(|conn| conn.transaction(Purpose::Read, |conn| self.places(conn, id..end)))?;
            id = end;
        }
        Ok(())
    }

    fn places(&mut self, conn: &mut Connection<'_>, ids: Range<i64>) -> Result<(), StoreError> {
        let places = rows::places(conn, ids)?;
        let head = log::head(conn)?;
        let mut run: Option<Run> = None;
        for place in places {
            let writer = place.writer.as_deref().unwrap_or(NO_WRITER);
            let count = place.writer_count.unwrap_or(place.id);
            if !run.as_ref().is_some_and(|run| run.holds(writer, count)) {
                run = log::run_of(conn, writer, count)?;
            }
            // A run that begins before the log, or goes on behind its end, is in no tile that is verified.
            let is_logged = run
                .as_ref()
                .is_some_and(|run| run.first_index >= 0 && run.index_of(count) < head.size);
            if is_logged {
                continue;
            }
            let is_pending = match log::logged_of(conn, writer)? {
                Some(logged) => {
                    let hash = place.leaf_hash.as_deref().unwrap_or_default();
                    count > logged && self.trust.is_signed(writer, count, hash, place.mac.as_deref())
                }
                None => place.writer.is_none() && place.id > head.logged_id && place.id <= head.last_unwritten_id,
            };
            if is_pending {
                self.done.pending += 1;
            } else {
                self.done
                    .find(format!("audit entry {} was put in: it is not in the log", place.id));
            }
        }
        Ok(())
    }

    /// Finds records that no entry binds.
    pub(super) fn unbound(&mut self, part: TrailPart, last_unbound: i64) -> Result<(), StoreError> {
        let connections = self.connections;
        let records = part.of(connections.read(verified_records::last_id)? + 1);
        let mut id = records.start.max(last_unbound + 1);
        while id < records.end {
            let end = records.end.min(id + ROWS);
            for id in connections.read(|conn| verified_records::unbound(conn, id..end))? {
                self.done
                    .find(format!("record {id} was put in: no audit entry tells of its recording"));
            }
            id = end;
        }
        Ok(())
    }
}
