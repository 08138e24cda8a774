//! The rows of the audit trail. They are added and read, never changed.

mod audit_row;
mod inserting;

use std::sync::Arc;

use diesel::prelude::*;

use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::entry_writer::{EntryWriter, TrailLink};
use crate::store::tables::schema::liveness_audit_entries::dsl;
use crate::trail::leaf::Sha256;
use crate::{AuditEntry, AuditSubject, Timestamp};

pub(crate) use self::audit_row::AuditRow;
use self::inserting::{insert_rows, register};

/// Replaces a missing user id on Citus, which needs an id to choose a shard. Ids of users begin at 1.
const NOBODY: i64 = 0;

/// How many ids of records share a row of `liveness_audit_lists`.
const BUCKET: i64 = 256;

/// Writes an entry on a connection of the embedding backend, in the transaction of the backend.
///
/// Use this for a command whose record is in the backend's own tables. On Citus, name the engine:
/// `insert_audit_entry(Connection::Citus(conn), &entry)`.
///
/// # Errors
///
/// [`StoreError::Unavailable`], with nothing written.
pub fn insert<'a>(conn: impl Into<Connection<'a>>, entry: &AuditEntry) -> Result<(), StoreError> {
    insert_once(&mut conn.into(), entry, Arc::default())
}

/// Writes an entry as a writer of one entry.
pub(crate) fn insert_once(
    conn: &mut Connection<'_>,
    entry: &AuditEntry,
    link: Arc<TrailLink>,
) -> Result<(), StoreError> {
    let mut writer = EntryWriter::new(link);
    writer.begin()?;
    let due = [DueEntry { entry, recorded: None }];
    insert_rows(conn, &mut writer, &due)?;
    register(conn, &writer, entry.at, true)
}

/// What a transaction recorded, for the entry that tells of it.
#[derive(Debug)]
pub(crate) struct RecordedCheck {
    pub(crate) id: i64,
    /// The bytes from which the digest of the record is made. `None` for a record that was there before.
    pub(crate) canonical: Option<Vec<u8>>,
    /// SHA-256 of the face as it is kept.
    pub(crate) face_digest: Option<Sha256>,
}

/// An entry to write.
#[derive(Clone, Copy)]
pub(crate) struct DueEntry<'a> {
    pub(crate) entry: &'a AuditEntry,
    pub(crate) recorded: Option<&'a RecordedCheck>,
}

/// Writes the entries of one transaction.
pub(crate) fn insert_all(
    conn: &mut Connection<'_>,
    writer: &mut EntryWriter,
    entries: &[DueEntry<'_>],
) -> Result<(), StoreError> {
    let Some(first) = entries.first() else {
        return Ok(());
    };
    writer.begin()?;
    insert_rows(conn, writer, entries)?;
    if writer.tells() {
        register(conn, writer, first.entry.at, false)?;
    }
    Ok(())
}

/// The bucket of a record.
pub(crate) fn bucket_of(check_id: i64) -> i64 {
    check_id.div_euclid(BUCKET)
}

/// The buckets of records, each once.
pub(crate) fn buckets_of(check_ids: &[i64]) -> Vec<i64> {
    let mut buckets: Vec<_> = check_ids.iter().map(|id| bucket_of(*id)).collect();
    buckets.sort_unstable();
    buckets.dedup();
    buckets
}

/// The user of an entry, if it has one.
pub(crate) fn somebody(user: Option<i64>) -> Option<i64> {
    user.filter(|id| *id != NOBODY)
}

pub(crate) fn newest(conn: &mut Connection<'_>, limit: i64) -> Result<Vec<AuditEntry>, StoreError> {
    let rows: Vec<AuditRow> = on_either!(conn, |conn| dsl::liveness_audit_entries
        .order(dsl::id.desc())
        .limit(limit)
        .select(AuditRow::as_select())
        .load(*conn))?;
    rows.into_iter().map(AuditEntry::try_from).collect()
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
        subject: AuditSubject::default(),
    };
    insert_once(conn, &entry, Arc::default())
}
