//! The faces that were kept for long enough, oldest first.

use super::eraser::Eraser;
use super::next_rows::{self, Place};
use crate::Timestamp;
use crate::store::engine::error::StoreError;
use crate::store::tables::erasure_rows;

/// A place among the faces, by the age of their records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldFace(Place);

/// What became of the record of a face, by which the face is kept for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaceOutcome {
    /// The phone claims no success.
    Failed,
    /// The phone claims success, and the verdict or the latest decision that counts speaks against it. Where verdicts do not count,
    /// it passed.
    Doubted,
    /// The phone claims success, and the record is accepted or approved, or was never judged.
    Passed,
}

impl FaceOutcome {
    const fn number(self) -> i32 {
        match self {
            Self::Failed => 0,
            Self::Doubted => 1,
            Self::Passed => 2,
        }
    }
}

/// The next old faces, without those of users under a hold. Blocks.
pub(super) fn next(
    eraser: &Eraser,
    outcome: FaceOutcome,
    before: Timestamp,
    after: Option<OldFace>,
) -> Result<Option<(Vec<i64>, OldFace)>, StoreError> {
    let after = after.map_or((i64::MIN, 0), |OldFace(place)| place);
    eraser.read(|conn| {
        let found = next_rows::old_faces(conn, outcome.number(), before.unix_millis(), after)?;
        let Some((created_at, id, _)) = found.last().copied() else {
            return Ok(None);
        };
        let users: Vec<i64> = found.iter().map(|(.., user)| *user).collect();
        let held = erasure_rows::held(conn, &users)?;
        let due = found.into_iter().filter(|(.., user)| !held.contains(user));
        Ok(Some((due.map(|(_, id, _)| id).collect(), OldFace((created_at, id)))))
    })
}
