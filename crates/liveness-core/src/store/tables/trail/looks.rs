//! The looks at the faces of a user.

use diesel::prelude::*;

use super::entries::AuditRow;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_audit_entries::dsl;
use crate::{AuditEntry, Timestamp};

/// A look at the face of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaceLook {
    /// The record.
    pub liveness_check_id: i64,
    /// When.
    pub at: Timestamp,
    /// The roles of who looked, joined by commas.
    pub roles: String,
    /// Why, in the words of who looked.
    pub purpose: Option<String>,
}

/// The looks at the faces of a user's records that these messages were, newest first.
pub(crate) fn of(
    conn: &mut Connection<'_>,
    user: i64,
    check_ids: &[i64],
    messages: &[&str],
) -> Result<Vec<FaceLook>, StoreError> {
    if check_ids.is_empty() {
        return Ok(Vec::new());
    }
    let is_citus = conn.is_citus();
    let rows: Vec<AuditRow> = on_either!(conn, |conn| {
        let mut query = dsl::liveness_audit_entries
            .filter(eq_any(dsl::liveness_check_id.assume_not_null(), check_ids.to_vec())?)
            .filter(dsl::face_digest.is_not_null())
            .select(AuditRow::as_select())
            .into_boxed();
        if is_citus {
            // With the user, Citus knows the shard.
            query = query.filter(dsl::self_service_user_id.eq(user));
        }
        query.load(*conn)
    })?;
    let mut looks: Vec<_> = rows
        .into_iter()
        .filter(|row| row.outcome == "00" && messages.contains(&row.message.as_str()))
        .collect();
    looks.sort_unstable_by_key(|row| std::cmp::Reverse((row.at, row.id)));
    looks.into_iter().map(FaceLook::try_from).collect()
}

impl TryFrom<AuditRow> for FaceLook {
    type Error = StoreError;

    fn try_from(row: AuditRow) -> Result<Self, StoreError> {
        let entry = AuditEntry::try_from(row)?;
        Ok(Self {
            liveness_check_id: entry.subject.liveness_check_id.unwrap_or_default(),
            at: entry.at,
            roles: entry.roles,
            purpose: entry.subject.shown.purpose,
        })
    }
}
