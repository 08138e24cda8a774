//! How many rows the tables of evidence have. Counting reads a whole index, so only operators do it, never a message.

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::schema::{liveness_audit_entries, liveness_checks, liveness_face_erasures, liveness_images};
use crate::store::engine::connection::{Connection, Purpose, on_either};
use crate::store::engine::error::StoreError;

/// How many rows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowCounts {
    /// Records of checks.
    pub checks: i64,
    /// Faces.
    pub faces: i64,
    /// How many of them are in an object store, and not in the database.
    pub faces_in_objects: i64,
    /// Faces that were erased.
    pub erased_faces: i64,
    /// Audit entries.
    pub audit_entries: i64,
}

impl RowCounts {
    /// Whether there are as many of each, or more. A face that was erased meanwhile counts.
    pub(crate) fn covers(self, least: Self) -> bool {
        let faces = |counts: Self| counts.faces + counts.erased_faces;
        self.checks >= least.checks && faces(self) >= faces(least) && self.audit_entries >= least.audit_entries
    }
}

/// Counts the rows at one moment.
pub(crate) fn count(conn: &mut Connection<'_>) -> Result<RowCounts, StoreError> {
    conn.transaction(Purpose::Read, |conn| {
        Ok(RowCounts {
            checks: on_either!(conn, |conn| liveness_checks::table
                .select(count_star())
                .get_result(*conn))?,
            faces: on_either!(conn, |conn| liveness_images::table
                .select(count_star())
                .get_result(*conn))?,
            faces_in_objects: on_either!(conn, |conn| liveness_images::table
                .filter(liveness_images::object_name.is_not_null())
                .select(count_star())
                .get_result(*conn))?,
            erased_faces: on_either!(conn, |conn| liveness_face_erasures::table
                .select(count_star())
                .get_result(*conn))?,
            audit_entries: on_either!(conn, |conn| liveness_audit_entries::table
                .select(count_star())
                .get_result(*conn))?,
        })
    })
}
