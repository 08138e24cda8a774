//! Users that are added and changed together, with the audit entries of it.

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
