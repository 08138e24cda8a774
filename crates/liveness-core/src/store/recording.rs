//! The one transaction of a command: record, image, audit entry, session and idempotency key.

use diesel::sqlite::SqliteConnection;

use super::error::StoreError;
use super::{audit_entries, checks, idempotency_keys, images, sessions};
use crate::{AuditEntry, IdempotencyKey, LivenessCheck, NewLivenessCheck};

/// What a command writes, all of it or nothing.
#[derive(Debug)]
pub struct Recording {
    /// The record.
    pub check: NewLivenessCheck,
    /// The trace of it.
    pub audit_entry: AuditEntry,
    /// The command's name, which an idempotency key belongs to.
    pub command: &'static str,
    /// The key under which the client may repeat it.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// What was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The record; on a replay, that of the first call.
    pub check: LivenessCheck,
    /// Whether this call repeated an earlier one and added no record.
    pub is_replay: bool,
}

pub(super) fn record(conn: &mut SqliteConnection, recording: &Recording) -> Result<Recorded, StoreError> {
    let Recording {
        check,
        audit_entry,
        command,
        idempotency_key,
    } = recording;

    if let Some(key) = idempotency_key
        && let Some(id) = idempotency_keys::recorded_under(conn, check.user.id, command, key)?
    {
        // The replay writes too: its entry is durable before it is answered.
        audit_entries::insert(conn, audit_entry)?;
        return Ok(Recorded {
            check: checks::get(conn, id)?,
            is_replay: true,
        });
    }

    sessions::claim(conn, &check.session_id, check.user.id, check.created_at)?;
    let recorded = checks::insert(conn, check)?;
    if let Some(image) = &check.image {
        images::put(conn, recorded.id, image)?;
    }
    if let Some(key) = idempotency_key {
        idempotency_keys::insert(conn, check.user.id, command, key, recorded.id, check.created_at)?;
        idempotency_keys::forget_some_before(conn, check.created_at.plus_millis(-idempotency_keys::KEPT_MILLIS))?;
    }
    audit_entries::insert(conn, audit_entry)?;
    Ok(Recorded {
        check: recorded,
        is_replay: false,
    })
}
