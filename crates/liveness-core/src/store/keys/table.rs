//! The two tables of the key store, and their SQL: the wrapped keys, and the key-encryption keys that wrap them.

use diesel::dsl::{count_star, exists, select};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Text};

use crate::faces::FaceKeyId;
use crate::store::engine::bulk_insert::{self, Clauses, NoClauses, row};
use crate::store::engine::connection::{Connection, Purpose, on_either};
use crate::store::engine::error::StoreError;
use crate::store::engine::migrations::has_table;

const TABLE: &str = "liveness_face_keys";
const NOT_AN_ID: &str = "the id of a key of a face does not have 16 bytes";
/// The function that every commit on PostgreSQL calls: `engine/standby.rs`.
const CONFIRM_COMMIT: &str = include_str!("../../../migrations/postgres/2026-11-29-145000_confirmed_commits/up.sql");

diesel::table! {
    liveness_face_keys (key_id) {
        key_id -> Binary,
        kek_id -> Text,
        wrapped -> Binary,
        created_at -> BigInt,
    }
}

diesel::table! {
    liveness_face_keks (kek_id) {
        kek_id -> Text,
        created_at -> BigInt,
        retired_at -> Nullable<BigInt>,
        destroyed_at -> Nullable<BigInt>,
    }
}

use liveness_face_keks::dsl as keks;
use liveness_face_keys::dsl as keys;

/// A wrapped data key.
pub(super) struct Wrapped {
    pub(super) key_id: FaceKeyId,
    pub(super) kek_id: String,
    pub(super) wrapped: Vec<u8>,
}

/// The columns of [`WrappedRow`].
const COLUMNS: (keys::key_id, keys::kek_id, keys::wrapped) = (keys::key_id, keys::kek_id, keys::wrapped);
type WrappedRow = (Vec<u8>, String, Vec<u8>);

impl TryFrom<WrappedRow> for Wrapped {
    type Error = StoreError;

    fn try_from((key_id, kek_id, wrapped): WrappedRow) -> Result<Self, StoreError> {
        let key_id = FaceKeyId::from_slice(&key_id);
        let key_id = key_id.ok_or_else(|| StoreError::internal(NOT_AN_ID))?;
        Ok(Self {
            key_id,
            kek_id,
            wrapped,
        })
    }
}

pub(super) fn is_made(conn: &mut Connection<'_>) -> Result<bool, StoreError> {
    has_table(conn, TABLE)
}

/// Makes the tables, both or none. No key of theirs says which record or user it is for.
pub(super) fn create(conn: &mut Connection<'_>) -> Result<(), StoreError> {
    let (integer, bytes, end) = match conn {
        Connection::Sqlite(_) => ("INTEGER", "BLOB", "STRICT, WITHOUT ROWID"),
        Connection::Postgres(_) | Connection::Citus(_) => ("BIGINT", "BYTEA", ""),
    };
    let confirm = match conn {
        Connection::Sqlite(_) => String::new(),
        Connection::Postgres(_) | Connection::Citus(_) => {
            CONFIRM_COMMIT.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
        }
    };
    let statements = format!(
        "{confirm} CREATE TABLE liveness_face_keks (kek_id TEXT NOT NULL PRIMARY KEY, created_at {integer} NOT NULL, \
         retired_at {integer}, destroyed_at {integer}) {end}; \
         CREATE TABLE {TABLE} (key_id {bytes} NOT NULL PRIMARY KEY, kek_id TEXT NOT NULL, wrapped {bytes} NOT NULL, \
         created_at {integer} NOT NULL) {end};"
    );
    conn.transaction(Purpose::Write, |conn| Ok(conn.execute(&statements)?))
}

row! {
    struct KeyRow<'a> of "liveness_face_keys", in columns KeyColumns {
        key_id: &'a [u8] => Binary,
        kek_id: &'a str => Text,
        wrapped: &'a [u8] => Binary,
        created_at: i64 => BigInt,
    }
}

row! {
    struct KekRow<'a> of "liveness_face_keks", in columns KekColumns {
        kek_id: &'a str => Text,
        created_at: i64 => BigInt,
    }
}

struct UnlessKnown;

impl Clauses for UnlessKnown {
    const ON_CONFLICT: &'static str = "ON CONFLICT DO NOTHING";
    type Returned = ();
}

