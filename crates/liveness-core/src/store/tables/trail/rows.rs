//! The rows of entries with all of their columns, and the leaves that are made of them.

mod entry_row;

use diesel::prelude::*;

use super::log::NO_WRITER;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_audit_entries::dsl;

pub(crate) use self::entry_row::EntryRow;

/// Entries of a writer with these counts, in their order. Two rows with one count are in the order of their ids.
pub(crate) fn of_writer(
    conn: &mut Connection<'_>,
    writer: &[u8],
    counts: std::ops::Range<i64>,
) -> Result<Vec<EntryRow>, StoreError> {
    if writer == NO_WRITER {
        return Ok(on_either!(conn, |conn| dsl::liveness_audit_entries
            .filter(
                dsl::writer
                    .is_null()
                    .and(dsl::id.ge(counts.start))
                    .and(dsl::id.lt(counts.end)),
            )
            .order(dsl::id)
            .select(EntryRow::as_select())
            .load(*conn))?);
    }
    Ok(on_either!(conn, |conn| dsl::liveness_audit_entries
        .filter(
            dsl::writer
                .eq(writer)
                .and(dsl::writer_count.ge(counts.start))
                .and(dsl::writer_count.lt(counts.end)),
        )
        .order((dsl::writer_count, dsl::id))
        .select(EntryRow::as_select())
        .load(*conn))?)
}

/// The next entries without a writer, behind the one with the id `after` and up to the one with the id `last`.
pub(crate) fn old_entries(
    conn: &mut Connection<'_>,
    after: i64,
    last: i64,
    limit: i64,
) -> Result<Vec<EntryRow>, StoreError> {
    Ok(on_either!(conn, |conn| dsl::liveness_audit_entries
        .filter(dsl::writer.is_null().and(dsl::id.gt(after)).and(dsl::id.le(last)))
        .order(dsl::id)
        .limit(limit)
        .select(EntryRow::as_select())
        .load(*conn))?)
}

/// The entries that have this place: one, unless somebody has put in others.
pub(crate) fn at_place(conn: &mut Connection<'_>, writer: &[u8], count: i64) -> Result<Vec<EntryRow>, StoreError> {
    of_writer(conn, writer, count..count.saturating_add(1))
}

/// An entry that is not in the log yet.
#[derive(Queryable, Debug)]
pub(crate) struct NewEntry {
    pub(crate) id: i64,
    pub(crate) count: i64,
    pub(crate) leaf_hash: Option<Vec<u8>>,
    pub(crate) mac: Option<Vec<u8>>,
}

/// The next entries of a writer behind the count `after`.
pub(crate) fn new_entries(
    conn: &mut Connection<'_>,
    writer: &[u8],
    after: i64,
    limit: i64,
) -> Result<Vec<NewEntry>, StoreError> {
    let rows = dsl::liveness_audit_entries
        .filter(dsl::writer.eq(writer).and(dsl::writer_count.gt(after)))
        .order((dsl::writer_count, dsl::id))
        .limit(limit)
        .select((dsl::id, dsl::writer_count.assume_not_null(), dsl::leaf_hash, dsl::mac));
    Ok(on_either!(conn, |conn| rows.load(*conn))?)
}

/// The id of the last entry.
pub(crate) fn last_id(conn: &mut Connection<'_>) -> Result<i64, StoreError> {
    let last: Option<i64> = on_either!(conn, |conn| dsl::liveness_audit_entries
        .order(dsl::id.desc())
        .select(dsl::id)
        .first(*conn)
        .optional())?;
    Ok(last.unwrap_or_default())
}

/// Where an entry says that it belongs.
#[derive(Queryable, Debug)]
pub(crate) struct Place {
    pub(crate) id: i64,
    pub(crate) writer: Option<Vec<u8>>,
    pub(crate) writer_count: Option<i64>,
    pub(crate) leaf_hash: Option<Vec<u8>>,
    pub(crate) mac: Option<Vec<u8>>,
}

/// The places of the entries with these ids, ordered by writer and count.
pub(crate) fn places(conn: &mut Connection<'_>, ids: std::ops::Range<i64>) -> Result<Vec<Place>, StoreError> {
    let mut places: Vec<Place> = on_either!(conn, |conn| dsl::liveness_audit_entries
        .filter(dsl::id.ge(ids.start).and(dsl::id.lt(ids.end)))
        .select((dsl::id, dsl::writer, dsl::writer_count, dsl::leaf_hash, dsl::mac))
        .load(*conn))?;
    places.sort_by(|a, b| (&a.writer, a.writer_count, a.id).cmp(&(&b.writer, b.writer_count, b.id)));
    Ok(places)
}

/// The entries that have a digest of a record: that of its recording, and that of its erasure.
pub(crate) fn binding(conn: &mut Connection<'_>, check_id: i64) -> Result<Vec<EntryRow>, StoreError> {
    let mut found: Vec<EntryRow> = on_either!(conn, |conn| dsl::liveness_audit_entries
        .filter(
            dsl::liveness_check_id
                .eq(check_id)
                .and(dsl::record_digest.is_not_null())
        )
        .select(EntryRow::as_select())
        .load(*conn))?;
    found.sort_unstable_by_key(|entry| entry.id);
    Ok(found)
}

/// The entries that tell of legal holds on a user.
pub(crate) fn hold_changes(conn: &mut Connection<'_>, user: i64) -> Result<Vec<EntryRow>, StoreError> {
    Ok(on_either!(conn, |conn| dsl::liveness_audit_entries
        .filter(dsl::self_service_user_id.eq(user).and(dsl::subject.like("%\"hold\":%")))
        .select(EntryRow::as_select())
        .load(*conn))?)
}

/// The entries that tell that a user was erased.
pub(crate) fn user_erasures(conn: &mut Connection<'_>, user: i64) -> Result<Vec<EntryRow>, StoreError> {
    Ok(on_either!(conn, |conn| dsl::liveness_audit_entries
        .filter(
            dsl::self_service_user_id
                .eq(user)
                .and(dsl::subject.like("%\"erased\":\"user\"%"))
        )
        .select(EntryRow::as_select())
        .load(*conn))?)
}

/// The digest of a record's face in the entry of its recording. `None` if it had no face, or was recorded before entries had
/// digests.
pub(crate) fn recorded_face(conn: &mut Connection<'_>, check_id: i64) -> Result<Option<Vec<u8>>, StoreError> {
    let recorded = binding(conn, check_id)?.into_iter().next();
    Ok(recorded.and_then(|entry| entry.face_digest))
}

/// The command that seals faces which were recorded in clear.
pub(crate) const SEALING: &str = "faces seal";

/// The places of the entries that tell of the sealing of a record's face, with this digest.
pub(crate) fn sealings(conn: &mut Connection<'_>, check_id: i64, digest: &[u8]) -> Result<Vec<Place>, StoreError> {
    Ok(on_either!(conn, |conn| dsl::liveness_audit_entries
        .filter(
            dsl::liveness_check_id
                .eq(check_id)
                .and(dsl::message.eq(SEALING))
                .and(dsl::face_digest.eq(digest)),
        )
        .select((dsl::id, dsl::writer, dsl::writer_count, dsl::leaf_hash, dsl::mac))
        .load(*conn))?)
}
