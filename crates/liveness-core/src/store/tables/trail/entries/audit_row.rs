//! The row of an entry, as a query reads it.

use diesel::prelude::*;

use super::somebody;
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_audit_entries;
use crate::{AuditEntry, AuditSubject, Shown, Timestamp};

/// The row of an entry, as a query reads it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = liveness_audit_entries)]
pub(crate) struct AuditRow {
    pub(crate) id: i64,
    pub(crate) at: i64,
    pub(crate) request_id: String,
    pub(crate) principal: String,
    pub(crate) issuer: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) roles: String,
    pub(crate) self_service_user_id: Option<i64>,
    pub(crate) message: String,
    pub(crate) outcome: String,
    pub(crate) client_ip: Option<String>,
    pub(crate) liveness_check_id: Option<i64>,
    pub(crate) subject: Option<String>,
    pub(crate) face_digest: Option<Vec<u8>>,
}

impl TryFrom<AuditRow> for AuditEntry {
    type Error = StoreError;

    fn try_from(row: AuditRow) -> Result<Self, StoreError> {
        let client_address = row.client_ip.map(|text| text.parse()).transpose();
        let shown = row.subject.as_deref().map(serde_json::from_str::<Shown>).transpose();
        Ok(Self {
            at: Timestamp::from_unix_millis(row.at)
                .ok_or_else(|| StoreError::internal("an audit entry's time is out of range"))?,
            request_id: row.request_id,
            principal: row.principal,
            issuer: row.issuer,
            actor: row.actor,
            roles: row.roles,
            self_service_user_id: somebody(row.self_service_user_id),
            message: row.message.into(),
            outcome: row.outcome.into(),
            client_address: client_address.map_err(StoreError::internal)?,
            subject: AuditSubject {
                liveness_check_id: row.liveness_check_id,
                face_digest: row.face_digest.and_then(|digest| digest.try_into().ok()),
                shown: shown.map_err(StoreError::internal)?.unwrap_or_default(),
            },
        })
    }
}
