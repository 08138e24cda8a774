//! Which record a user's idempotency key stands for.

use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;

use super::error::StoreError;
use super::schema::liveness_idempotency_keys::dsl;
use crate::{IdempotencyKey, Timestamp};

/// How long a key is kept at least: 24 h.
pub(super) const KEPT_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// The id of what was recorded under the key, or `None` when it is new.
pub(super) fn recorded_under(
    conn: &mut SqliteConnection,
    user: i64,
    command: &str,
    key: &IdempotencyKey,
) -> Result<Option<i64>, StoreError> {
    let found: Option<(Vec<u8>, i64)> = dsl::liveness_idempotency_keys
        .find((user, command, key.key()))
        .select((dsl::fingerprint, dsl::liveness_check_id))
        .first(conn)
        .optional()?;
    match found {
        None => Ok(None),
        Some((fingerprint, id)) if fingerprint == key.fingerprint() => Ok(Some(id)),
        Some(_) => Err(StoreError::IdempotencyKeyReused),
    }
}

pub(super) fn insert(
    conn: &mut SqliteConnection,
    user: i64,
    command: &str,
    key: &IdempotencyKey,
    check_id: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    diesel::insert_into(dsl::liveness_idempotency_keys)
        .values((
            dsl::self_service_user_id.eq(user),
            dsl::command.eq(command),
            dsl::idempotency_key.eq(key.key()),
            dsl::fingerprint.eq(key.fingerprint().as_slice()),
            dsl::liveness_check_id.eq(check_id),
            dsl::created_at.eq(now.unix_millis()),
        ))
        .execute(conn)?;
    Ok(())
}

/// Forgets the two oldest keys if they are older than `limit`: each new key pays for two old ones, so
/// that the table shrinks without a job of its own.
pub(super) fn forget_some_before(conn: &mut SqliteConnection, limit: Timestamp) -> Result<(), StoreError> {
    let oldest: Vec<(i64, String, String)> = dsl::liveness_idempotency_keys
        .filter(dsl::created_at.lt(limit.unix_millis()))
        .order(dsl::created_at)
        .limit(2)
        .select((dsl::self_service_user_id, dsl::command, dsl::idempotency_key))
        .load(conn)?;
    for key in oldest {
        diesel::delete(dsl::liveness_idempotency_keys.find(key)).execute(conn)?;
    }
    Ok(())
}