/// Adds wrapped keys. Adds none and returns false if a key-encryption key of theirs was retired: whoever rotates has already
/// looked for the keys that it wraps.
pub(super) fn add(conn: &mut Connection<'_>, wrapped: &[Wrapped], now: i64) -> Result<bool, StoreError> {
    if !may_wrap(conn, wrapped, now)? {
        return Ok(false);
    }
    let rows = wrapped.iter().map(|key| KeyRow {
        key_id: key.key_id.as_bytes(),
        kek_id: &key.kek_id,
        wrapped: &key.wrapped,
        created_at: now,
    });
    let rows = rows.collect();
    bulk_insert::execute::<KeyRow<'_>, NoClauses>(conn, rows)?;
    Ok(true)
}

/// Adds a key-encryption key that nobody has, to see whether keys can be added. Roll it back.
pub(super) fn try_to_add(conn: &mut Connection<'_>) -> Result<(), StoreError> {
    add_kek(conn, "liveness-doctor", 0)
}

/// Whether none of the key-encryption keys is retired that wrap these keys. None is until the transaction ends.
fn may_wrap(conn: &mut Connection<'_>, wrapped: &[Wrapped], now: i64) -> Result<bool, StoreError> {
    let mut wrapping: Vec<_> = wrapped.iter().map(|key| key.kek_id.as_str()).collect();
    wrapping.dedup();
    for kek_id in wrapping {
        add_kek(conn, kek_id, now)?;
        let kek = keks::liveness_face_keks.find(kek_id).select(keks::retired_at);
        let retired_at: Option<i64> = match conn {
            Connection::Sqlite(conn) => kek.first(*conn)?,
            // A rotation waits for this transaction before it retires the key.
            Connection::Postgres(conn) | Connection::Citus(conn) => kek.for_share().first(*conn)?,
        };
        if retired_at.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn add_kek(conn: &mut Connection<'_>, kek_id: &str, now: i64) -> Result<(), StoreError> {
    let row = KekRow {
        kek_id,
        created_at: now,
    };
    bulk_insert::execute::<_, UnlessKnown>(conn, vec![row])
}

/// A wrapped key, and the key-encryption key that wraps it.
pub(super) fn find(conn: &mut Connection<'_>, key_id: &FaceKeyId) -> Result<Option<(String, Vec<u8>)>, StoreError> {
    let key = keys::liveness_face_keys
        .find(key_id.as_bytes().as_slice())
        .select((keys::kek_id, keys::wrapped));
    Ok(on_either!(conn, |conn| key.first(*conn).optional())?)
}

/// Deletes a key. Returns whether it was there.
pub(super) fn delete(conn: &mut Connection<'_>, key_id: &FaceKeyId) -> Result<bool, StoreError> {
    let key = keys::liveness_face_keys.find(key_id.as_bytes().as_slice());
    let deleted = on_either!(conn, |conn| diesel::delete(key).execute(*conn))?;
    Ok(deleted > 0)
}

/// The ids of the next keys between two, in their order.
pub(super) fn between(
    conn: &mut Connection<'_>,
    after: &FaceKeyId,
    before: &FaceKeyId,
    limit: usize,
) -> Result<Vec<FaceKeyId>, StoreError> {
    let next = keys::liveness_face_keys
        .filter(keys::key_id.gt(after.as_bytes().as_slice()))
        .filter(keys::key_id.lt(before.as_bytes().as_slice()))
        .order(keys::key_id)
        .limit(i64::try_from(limit).unwrap_or(i64::MAX))
        .select(keys::key_id);
    let ids: Vec<Vec<u8>> = on_either!(conn, |conn| next.load(*conn))?;
    let id = |id: &Vec<u8>| {
        let id = FaceKeyId::from_slice(id);
        id.ok_or_else(|| StoreError::internal(NOT_AN_ID))
    };
    ids.iter().map(id).collect()
}

pub(super) fn is_empty(conn: &mut Connection<'_>) -> Result<bool, StoreError> {
    let any = select(exists(keys::liveness_face_keys.select(keys::key_id)));
    Ok(!on_either!(conn, |conn| any.get_result::<bool>(*conn))?)
}

pub(super) fn count(conn: &mut Connection<'_>) -> Result<i64, StoreError> {
    let all = keys::liveness_face_keys.select(count_star());
    Ok(on_either!(conn, |conn| all.get_result(*conn))?)
}

/// One wrapped key of each key-encryption key that is not destroyed and wraps some.
pub(super) fn one_of_each(conn: &mut Connection<'_>) -> Result<Vec<Wrapped>, StoreError> {
    let wrapping = keks::liveness_face_keks
        .filter(keks::destroyed_at.is_null())
        .select(keks::kek_id);
    let wrapping: Vec<String> = on_either!(conn, |conn| wrapping.load(*conn))?;
    let mut found = Vec::new();
    for kek_id in wrapping {
        let key = keys::liveness_face_keys
            .filter(keys::kek_id.eq(&kek_id))
            .select(COLUMNS);
        let key: Option<WrappedRow> = on_either!(conn, |conn| key.first(*conn).optional())?;
        found.extend(key.map(Wrapped::try_from).transpose()?);
    }
    Ok(found)
}

/// Waits for other transactions that retire key-encryption keys. SQLite has one writer.
pub(super) fn lock_keks(conn: &mut Connection<'_>) -> Result<(), StoreError> {
    match conn {
        Connection::Sqlite(_) => Ok(()),
        Connection::Postgres(_) | Connection::Citus(_) => {
            conn.execute("LOCK TABLE liveness_face_keks IN SHARE ROW EXCLUSIVE MODE")?;
            Ok(())
        }
    }
}

/// Retires every key-encryption key but the new one: nothing more is wrapped by them. `before` was current until now.
pub(super) fn retire(conn: &mut Connection<'_>, new: &str, before: &str, now: i64) -> Result<(), StoreError> {
    add_kek(conn, new, now)?;
    add_kek(conn, before, now)?;
    let others = keks::liveness_face_keks.filter(keks::kek_id.ne(new).and(keks::retired_at.is_null()));
    on_either!(conn, |conn| diesel::update(others)
        .set(keks::retired_at.eq(now))
        .execute(*conn))?;
    Ok(())
}

/// The key-encryption keys that were retired and are not destroyed.
pub(super) fn retired(conn: &mut Connection<'_>) -> Result<Vec<String>, StoreError> {
    let retired = keks::liveness_face_keks
        .filter(keks::retired_at.is_not_null().and(keks::destroyed_at.is_null()))
        .order(keks::kek_id)
        .select(keks::kek_id);
    Ok(on_either!(conn, |conn| retired.load(*conn))?)
}

/// The next keys that a key-encryption key wraps, in the order of their ids.
pub(super) fn wrapped_by(
    conn: &mut Connection<'_>,
    kek_id: &str,
    after: &[u8],
    limit: i64,
) -> Result<Vec<Wrapped>, StoreError> {
    let next = keys::liveness_face_keys
        .filter(keys::kek_id.eq(kek_id).and(keys::key_id.gt(after)))
        .order(keys::key_id)
        .limit(limit)
        .select(COLUMNS);
    let rows: Vec<WrappedRow> = on_either!(conn, |conn| next.load(*conn))?;
    rows.into_iter().map(Wrapped::try_from).collect()
}

/// Puts keys that were wrapped anew in the place of the old ones. A key that was erased meanwhile does not come back. Changes
/// nothing and returns false if another rotation has retired what wraps them now.
pub(super) fn rewrap(conn: &mut Connection<'_>, old: &str, wrapped: &[Wrapped], now: i64) -> Result<bool, StoreError> {
    if !may_wrap(conn, wrapped, now)? {
        return Ok(false);
    }
    for key in wrapped {
        let row = keys::liveness_face_keys
            .find(key.key_id.as_bytes().as_slice())
            .filter(keys::kek_id.eq(old));
        on_either!(conn, |conn| diesel::update(row)
            .set((keys::kek_id.eq(&key.kek_id), keys::wrapped.eq(&key.wrapped)))
            .execute(*conn))?;
    }
    Ok(true)
}

/// Notes that a key-encryption key is destroyed.
pub(super) fn note_destroyed(conn: &mut Connection<'_>, kek_id: &str, now: i64) -> Result<(), StoreError> {
    let kek = keks::liveness_face_keks.find(kek_id);
    on_either!(conn, |conn| diesel::update(kek)
        .set(keks::destroyed_at.eq(now))
        .execute(*conn))?;
    Ok(())
}

/// When the first key-encryption key was destroyed that was retired at this time or later.
pub(super) fn destroyed_after(conn: &mut Connection<'_>, retired_at: i64) -> Result<Option<i64>, StoreError> {
    let destroyed = keks::liveness_face_keks
        .filter(keks::retired_at.ge(retired_at).and(keks::destroyed_at.is_not_null()))
        .order(keks::destroyed_at)
        .select(keks::destroyed_at.assume_not_null());
    Ok(on_either!(conn, |conn| destroyed.first(*conn).optional())?)
}
