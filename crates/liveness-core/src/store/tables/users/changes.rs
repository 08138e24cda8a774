//! Users that are added and changed together, with the audit entries of it.

use diesel::prelude::*;

use super::rows;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_checks::dsl;
use crate::{AuditEntry, Timestamp, User};

/// Users to add and to change in one transaction, with the audit entries of it.
#[derive(Debug, Clone, PartialEq)]
pub struct UserChanges {
    /// The users as they shall be. All ids differ. A `UserId` may move from one of them to another.
    pub users: Vec<User>,
    /// Ids of users who must have no records, because their `UserId` changes. If one of them has a record when the
    /// transaction is made, nothing is written.
    pub without_records: Vec<i64>,
    /// The audit entries, written in the same transaction.
    pub entries: Vec<AuditEntry>,
    /// The time at which new users are added.
    pub at: Timestamp,
}

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

/// Those of the ids that have records, in any order.
pub(crate) fn with_records(conn: &mut Connection<'_>, ids: &[i64]) -> Result<Vec<i64>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = on_either!(conn, |conn| dsl::liveness_checks
        .filter(eq_any(dsl::self_service_user_id, ids.to_vec())?)
        .select(dsl::self_service_user_id)
        .distinct()
        .load(*conn))?;
    Ok(found)
}
