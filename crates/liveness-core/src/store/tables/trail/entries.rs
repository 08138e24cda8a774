//! The audit trail. Entries are added and read, never changed.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::store::engine::bulk_insert::{self, NoClauses, row};
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_audit_entries::{self, dsl};
use crate::{AuditEntry, Timestamp};

/// Replaces a missing user id on Citus, which needs an id to choose a shard. Ids of users begin at 1.
const NOBODY: i64 = 0;

/// Writes an entry on a connection of the embedding backend, in the transaction of the backend.
///
/// Use this for a command whose record is in the backend's own tables. On Citus, name the engine:
/// `insert_audit_entry(Connection::Citus(conn), &entry)`.
///
/// # Errors
///
/// [`StoreError::Unavailable`], with nothing written.
pub fn insert<'a>(conn: impl Into<Connection<'a>>, entry: &AuditEntry) -> Result<(), StoreError> {
    insert_all(&mut conn.into(), &[entry])
}

pub(crate) fn insert_all(conn: &mut Connection<'_>, entries: &[&AuditEntry]) -> Result<(), StoreError> {
    let nobody = conn.is_citus().then_some(NOBODY);
    let rows: Vec<_> = entries.iter().map(|entry| NewAuditRow::of(entry, nobody)).collect();
    bulk_insert::execute::<_, NoClauses>(conn, rows)
}

row! {
    struct NewAuditRow<'a> of "liveness_audit_entries", in columns NewAuditColumns {
        at: i64 => BigInt,
        request_id: &'a str => Text,
        principal: &'a str => Text,
        issuer: Option<&'a str> => Nullable<Text>,
        actor: Option<&'a str> => Nullable<Text>,
        roles: &'a str => Text,
        self_service_user_id: Option<i64> => Nullable<BigInt>,
        message: &'a str => Text,
        outcome: &'a str => Text,
        client_ip: Option<String> => Nullable<Text>,
    }
}

impl<'a> NewAuditRow<'a> {
    fn of(entry: &'a AuditEntry, nobody: Option<i64>) -> Self {
        Self {
            at: entry.at.unix_millis(),
            request_id: &entry.request_id,
            principal: &entry.principal,
            issuer: entry.issuer.as_deref(),
            actor: entry.actor.as_deref(),
            roles: &entry.roles,
            self_service_user_id: entry.self_service_user_id.or(nobody),
            message: &entry.message,
            outcome: &entry.outcome,
            client_ip: entry.client_address.map(|address| address.to_string()),
        }
    }
}

pub(crate) fn newest(conn: &mut Connection<'_>, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
    let rows: Vec<AuditRow> = on_either!(conn, |conn| dsl::liveness_audit_entries
        .order(dsl::id.desc())
        .limit(limit)
        .select(AuditRow::as_select())
        .load(*conn))?;
    rows.into_iter().map(AuditEntry::try_from).collect()
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = liveness_audit_entries)]
struct AuditRow {
    at: i64,
    request_id: String,
    principal: String,
    issuer: Option<String>,
    actor: Option<String>,
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
                .ok_or_else(|| StoreError::internal("an audit entry's time is out of range"))?,
            request_id: row.request_id,
            principal: row.principal,
            issuer: row.issuer,
            actor: row.actor,
            roles: row.roles,
            self_service_user_id: row.self_service_user_id.filter(|id| *id != NOBODY),
            message: row.message.into(),
            outcome: row.outcome.into(),
            client_address: client_address.map_err(StoreError::internal)?,
        })
    }
}

/// Writes an empty entry, to see whether the database accepts it.
pub(crate) fn try_to_insert(conn: &mut Connection<'_>) -> Result<(), StoreError> {
    let entry = AuditEntry {
        at: Timestamp::from_unix_millis(0).ok_or_else(|| StoreError::internal("the epoch is a time"))?,
        request_id: String::new(),
        principal: String::new(),
        issuer: None,
        actor: None,
        roles: String::new(),
        self_service_user_id: None,
        message: "".into(),
        outcome: "".into(),
        client_address: None,
    };
    insert_all(conn, &[&entry])
}
