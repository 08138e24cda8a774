//! The rows of erasures and of legal holds. They are what a query asks; the log of the audit trail is what proves them.

use std::ops::Range;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};

use crate::store::engine::bulk_insert::{self, Clauses, NoClauses, row};
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::{
    liveness_entry_erasures as entries, liveness_face_erasures as faces, liveness_legal_holds as holds,
    liveness_user_erasures as users,
};
use crate::{FaceErasure, Timestamp};

/// The place of the audit entry that tells of an erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) writer: Vec<u8>,
    pub(crate) count: i64,
}

/// The erasure of a face.
#[derive(Queryable, Selectable, Debug, Clone)]
#[diesel(table_name = faces)]
pub(crate) struct ErasedFaceRow {
    pub(crate) liveness_check_id: i64,
    pub(crate) self_service_user_id: i64,
    pub(crate) face_digest: Vec<u8>,
    pub(crate) was_sealed: bool,
    pub(crate) erased_at: i64,
    pub(crate) because: String,
    pub(crate) writer: Vec<u8>,
    pub(crate) writer_count: i64,
}

impl TryFrom<ErasedFaceRow> for FaceErasure {
    type Error = StoreError;

    fn try_from(row: ErasedFaceRow) -> Result<Self, StoreError> {
        let out_of_range = || StoreError::internal("the row of an erasure is not what an erasure has");
        Ok(Self {
            digest: row.face_digest.try_into().map_err(|_| out_of_range())?,
            erased_at: Timestamp::from_unix_millis(row.erased_at).ok_or_else(out_of_range)?,
            because: row.because,
        })
    }
}

row! {
    struct FaceRow<'a> of "liveness_face_erasures", in columns FaceColumns {
        liveness_check_id: i64 => BigInt,
        self_service_user_id: i64 => BigInt,
        face_digest: &'a [u8] => Binary,
        was_sealed: bool => Bool,
        erased_at: i64 => BigInt,
        because: &'a str => Text,
        writer: &'a [u8] => Binary,
        writer_count: i64 => BigInt,
    }
}

/// Adds the erasures of faces.
pub(crate) fn add_faces(conn: &mut Connection<'_>, erased: &[ErasedFaceRow]) -> Result<(), StoreError> {
    let rows = erased.iter().map(|row| FaceRow {
        liveness_check_id: row.liveness_check_id,
        self_service_user_id: row.self_service_user_id,
        face_digest: &row.face_digest,
        was_sealed: row.was_sealed,
        erased_at: row.erased_at,
        because: &row.because,
        writer: &row.writer,
        writer_count: row.writer_count,
    });
    let rows = rows.collect();
    bulk_insert::execute::<FaceRow<'_>, NoClauses>(conn, rows)
}

/// The erasure of a record's face, if it was erased.
pub(crate) fn face(conn: &mut Connection<'_>, check_id: i64) -> Result<Option<ErasedFaceRow>, StoreError> {
    Ok(on_either!(conn, |conn| faces::table
        .find(check_id)
        .select(ErasedFaceRow::as_select())
        .first(*conn)
        .optional())?)
}

/// The erasures of the faces of these records.
pub(crate) fn faces(conn: &mut Connection<'_>, check_ids: &[i64]) -> Result<Vec<ErasedFaceRow>, StoreError> {
    let ids = check_ids.to_vec();
    Ok(on_either!(conn, |conn| faces::table
        .filter(eq_any(faces::liveness_check_id, ids)?)
        .select(ErasedFaceRow::as_select())
        .load(*conn))?)
}

/// The next erasures of faces of records with these ids, at most so many.
pub(crate) fn next_faces(
    conn: &mut Connection<'_>,
    check_ids: Range<i64>,
    limit: i64,
) -> Result<Vec<ErasedFaceRow>, StoreError> {
    Ok(on_either!(conn, |conn| faces::table
        .filter(
            faces::liveness_check_id
                .ge(check_ids.start)
                .and(faces::liveness_check_id.lt(check_ids.end)),
        )
        .order(faces::liveness_check_id)
        .limit(limit)
        .select(ErasedFaceRow::as_select())
        .load(*conn))?)
}

/// The greatest id of a record whose face was erased, as the erasures say.
pub(crate) fn last_face(conn: &mut Connection<'_>) -> Result<i64, StoreError> {
    let last: Option<i64> = on_either!(conn, |conn| faces::table
        .order(faces::liveness_check_id.desc())
        .select(faces::liveness_check_id)
        .first(*conn)
        .optional())?;
    Ok(last.unwrap_or_default())
}

/// How far the erasure of a user has come.
#[derive(Queryable, Selectable, Debug, Clone, PartialEq, Eq)]
#[diesel(table_name = users)]
pub(crate) struct UserErasureRow {
    pub(crate) self_service_user_id: i64,
    pub(crate) begun_at: i64,
    /// `None` while it is going on, or if the process has ended in the middle of it.
    pub(crate) done_at: Option<i64>,
    pub(crate) records: i64,
    pub(crate) faces: i64,
    /// The place of the last record that is done.
    pub(crate) last_created_at: i64,
    pub(crate) last_check_id: i64,
}

row! {
    struct UserRow of "liveness_user_erasures", in columns UserColumns {
        self_service_user_id: i64 => BigInt,
        begun_at: i64 => BigInt,
        done_at: Option<i64> => Nullable<BigInt>,
        records: i64 => BigInt,
        faces: i64 => BigInt,
        last_created_at: i64 => BigInt,
        last_check_id: i64 => BigInt,
    }
}

struct OrChange;

