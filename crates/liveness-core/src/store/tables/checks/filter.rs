//! Conditions on the records of a list or an export.

use crate::store::engine::connection::{Connection, cannot_be_stored};
use crate::store::engine::error::StoreError;
use crate::store::tables::sessions::{self, SessionRange};

/// Conditions on records. A record has to meet all conditions that are given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckFilter {
    /// Records of users of this pre-registration.
    pub pre_registration_id: Option<i64>,
    /// Records of this user.
    pub self_service_user_id: Option<i64>,
    /// Records of this session of the SDK.
    pub session_id: Option<String>,
}

/// A filter with the user and the times of its session.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Conditions<'a> {
    pub(crate) pre_registration_id: Option<i64>,
    /// Always set when `session` is set.
    pub(crate) self_service_user_id: Option<i64>,
    pub(crate) session: Option<(&'a str, SessionRange)>,
}

impl CheckFilter {
    /// Looks up the session of the filter. Returns `None` if no record can match.
    pub(crate) fn resolve(&self, conn: &mut Connection<'_>) -> Result<Option<Conditions<'_>>, StoreError> {
        let mut conditions = Conditions {
            pre_registration_id: self.pre_registration_id,
            self_service_user_id: self.self_service_user_id,
            session: None,
        };
        // Ids begin at 1.
        let ids = [self.self_service_user_id, self.pre_registration_id];
        if ids.into_iter().flatten().any(|id| id < 1) {
            return Ok(None);
        }
        let Some(session_id) = self.session_id.as_deref() else {
            return Ok(Some(conditions));
        };
        if cannot_be_stored(session_id) {
            return Ok(None);
        }
        let Some(range) = sessions::range(conn, session_id)? else {
            return Ok(None);
        };
        let owner = range.self_service_user_id;
        if *conditions.self_service_user_id.get_or_insert(owner) != owner {
            return Ok(None);
        }
        conditions.session = Some((session_id, range));
        Ok(Some(conditions))
    }
}
