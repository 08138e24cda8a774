//! Seals faces that were recorded in clear: what the command `faces seal` and the job `faces.seal` share.

use liveness_core::store::{Store, StoreError};
use liveness_core::{AuditEntry, Shown};

/// What both are called in the audit trail.
pub(crate) const SEAL: &str = "faces seal";

/// How far a sealing came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// How many faces it has sealed.
    pub(crate) faces: u64,
    /// Whether no face is in clear any more.
    pub(crate) is_whole: bool,
}

impl Sealed {
    /// What the audit entry shows of a sealing that is done.
    pub(crate) fn shown(self) -> Shown {
        Shown {
            count: Some(self.faces),
            detail: Some("done".to_owned()),
            ..Shown::default()
        }
    }
}

/// Seals the faces that are in clear, a few in one transaction, while others record. `goes_on` hears how many are sealed, and
/// says whether to go on. What is left is for the next call. Blocks.
///
/// # Errors
///
/// Those of [`FaceSealing::next_faces`](liveness_core::store::FaceSealing::next_faces).
pub(crate) fn seal_old_faces(
    store: &Store,
    entry: AuditEntry,
    mut goes_on: impl FnMut(u64) -> bool,
) -> Result<Sealed, StoreError> {
    let mut sealing = store.seal_old_faces(entry)?;
    let mut faces = 0;
    while let Some(many) = sealing.next_faces()? {
        faces += many as u64;
        if !goes_on(faces) {
            return Ok(Sealed { faces, is_whole: false });
        }
    }
    Ok(Sealed { faces, is_whole: true })
}
