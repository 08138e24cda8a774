//! Finds single records.

use std::collections::HashMap;

use diesel::prelude::*;

use super::row::{CheckRow, DetailsRow};
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_checks::dsl;
use crate::{CheckDetails, LivenessCheck, Timestamp};

macro_rules! recorded_under {
    ($keys:expr) => {
        dsl::liveness_checks.filter($keys).select((
            dsl::idempotency_key.assume_not_null(),
            dsl::request_fingerprint,
            CheckRow::as_select(),
        ))
    };
}

/// The records made under these idempotency keys. The map goes from the key to the fingerprint of the request and the
/// record.
pub(crate) fn under_keys(
    conn: &mut Connection<'_>,
    keys: &[String],
) -> Result<HashMap<String, (Vec<u8>, LivenessCheck)>, StoreError> {
    let rows: Vec<(String, Option<Vec<u8>>, CheckRow)> = match keys {
        [] => Vec::new(),
        keys if conn.is_citus() => on_either!(conn, |conn| recorded_under!(eq_any(
            dsl::idempotency_key.assume_not_null(),
            keys.to_vec()
        )?)
        // With the users, Citus knows the shards.
        .filter(eq_any(
            dsl::self_service_user_id,
            keys.iter().filter_map(|key| user_of(key)).collect()
        )?)
        .load(*conn))?,
        [key] => on_either!(conn, |conn| recorded_under!(dsl::idempotency_key.eq(key)).load(*conn))?,
        keys => on_either!(conn, |conn| recorded_under!(eq_any(
            dsl::idempotency_key.assume_not_null(),
            keys.to_vec()
        )?)
        .load(*conn))?,
    };
    let found = rows
        .into_iter()
        .map(|(key, fingerprint, row)| Ok((key, (fingerprint.unwrap_or_default(), row.try_into()?))));
    found.collect()
}

/// The user that a key belongs to. A scoped key begins with the id of the user.
fn user_of(scoped_key: &str) -> Option<i64> {
    scoped_key.split(' ').next()?.parse().ok()
}

/// The record with this id, and the details that lists leave out.
pub(crate) fn with_details(
    conn: &mut Connection<'_>,
    id: i64,
) -> Result<Option<(LivenessCheck, CheckDetails)>, StoreError> {
    let found: Option<(CheckRow, DetailsRow)> = on_either!(conn, |conn| dsl::liveness_checks
        .find(id)
        .select((CheckRow::as_select(), DetailsRow::as_select()))
        .first(*conn)
        .optional())?;
    let parsed = found.map(|(check, details)| Ok((check.try_into()?, details.try_into()?)));
    parsed.transpose()
}

/// The time of the newest record.
pub(crate) fn newest_check(conn: &mut Connection<'_>) -> Result<Option<Timestamp>, StoreError> {
    let newest = dsl::liveness_checks
        .order((dsl::created_at.desc(), dsl::id.desc()))
        .select(dsl::created_at);
    let newest: Option<i64> = on_either!(conn, |conn| newest.first(*conn).optional())?;
    Ok(newest.and_then(Timestamp::from_unix_millis))
}
