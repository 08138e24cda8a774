//! The audit trail. Entries are added and read, never changed.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;

use super::error::StoreError;
use super::schema::liveness_audit_entries::{self, dsl};
use crate::{AuditEntry, Timestamp};

/// Writes an entry on a connection of the embedding backend's, in its own transaction: for a command whose record
/// is the backend's.
///
/// # Errors
///
/// [`StoreError::Unavailable`], with nothing written.
pub fn insert(conn: &mut SqliteConnection, entry: &AuditEntry) -> Result<(), StoreError> {
    diesel::insert_into(dsl::liveness_audit_entries)
        .values((
            dsl::at.eq(entry.at.unix_millis()),
            dsl::request_id.eq(&entry.request_id),
            dsl::principal.eq(&entry.principal),
            dsl::roles.eq(&entry.roles),
            dsl::self_service_user_id.eq(entry.self_service_user_id),
            dsl::message.eq(&*entry.message),
            dsl::outcome.eq(&*entry.outcome),
            dsl::client_ip.eq(entry.client_address.map(|address| address.to_string())),
        ))
        .execute(conn)?;
    Ok(())
}

pub(super) fn newest(conn: &mut SqliteConnection, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
    let rows: Vec<AuditRow> = dsl::liveness_audit_entries
        .order(dsl::id.desc())
        .limit(limit)
        .select(AuditRow::as_select())
        .load(conn)?;
    rows.into_iter().map(AuditEntry::try_from).collect()
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = liveness_audit_entries)]
struct AuditRow {
    at: i64,
    request_id: String,
    principal: String,
    roles: String,
    self_service_user_id: Option<i64>,
    message: String,
    outcome: String,
    client_ip: Option<String>,
}

impl TryFrom<AuditRow> for AuditEntry {
    type Error = StoreError;

    fn try_from(row: AuditRow) -> Result<Self, StoreError> {
        let client_address = row.client_ip.map(|text| text.parse()).transpose();
        Ok(Self {
            at: Timestamp::from_unix_millis(row.at)
                .ok_or_else(|| StoreError::Internal("an audit entry's time is out of range".into()))?,
            request_id: row.request_id,
            principal: row.principal,
            roles: row.roles,
            self_service_user_id: row.self_service_user_id,
            message: row.message.into(),
            outcome: row.outcome.into(),
            client_address: client_address.map_err(|error| StoreError::Internal(Box::new(error)))?,
        })
    }
}
