//! Seals faces that were recorded in clear, while others record. It changes rows, so it needs the role of the tables' owner.

use diesel::dsl::count_star;
use diesel::prelude::*;

use crate::faces::sealing::Subject;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::keys::{FaceKeys, Sealed};
use crate::store::tables::entry_writer::EntryWriter;
use crate::store::tables::schema::liveness_images::dsl;
use crate::store::tables::trail::entries::{self, DueEntry};
use crate::store::tables::trail::rows;
use crate::trail::leaf::{Sha256, sha256};
use crate::{AuditEntry, AuditSubject};

/// A face in clear.
#[derive(Queryable)]
struct ClearFace {
    liveness_check_id: i64,
    media_type: String,
    bytes: Vec<u8>,
    user: Option<i64>,
}

/// How many faces are in clear. Reads the whole table, but no face.
pub(crate) fn count(conn: &mut Connection<'_>) -> Result<i64, StoreError> {
    let in_clear = dsl::liveness_images
        .filter(dsl::sealed_key_id.is_null())
        .select(count_star());
    Ok(on_either!(conn, |conn| in_clear.get_result(*conn))?)
}

/// Who seals faces, and with what.
pub(crate) struct Sealer<'a> {
    pub(crate) keys: &'a FaceKeys,
    /// The audit entry of each face, without the face.
    pub(crate) entry: &'a AuditEntry,
    pub(crate) writer: &'a mut EntryWriter,
}

/// Seals the next faces in clear after this record, at most `limit`. Returns the last record and how many it sealed, or
/// `None` if there are no more.
pub(crate) fn seal_next(
    conn: &mut Connection<'_>,
    sealer: &mut Sealer<'_>,
    after: i64,
    limit: i64,
) -> Result<Option<(i64, usize)>, StoreError> {
    let next = dsl::liveness_images
        .filter(dsl::sealed_key_id.is_null().and(dsl::liveness_check_id.gt(after)))
        .order(dsl::liveness_check_id)
        .limit(limit)
        .select((
            dsl::liveness_check_id,
            dsl::media_type,
            dsl::bytes,
            dsl::self_service_user_id,
        ));
    let found: Vec<ClearFace> = on_either!(conn, |conn| next.load(*conn))?;
    let Some(last) = found.last().map(|face| face.liveness_check_id) else {
        return Ok(None);
    };
    let mut entries = Vec::with_capacity(found.len());
    for face in &found {
        // One that was erased meanwhile is not sealed, and one that somebody else has sealed is not sealed again.
        let Some((user, digest)) = seal(conn, sealer.keys, face)? else {
            continue;
        };
        entries.push(AuditEntry {
            self_service_user_id: Some(user),
            subject: AuditSubject {
                liveness_check_id: Some(face.liveness_check_id),
                face_digest: Some(digest),
                ..AuditSubject::default()
            },
            ..sealer.entry.clone()
        });
    }
    let due: Vec<_> = entries.iter().map(|entry| DueEntry { entry, recorded: None }).collect();
    entries::insert_all(conn, sealer.writer, &due)?;
    Ok(Some((last, entries.len())))
}

/// Seals a face. Returns its user, and the digest of the sealed bytes. `None` if the face is not there any
/// more, or not in clear.
fn seal(conn: &mut Connection<'_>, keys: &FaceKeys, face: &ClearFace) -> Result<Option<(i64, Sha256)>, StoreError> {
    check_recorded(conn, face)?;
    let user = match face.user {
        Some(user) => user,
        // Faces from before the column have none.
        None => user_of(conn, face.liveness_check_id)?,
    };
    let subject = Subject {
        check_id: face.liveness_check_id,
        user_id: user,
        media_type: &face.media_type,
    };
    let Sealed { key_id, bytes } = keys.seal(subject, &face.bytes)?;
    let is_clear = dsl::sealed_key_id.is_null();
    let row = dsl::liveness_images.filter(dsl::liveness_check_id.eq(face.liveness_check_id).and(is_clear));
    let sealed = (
        dsl::bytes.eq(&bytes),
        dsl::sealed_key_id.eq(key_id.as_bytes().as_slice()),
    );
    let changed = match conn {
        // With the user, Citus knows the shard.
        Connection::Citus(conn) => {
            let row = row.filter(dsl::self_service_user_id.eq(user));
            diesel::update(row).set(sealed).execute(*conn)?
        }
        Connection::Postgres(conn) => diesel::update(row).set(sealed).execute(*conn)?,
        Connection::Sqlite(conn) => diesel::update(row).set(sealed).execute(*conn)?,
    };
    Ok((changed > 0).then(|| (user, sha256(&[&bytes]))))
}

/// Checks that a face is the one that was recorded. Otherwise the entry of the sealing would make it so.
fn check_recorded(conn: &mut Connection<'_>, face: &ClearFace) -> Result<(), StoreError> {
    let recorded = rows::recorded_face(conn, face.liveness_check_id)?;
    if recorded.is_none_or(|digest| digest == sha256(&[&face.bytes])) {
        return Ok(());
    }
    Err(StoreError::internal(format!(
        "the face of record {} is not the one that was recorded: run `trail verify`",
        face.liveness_check_id
    )))
}

fn user_of(conn: &mut Connection<'_>, check_id: i64) -> Result<i64, StoreError> {
    use crate::store::tables::schema::liveness_checks::dsl as checks;
    let user = checks::liveness_checks
        .filter(checks::id.eq(check_id))
        .select(checks::self_service_user_id);
    Ok(on_either!(conn, |conn| user.first(*conn))?)
}
