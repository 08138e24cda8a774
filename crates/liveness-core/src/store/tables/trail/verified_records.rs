//! Compares records and faces with the digests in the entries of their recording.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::log;
use super::rows::{self, EntryRow};
use super::verified::TrailVerification;
use super::verified_objects::BoundObject;
use crate::MediaType;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::{
    liveness_audit_entries as entries, liveness_checks as checks, liveness_images as images,
};
use crate::store::tables::stored_check::StoredCheck;
use crate::trail::leaf::sha256;

/// The most faces that are in memory at once.
const FACES: usize = 8;

/// A record, and what the entry of its recording says of it.
#[derive(Debug)]
pub(crate) struct BoundRecord {
    leaf: i64,
    id: i64,
    entry: EntryRow,
}

impl BoundRecord {
    /// What an entry binds, if it tells of a recording.
    pub(crate) fn of(leaf: i64, entry: EntryRow) -> Option<Self> {
        let id = entry.liveness_check_id.filter(|_| entry.binds_record())?;
        Some(Self { leaf, id, entry })
    }

    /// The object of its face.
    fn object(&self, name: &str) -> BoundObject {
        BoundObject {
            leaf: self.leaf,
            check_id: self.id,
            name: name.to_owned(),
            digest: self.entry.face_digest.clone().unwrap_or_default(),
        }
    }

    fn is_of(&self, check: &StoredCheck) -> bool {
        let digest = self
            .entry
            .nonces()
            .and_then(|nonces| nonces.record_digest(&check.canonical()));
        digest.is_some_and(|digest| self.entry.record_digest.as_deref() == Some(&digest[..]))
    }
}

/// Compares the records and faces with what binds them. Returns the faces in objects, which are still to be compared.
pub(crate) fn verify(
    conn: &mut Connection<'_>,
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
        done.records += 1;
        match stored.get(&bound.id) {
            None => done.find(format!("record {} was taken away (leaf {})", bound.id, bound.leaf)),
            Some(check) if !bound.is_of(check) => {
                done.find(format!("record {} was changed (leaf {})", bound.id, bound.leaf));
            }
            Some(_) => {}
        }
    }
    let (with_face, faceless): (Vec<_>, Vec<_>) = bound.iter().partition(|bound| bound.entry.face_digest.is_some());
    check_faceless(conn, &faceless, done)?;
    let mut in_objects = Vec::new();
    for bound in with_face.chunks(FACES) {
        in_objects.extend(faces(conn, bound, &stored, done)?);
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
    is_sealed: bool,
    bytes: Vec<u8>,
    object_name: Option<String>,
}

fn faces(
    conn: &mut Connection<'_>,
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
            images::sealed_key_id.is_not_null(),
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
            done.find(format!("{at} was taken away (leaf {})", bound.leaf));
            continue;
        };
        let is_kept = match &face.object_name {
            Some(name) => {
                in_objects.push(bound.object(name));
                true
            }
            None => is_kept(conn, bound, &face.bytes)?,
        };
        let is_users = stored
            .get(&bound.id)
            .is_none_or(|check| face.user.is_none_or(|user| user == check.self_service_user_id));
        // The media type of a sealed face is sealed with it.
        let is_type =
            face.is_sealed || MediaType::of_signature(&face.bytes).is_some_and(|kind| kind.name() == face.media_type);
        if !is_kept {
            done.find(format!("{at} was changed (leaf {})", bound.leaf));
        } else if !is_users {
            done.find(format!("{at} was given to another user (leaf {})", bound.leaf));
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
