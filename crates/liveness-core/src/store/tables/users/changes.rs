//! Writes users that are added and changed together, and tells which users have records.

use diesel::prelude::*;

use super::rows;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_checks::dsl;
use crate::store::tables::user_changes::UserChanges;

/// Writes the users, unless one has records who must have none. The entries are written by the transaction.
pub(crate) fn write(conn: &mut Connection<'_>, changes: &UserChanges) -> Result<Result<(), StoreError>, StoreError> {
    if !with_records(conn, &changes.without_records)?.is_empty() {
        return Ok(Err(StoreError::unavailable(
            "a user whose userId would change has got a record meanwhile; try again",
        )));
    }
    let users: Vec<_> = changes.users.iter().map(|user| (user.clone(), changes.at)).collect();
    rows::put(conn, &users).map(Ok)
}

/// Those of the ids that have records, in their order.
pub(crate) fn with_records(conn: &mut Connection<'_>, ids: &[i64]) -> Result<Vec<i64>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut found: Vec<i64> = on_either!(conn, |conn| dsl::liveness_checks
        .filter(eq_any(dsl::self_service_user_id, ids.to_vec())?)
        .select(dsl::self_service_user_id)
        .load(*conn))?;
    // A user has few records, and the index gives them without sorting.
    found.sort_unstable();
    found.dedup();
    Ok(found)
}
