//! The rows of entries with all of their columns, and the leaves that are made of them.

use diesel::prelude::*;

use super::entries::somebody;
use super::log::NO_WRITER;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_audit_entries::{self, dsl};
use crate::trail::MacKey;
use crate::trail::leaf::{EntryColumns, Nonces, OldEntry};

/// An entry with all of its columns.
#[derive(Queryable, Selectable, Debug)]
#[diesel(table_name = liveness_audit_entries)]
pub(crate) struct EntryRow {
    pub(crate) id: i64,
    pub(crate) at: i64,
    request_id: String,
    principal: String,
    roles: String,
    self_service_user_id: Option<i64>,
    pub(crate) message: String,
    outcome: String,
    client_ip: Option<String>,
    issuer: Option<String>,
    actor: Option<String>,
    pub(crate) liveness_check_id: Option<i64>,
    subject: Option<String>,
    pub(crate) record_digest: Option<Vec<u8>>,
    pub(crate) face_digest: Option<Vec<u8>>,
    nonces: Option<Vec<u8>>,
    pub(crate) writer: Option<Vec<u8>>,
    pub(crate) writer_count: Option<i64>,
    pub(crate) leaf_hash: Option<Vec<u8>>,
    pub(crate) mac: Option<Vec<u8>>,
}

impl EntryRow {
    /// The place of the entry among those of its writer. The id takes the place of the count of an entry without a writer.
    pub(crate) fn count(&self) -> i64 {
        self.writer_count.unwrap_or(self.id)
    }

    /// Whether the entry tells of the recording of its record, and not of a look at it.
    pub(crate) fn binds_record(&self) -> bool {
        self.record_digest.is_some()
    }

    /// The nonces of the entry, if it has good ones.
    pub(crate) fn nonces(&self) -> Option<Nonces<'_>> {
        Nonces::read(self.nonces.as_deref()?)
    }

    /// The leaf of the entry, from its columns.
    ///
    /// # Errors
    ///
    /// What is wrong with the columns, if no entry has them.
    pub(crate) fn leaf(&self, key: &MacKey) -> Result<Vec<u8>, String> {
        let Some(writer) = &self.writer else {
            return self.old_leaf(key);
        };
        let columns = EntryColumns {
            writer,
            writer_count: self.writer_count.ok_or("it has no count")?,
            nonces: self.nonces().ok_or("it has no nonces")?,
            at: self.at,
            request_id: &self.request_id,
            principal: &self.principal,
            issuer: self.issuer.as_deref(),
            actor: self.actor.as_deref(),
            roles: &self.roles,
            client_ip: self.client_ip.as_deref(),
            self_service_user_id: somebody(self.self_service_user_id),
            message: &self.message,
            outcome: &self.outcome,
            liveness_check_id: self.liveness_check_id,
            subject: self.subject.as_deref(),
            record_digest: self.record_digest.as_deref(),
            face_digest: self.face_digest.as_deref(),
        };
        columns.leaf()
    }

    /// The leaf of an entry from before entries had a writer.
    fn old_leaf(&self, key: &MacKey) -> Result<Vec<u8>, String> {
        let of_later = [
            self.writer_count.is_some(),
            self.liveness_check_id.is_some(),
            self.subject.is_some(),
            self.record_digest.is_some(),
            self.face_digest.is_some(),
        ];
        if of_later.contains(&true) {
            return Err("it has no writer, but columns that only entries with a writer have".to_owned());
        }
        let entry = OldEntry {
            id: self.id,
            at: self.at,
            request_id: &self.request_id,
            principal: &self.principal,
            issuer: self.issuer.as_deref(),
            actor: self.actor.as_deref(),
            roles: &self.roles,
            client_ip: self.client_ip.as_deref(),
            self_service_user_id: somebody(self.self_service_user_id),
            message: &self.message,
            outcome: &self.outcome,
        };
        entry.leaf(key)
    }
}

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

/// The digest of a record's face in the entry of its recording. `None` if it had no face, or was recorded before entries had
/// digests.
pub(crate) fn recorded_face(conn: &mut Connection<'_>, check_id: i64) -> Result<Option<Vec<u8>>, StoreError> {
    let recorded: Option<Option<Vec<u8>>> = on_either!(conn, |conn| dsl::liveness_audit_entries
        .filter(
            dsl::liveness_check_id
                .eq(check_id)
                .and(dsl::record_digest.is_not_null())
        )
        .select(dsl::face_digest)
        .first(*conn)
        .optional())?;
    Ok(recorded.flatten())
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
