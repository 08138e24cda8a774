//! Compares records and faces with the digests in the entries of their recording.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::bound::BoundRecord;
use super::verified::TrailVerification;
use super::verified_objects::BoundObject;
use super::{log, rows, verified_erasures};
use crate::MediaType;
use crate::faces::sealing::key_id_of;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::entry_writer::EntryTrust;
use crate::store::tables::erasure_rows;
use crate::store::tables::schema::{
    liveness_audit_entries as entries, liveness_checks as checks, liveness_images as images,
};
use crate::store::tables::stored_check::StoredCheck;
use crate::trail::leaf::sha256;

/// The most faces that are in memory at once.
const FACES: usize = 8;

/// Whether an entry says that the record is this one. `None` if its nonce was erased.
fn says(bound: &BoundRecord, check: &StoredCheck) -> Option<bool> {
    let nonces = bound.entry.nonces();
    let digest = nonces.and_then(|nonces| nonces.record_digest(&check.canonical()))?;
    Some(bound.entry.record_digest.as_deref() == Some(&digest[..]))
}

/// Compares the records and faces with what binds them. Returns the faces in objects, which are still to be compared.
pub(crate) fn verify(
    conn: &mut Connection<'_>,
    trust: &EntryTrust,
    bound: &[BoundRecord],
    done: &mut TrailVerification,
) -> Result<Vec<BoundObject>, StoreError> {
    if bound.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = bound.iter().map(|bound| bound.id).collect();
    let stored: Vec<StoredCheck> = on_either!(conn, |conn| checks::table
        .filter(eq_any(checks::id, ids)?)
        .select(StoredCheck::as_select())
        .load(*conn))?;
    let stored: HashMap<i64, StoredCheck> = stored.into_iter().map(|check| (check.id, check)).collect();
    for bound in bound {
        done.records += u64::from(bound.entry.erasure().is_none());
        let Some(check) = stored.get(&bound.id) else {
            done.find(format!("record {} was taken away (leaf {})", bound.id, bound.leaf));
            continue;
        };
        let is_of = match says(bound, check) {
            Some(is_of) => is_of,
            // The user was erased. The entry of that says what the record is now.
            None => verified_erasures::is_rebound(conn, trust, check)?,
        };
        if !is_of {
            done.find(format!("record {} was changed (leaf {})", bound.id, bound.leaf));
        }
    }
    let recorded = bound.iter().filter(|bound| bound.entry.erasure().is_none());
    let (with_face, faceless): (Vec<_>, Vec<_>) = recorded.partition(|bound| bound.entry.face_digest.is_some());
    check_faceless(conn, &faceless, done)?;
    let mut in_objects = Vec::new();
    for bound in with_face.chunks(FACES) {
        in_objects.extend(faces(conn, trust, bound, &stored, done)?);
    }
    Ok(in_objects)
}

/// Finds faces of records that had none.
fn check_faceless(
    conn: &mut Connection<'_>,
    bound: &[&BoundRecord],
    done: &mut TrailVerification,
) -> Result<(), StoreError> {
    if bound.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = bound.iter().map(|bound| bound.id).collect();
    let with_face: Vec<i64> = on_either!(conn, |conn| images::table
        .filter(eq_any(images::liveness_check_id, ids)?)
        .select(images::liveness_check_id)
        .load(*conn))?;
    let with_face: BTreeSet<i64> = with_face.into_iter().collect();
    for bound in bound {
        if with_face.contains(&bound.id) {
            done.find(format!(
                "the face of record {} was put in (leaf {})",
                bound.id, bound.leaf
            ));
        }
    }
    Ok(())
}

/// A face as it is kept.
#[derive(Queryable)]
struct StoredFace {
    check_id: i64,
    media_type: String,
    user: Option<i64>,
    sealed_key_id: Option<Vec<u8>>,
    bytes: Vec<u8>,
    object_name: Option<String>,
}