impl Clauses for OrChange {
    const ON_CONFLICT: &'static str = "ON CONFLICT (self_service_user_id) DO UPDATE SET begun_at = excluded.begun_at, \
        done_at = excluded.done_at, records = excluded.records, faces = excluded.faces, \
        last_created_at = excluded.last_created_at, last_check_id = excluded.last_check_id";
    type Returned = ();
}

pub(crate) fn put_user(conn: &mut Connection<'_>, erasure: &UserErasureRow) -> Result<(), StoreError> {
    let row = UserRow {
        self_service_user_id: erasure.self_service_user_id,
        begun_at: erasure.begun_at,
        done_at: erasure.done_at,
        records: erasure.records,
        faces: erasure.faces,
        last_created_at: erasure.last_created_at,
        last_check_id: erasure.last_check_id,
    };
    bulk_insert::execute::<_, OrChange>(conn, vec![row])
}

pub(crate) fn user(conn: &mut Connection<'_>, id: i64) -> Result<Option<UserErasureRow>, StoreError> {
    Ok(on_either!(conn, |conn| users::table
        .find(id)
        .select(UserErasureRow::as_select())
        .first(*conn)
        .optional())?)
}

/// The next users behind this one who were erased, or are being erased, at most so many.
pub(crate) fn next_users(conn: &mut Connection<'_>, after: i64, limit: i64) -> Result<Vec<i64>, StoreError> {
    Ok(on_either!(conn, |conn| users::table
        .filter(users::self_service_user_id.gt(after))
        .order(users::self_service_user_id)
        .limit(limit)
        .select(users::self_service_user_id)
        .load(*conn))?)
}

row! {
    struct EntryRow<'a> of "liveness_entry_erasures", in columns EntryColumns {
        entry_id: i64 => BigInt,
        writer: &'a [u8] => Binary,
        writer_count: i64 => BigInt,
    }
}

struct OrMove;

impl Clauses for OrMove {
    const ON_CONFLICT: &'static str =
        "ON CONFLICT (entry_id) DO UPDATE SET writer = excluded.writer, writer_count = excluded.writer_count";
    type Returned = ();
}

/// Notes which entry tells of the erasure of these entries.
pub(crate) fn add_entries(conn: &mut Connection<'_>, ids: &[i64], told: &Told) -> Result<(), StoreError> {
    let rows = ids.iter().map(|entry_id| EntryRow {
        entry_id: *entry_id,
        writer: &told.writer,
        writer_count: told.count,
    });
    let rows = rows.collect();
    bulk_insert::execute::<EntryRow<'_>, OrMove>(conn, rows)
}

/// Which entries tell of the erasure of these entries.
pub(crate) fn entries(conn: &mut Connection<'_>, ids: &[i64]) -> Result<Vec<(i64, Told)>, StoreError> {
    let ids = ids.to_vec();
    let rows: Vec<(i64, Vec<u8>, i64)> = on_either!(conn, |conn| entries::table
        .filter(eq_any(entries::entry_id, ids)?)
        .select((entries::entry_id, entries::writer, entries::writer_count))
        .load(*conn))?;
    let told = rows.into_iter().map(|(id, writer, count)| (id, Told { writer, count }));
    Ok(told.collect())
}

row! {
    struct HoldRow<'a> of "liveness_legal_holds", in columns HoldColumns {
        self_service_user_id: i64 => BigInt,
        held_since: i64 => BigInt,
        placed_by: &'a str => Text,
        because: &'a str => Text,
    }
}

/// Since when nothing of a user may be erased, if so.
pub(crate) fn held_since(conn: &mut Connection<'_>, user: i64) -> Result<Option<Timestamp>, StoreError> {
    let held = holds::table.find(user).select(holds::held_since);
    let since: Option<i64> = on_either!(conn, |conn| held.first(*conn).optional())?;
    Ok(since.and_then(Timestamp::from_unix_millis))
}

/// A legal hold.
#[derive(Queryable, Debug, Clone, PartialEq, Eq)]
pub(crate) struct LegalHoldRow {
    pub(crate) held_since: i64,
    pub(crate) placed_by: String,
    pub(crate) because: String,
}

/// The hold on a user, if there is one.
pub(crate) fn hold(conn: &mut Connection<'_>, user: i64) -> Result<Option<LegalHoldRow>, StoreError> {
    let hold = holds::table
        .find(user)
        .select((holds::held_since, holds::placed_by, holds::because));
    Ok(on_either!(conn, |conn| hold.first(*conn).optional())?)
}

/// All users who are under a hold.
pub(crate) fn all_held(conn: &mut Connection<'_>) -> Result<Vec<i64>, StoreError> {
    let held = holds::table.select(holds::self_service_user_id);
    Ok(on_either!(conn, |conn| held.load(*conn))?)
}

/// Which of these users are under a hold.
pub(crate) fn held(conn: &mut Connection<'_>, users: &[i64]) -> Result<Vec<i64>, StoreError> {
    let held = eq_any(holds::self_service_user_id, users.to_vec())?;
    Ok(on_either!(conn, |conn| holds::table
        .filter(held)
        .select(holds::self_service_user_id)
        .load(*conn))?)
}

pub(crate) fn add_hold(
    conn: &mut Connection<'_>,
    user: i64,
    since: Timestamp,
    by: &str,
    because: &str,
) -> Result<(), StoreError> {
    let row = HoldRow {
        self_service_user_id: user,
        held_since: since.unix_millis(),
        placed_by: by,
        because,
    };
    bulk_insert::execute::<_, NoClauses>(conn, vec![row])
}

pub(crate) fn remove_hold(conn: &mut Connection<'_>, user: i64) -> Result<(), StoreError> {
    let held = holds::table.find(user);
    on_either!(conn, |conn| diesel::delete(held).execute(*conn))?;
    Ok(())
}
