//! Who may send the messages.

use crate::Access;

/// Self-service users.
pub const CUSTOMER: Access = Access::UserWithRole("customer");
/// Administrators, who review the checks.
pub const ADMIN: Access = Access::Role("admin");
/// Auditors, who read the audit trail.
pub const AUDITOR: Access = Access::Role("auditor");
/// Data protection officers, who decide what is kept.
pub const OFFICER: Access = Access::Role("officer");