fn faces(
    conn: &mut Connection<'_>,
    trust: &EntryTrust,
    bound: &[&BoundRecord],
    stored: &HashMap<i64, StoredCheck>,
    done: &mut TrailVerification,
) -> Result<Vec<BoundObject>, StoreError> {
    let ids: Vec<i64> = bound.iter().map(|bound| bound.id).collect();
    let faces: Vec<StoredFace> = on_either!(conn, |conn| images::table
        .filter(eq_any(images::liveness_check_id, ids)?)
        .select((
            images::liveness_check_id,
            images::media_type,
            images::self_service_user_id,
            images::sealed_key_id,
            images::bytes,
            images::object_name,
        ))
        .load(*conn))?;
    let faces: HashMap<i64, StoredFace> = faces.into_iter().map(|face| (face.check_id, face)).collect();
    let mut in_objects = Vec::new();
    for bound in bound {
        done.faces += 1;
        let at = format!("the face of record {}", bound.id);
        let Some(face) = faces.get(&bound.id) else {
            if let Some(problem) = missing(conn, trust, bound)? {
                done.find(format!("{at} {problem} (leaf {})", bound.leaf));
            }
            continue;
        };
        if stored
            .get(&bound.id)
            .is_some_and(|check| check.face_erased_at.is_some())
        {
            done.find(format!(
                "{at} is there, and the record says that it was erased (leaf {})",
                bound.leaf
            ));
        }
        let is_kept = match &face.object_name {
            Some(name) => {
                in_objects.push(BoundObject::of(bound, name));
                true
            }
            None => is_kept(conn, bound, &face.bytes)?,
        };
        let is_users = stored
            .get(&bound.id)
            .is_none_or(|check| face.user == Some(check.self_service_user_id));
        // A key that no face names is swept away.
        let key_id = face.sealed_key_id.as_ref().and(key_id_of(&face.bytes));
        let is_key = face.sealed_key_id.as_deref() == key_id.as_ref().map(|id| &id.as_bytes()[..]);
        // The media type of a sealed face is sealed with it.
        let is_type = face.sealed_key_id.is_some()
            || MediaType::of_signature(&face.bytes).is_some_and(|kind| kind.name() == face.media_type);
        if !is_kept {
            done.find(format!("{at} was changed (leaf {})", bound.leaf));
        } else if !is_users {
            done.find(format!("{at} was given to another user (leaf {})", bound.leaf));
        } else if !is_key {
            done.find(format!(
                "{at} was given another key than it is sealed with (leaf {})",
                bound.leaf
            ));
        } else if !is_type {
            done.find(format!("the media type of {at} was changed (leaf {})", bound.leaf));
        }
    }
    Ok(in_objects)
}

/// Whether the bytes of a face are those that were recorded, or that became of them.
fn is_kept(conn: &mut Connection<'_>, bound: &BoundRecord, bytes: &[u8]) -> Result<bool, StoreError> {
    let digest = sha256(&[bytes]);
    Ok(bound.entry.face_digest.as_deref() == Some(&digest[..]) || was_sealed(conn, bound.id, &digest)?)
}

/// What is wrong with a face that is missing. `None` if the log tells that it was erased.
fn missing(
    conn: &mut Connection<'_>,
    trust: &EntryTrust,
    bound: &BoundRecord,
) -> Result<Option<&'static str>, StoreError> {
    let erased = match erasure_rows::face(conn, bound.id)? {
        Some(row) if verified_erasures::is_told(conn, trust, &row)? => row,
        _ => return Ok(Some("was taken away")),
    };
    let is_recorded = bound.entry.face_digest.as_deref() == Some(&erased.face_digest[..]);
    let is_kept = is_recorded || was_sealed(conn, bound.id, &erased.face_digest)?;
    Ok((!is_kept).then_some("was changed before it was erased"))
}

/// Whether the log tells that the face of a record was sealed, and became these bytes.
fn was_sealed(conn: &mut Connection<'_>, check_id: i64, digest: &[u8]) -> Result<bool, StoreError> {
    for place in rows::sealings(conn, check_id, digest)? {
        if let (Some(writer), Some(count)) = (place.writer, place.writer_count)
            && log::run_of(conn, &writer, count)?.is_some()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The id of the last record.
pub(crate) fn last_id(conn: &mut Connection<'_>) -> Result<i64, StoreError> {
    let last: Option<i64> = on_either!(conn, |conn| checks::table
        .order(checks::id.desc())
        .select(checks::id)
        .first(*conn)
        .optional())?;
    Ok(last.unwrap_or_default())
}

/// The records with these ids whose recording no entry tells of.
pub(crate) fn unbound(conn: &mut Connection<'_>, ids: Range<i64>) -> Result<Vec<i64>, StoreError> {
    Ok(on_either!(conn, |conn| checks::table
        .filter(checks::id.ge(ids.start).and(checks::id.lt(ids.end)))
        .filter(not(exists(
            entries::table.filter(
                entries::liveness_check_id
                    .eq(checks::id.nullable())
                    // With the user, Citus finds both on one node.
                    .and(entries::self_service_user_id.eq(checks::self_service_user_id.nullable()))
                    .and(entries::record_digest.is_not_null()),
            ),
        )))
        .order(checks::id)
        .select(checks::id)
        .load(*conn))?)
}
