//! Who may send the six messages.

use crate::Access;

/// A self-service user.
pub const CUSTOMER: Access = Access::UserWithRole("customer");
/// A reviewer.
pub const ADMIN: Access = Access::Role("admin");
