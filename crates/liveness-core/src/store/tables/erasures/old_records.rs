//! The records that were kept for long enough, oldest first.

use std::collections::BTreeSet;

use super::eraser::Eraser;
use super::next_rows::{self, OldRecordRow, Place};
use crate::Timestamp;
use crate::store::engine::error::StoreError;
use crate::store::tables::erasure_rows;
use crate::store::tables::trail::erased_records as told;

/// A place among the records, by their age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldRecord(Place);

/// The next records that were kept for long enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldRecords {
    /// Those that are to be erased: the record, and its user.
    pub due: Vec<(i64, i64)>,
    /// Users whose records are left, because they are under a hold.
    pub held: BTreeSet<i64>,
    /// Where the next step begins.
    pub next: OldRecord,
}

/// The next old records, of all users or of one. Blocks.
pub(super) fn next(
    eraser: &Eraser,
    user: Option<i64>,
    before: Timestamp,
    after: Option<OldRecord>,
) -> Result<Option<OldRecords>, StoreError> {
    let after = after.map_or((i64::MIN, 0), |OldRecord(place)| place);
    eraser.read(|conn| {
        let found = match user {
            Some(user) => next_rows::old_records_of(conn, user, before.unix_millis(), after)?,
            None => next_rows::old_records(conn, before.unix_millis(), after)?,
        };
        let Some(last) = found.last() else { return Ok(None) };
        let next = OldRecord((last.created_at, last.id));
        // A record may have been bare from the beginning. Only the log tells it from an erased one.
        let bare: Vec<i64> = found.iter().filter(|row| row.is_bare).map(|row| row.id).collect();
        let erased = told::among(conn, &bare)?;
        let left: Vec<OldRecordRow> = found.into_iter().filter(|row| !erased.contains(&row.id)).collect();
        let users: BTreeSet<i64> = left.iter().map(|row| row.user).collect();
        let users: Vec<i64> = users.into_iter().collect();
        let held: BTreeSet<i64> = erasure_rows::held(conn, &users)?.into_iter().collect();
        let due = left.iter().filter(|row| !held.contains(&row.user));
        let due = due.map(|row| (row.id, row.user)).collect();
        Ok(Some(OldRecords { due, held, next }))
    })
}
