//! Which records a list or an export holds.

use crate::store::engine::connection::cannot_be_stored;

/// Conditions on records. All that are given must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckFilter {
    /// Records of users of this pre-registration.
    pub pre_registration_id: Option<i64>,
    /// Records of this user.
    pub self_service_user_id: Option<i64>,
    /// Records of this session of the SDK.
    pub session_id: Option<String>,
}

impl CheckFilter {
    /// Whether no record can match. Ids begin at 1.
    pub(crate) fn matches_nothing(&self) -> bool {
        [self.self_service_user_id, self.pre_registration_id]
            .into_iter()
            .flatten()
            .any(|id| id < 1)
            || self.session_id.as_deref().is_some_and(cannot_be_stored)
    }
}
