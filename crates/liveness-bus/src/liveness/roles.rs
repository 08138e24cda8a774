//! Who may send the six messages.

use crate::Access;

/// Self-service users.
pub const CUSTOMER: Access = Access::UserWithRole("customer");
/// Administrators, who review the checks.
pub const ADMIN: Access = Access::Role("admin");
