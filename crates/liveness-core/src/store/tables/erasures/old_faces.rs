//! The faces that were kept for long enough, oldest first.

use super::eraser::Eraser;
use super::next_rows::{self, Place};
use crate::Timestamp;
use crate::store::engine::error::StoreError;
use crate::store::tables::erasure_rows;

/// A place among the faces, by the age of their records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldFace(Place);

/// The next old faces, without those of users under a hold. Blocks.
pub(super) fn next(
    eraser: &Eraser,
    passed: bool,
    before: Timestamp,
    after: Option<OldFace>,
) -> Result<Option<(Vec<i64>, OldFace)>, StoreError> {
    let after = after.map_or((i64::MIN, 0), |OldFace(place)| place);
    eraser.read(|conn| {
        let found = next_rows::old_faces(conn, passed, before.unix_millis(), after)?;
        let Some((created_at, id, _)) = found.last().copied() else {
            return Ok(None);
        };
        let users: Vec<i64> = found.iter().map(|(.., user)| *user).collect();
        let held = erasure_rows::held(conn, &users)?;
        let due = found.into_iter().filter(|(.., user)| !held.contains(user));
        Ok(Some((due.map(|(_, id, _)| id).collect(), OldFace((created_at, id)))))
    })
}
