//! The audit entries of an import: one for each user that is added or changed.
//!
//! An entry names the file by its digest and the columns by their names. It copies no value, because entries are kept when
//! what names a person is erased.

use std::fmt::Write as _;

use liveness_core::{AuditEntry, AuditSubject, Shown, User};

use super::row::COLUMNS;
use crate::operator::Operator;

/// The name of the command in the audit trail.
pub(super) const COMMAND: &str = "users import";

/// The import that the entries tell of.
pub(super) struct Trace {
    operator: Operator,
    sha256: String,
    /// Why `UserId`s may move from users who have records.
    reason: Option<String>,
}

impl Trace {
    pub(super) fn new(operator: Operator, sha256: &str, reason: Option<String>) -> Self {
        let sha256 = sha256.to_owned();
        Self {
            operator,
            sha256,
            reason,
        }
    }

    /// Whether a `UserId` may move from a user who has records.
    pub(super) fn may_rebind(&self) -> bool {
        self.reason.is_some()
    }

    /// A user who was added.
    pub(super) fn added(&self, user: &User) -> AuditEntry {
        self.entry(user.id, "added", false)
    }

    /// A user whose values differ now.
    pub(super) fn changed(&self, before: &User, after: &User) -> AuditEntry {
        self.entry(
            after.id,
            &format!("changed {}", differing(before, after).join(", ")),
            false,
        )
    }

    /// A user who has records, and has another `UserId` now: that of the user `from`, or one that nobody had.
    pub(super) fn rebound(&self, before: Option<&User>, after: &User, from: Option<i64>) -> AuditEntry {
        let mut done = before.map_or_else(
            || "added with records of before".to_owned(),
            |before| format!("changed {}", differing(before, after).join(", ")),
        );
        if let Some(from) = from {
            // Writing to a `String` never fails.
            let _ = write!(done, "; userId taken from user {from}");
        }
        self.entry(after.id, &done, true)
    }

    /// A user whose `UserId` was given to another.
    pub(super) fn gave(&self, holder: i64, to: i64) -> AuditEntry {
        self.entry(
            holder,
            &format!("changed userId; the one before was given to user {to}"),
            true,
        )
    }

    fn entry(&self, user: i64, done: &str, with_reason: bool) -> AuditEntry {
        let shown = Shown {
            purpose: self.reason.clone().filter(|_| with_reason),
            detail: Some(format!("{done}; file SHA-256 {}", self.sha256)),
            ..Shown::default()
        };
        let subject = AuditSubject {
            shown,
            ..AuditSubject::default()
        };
        self.operator.entry(COMMAND, Some(user), subject)
    }
}

/// The names of the columns whose values differ.
fn differing(before: &User, after: &User) -> Vec<&'static str> {
    let differs = [
        before.id != after.id,
        before.user_id != after.user_id,
        before.pre_registration_id != after.pre_registration_id,
        before.email_address != after.email_address,
        before.first_name != after.first_name,
        before.last_name != after.last_name,
        before.middle_name != after.middle_name,
        before.display_name != after.display_name,
    ];
    let named = COLUMNS.iter().zip(differs).filter(|(_, differs)| *differs);
    named.map(|(name, _)| *name).collect()
}
