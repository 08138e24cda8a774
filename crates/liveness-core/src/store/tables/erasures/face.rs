//! Erases the face of a record.

use diesel::prelude::*;

use super::eraser::Eraser;
use super::order::{ErasedFace, ErasureError, ErasureOrder};
use super::unfinished::{self, Target};
use crate::faces::sealing::key_id_of;
use crate::faces::{FaceKeyId, ObjectName};
use crate::jobs::ROTATE_FACE_KEYS;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::keys::FaceKeys;
use crate::store::tables::entry_writer::EntryWriter;
use crate::store::tables::erasure_rows::{self, ErasedFaceRow};
use crate::store::tables::events::telling::tell_of_erased_faces;
use crate::store::tables::jobs::leases;
use crate::store::tables::schema::liveness_checks::dsl as checks;
use crate::store::tables::stored_check::StoredCheck;
use crate::store::tables::totals::{self, Changes, Counted};
use crate::store::tables::trail::entries::{self, DueEntry};
use crate::store::tables::trail::rows;
use crate::store::tables::{faces, image_digests, user_lock};
use crate::trail::leaf::{Sha256, sha256};
use crate::{AuditEntry, AuditSubject, Erased, Erasure, Shown, Timestamp};

/// Erases the face of a record. Blocks.
pub(super) fn erase(eraser: &Eraser, check_id: i64, order: &ErasureOrder) -> Result<ErasedFace, ErasureError> {
    eraser.transaction(|conn, _| {
        let (_, face) = due(conn, eraser, check_id, false)?;
        if face.key_id.is_some() && eraser.keys.is_some() {
            unfinished::keep(conn, Target::Face { id: check_id }, order)?;
        }
        Ok(())
    })?;
    complete(eraser, check_id, order, false)
}

/// Erases the face of a record whose order is kept. With `is_begun` its key may be gone already. Blocks.
pub(super) fn complete(
    eraser: &Eraser,
    check_id: i64,
    order: &ErasureOrder,
    is_begun: bool,
) -> Result<ErasedFace, ErasureError> {
    let (erased, face) = eraser.transaction(|conn, writer| {
        let keys = eraser.keys.as_deref();
        let (check, face) = due(conn, eraser, check_id, is_begun)?;
        let unreadable_from = face.unreadable_from(conn, keys, order.entry.at)?;
        write(conn, writer, order, (&check, &face), unreadable_from)?;
        unfinished::forget(conn, Target::Face { id: check_id })?;
        face.destroy(keys)?;
        let erased = ErasedFace {
            liveness_check_id: check_id,
            digest: face.digest,
            erased_at: order.entry.at,
            unreadable_from,
        };
        Ok((erased, face))
    })?;
    eraser.clear_away(face.object.as_slice(), face.key_id.is_none());
    Ok(erased)
}

/// The record and the face that are to be erased, if they may be.
fn due(
    conn: &mut Connection<'_>,
    eraser: &Eraser,
    check_id: i64,
    is_begun: bool,
) -> Result<(StoredCheck, KeptFace), ErasureError> {
    let check = locked(conn, check_id)?;
    if erasure_rows::face(conn, check_id)?.is_some() {
        return Err(ErasureError::Erased);
    }
    if !check.has_image {
        return Err(ErasureError::NoFace);
    }
    let is_held = erasure_rows::held_since(conn, check.self_service_user_id)?.is_some();
    if is_held && !is_begun {
        return Err(ErasureError::Held);
    }
    let face = KeptFace::of(conn, &check)?;
    // No hold keeps a face that nobody can open any more.
    if is_held && face.has_key(eraser.keys.as_deref())? {
        return Err(ErasureError::Held);
    }
    Ok((check, face))
}

/// Writes all that the database has of an erasure.
fn write(
    conn: &mut Connection<'_>,
    writer: &mut EntryWriter,
    order: &ErasureOrder,
    (check, face): (&StoredCheck, &KeptFace),
    unreadable_from: Option<Timestamp>,
) -> Result<(), StoreError> {
    let mut changes = Changes::new();
    leave(check, &mut changes);
    totals::count(&mut changes, check.pre_registration_id, without_face(check), 1);
    let at = order.entry.at.unix_millis();
    let row = checks::liveness_checks.filter(
        checks::id
            .eq(check.id)
            .and(checks::self_service_user_id.eq(check.self_service_user_id)),
    );
    let erased = (checks::has_image.eq(false), checks::face_erased_at.eq(at));
    on_either!(conn, |conn| diesel::update(row).set(erased).execute(*conn))?;
    faces::delete(conn, check.self_service_user_id, check.id)?;
    image_digests::forget(conn, check.self_service_user_id, check.id)?;
    totals::change(conn, totals::OWN_SLOT, changes)?;
    let entry = receipt(order, check, Some(face.digest), (Erased::Face, unreadable_from));
    let due = DueEntry {
        entry: &entry,
        recorded: None,
    };
    entries::insert_all(conn, writer, &[due])?;
    erasure_rows::add_faces(conn, &[face.row(check, order, (writer.name(), writer.given()))])?;
    tell_of_erased_faces(conn, check.self_service_user_id, &[check.id], order.cause())
}

/// When the keys of faces are rotated next, if that is known and is not now.
pub(super) fn next_rotation(conn: &mut Connection<'_>, at: Timestamp) -> Result<Option<Timestamp>, StoreError> {
    let next = leases::next_due(conn, ROTATE_FACE_KEYS)?;
    Ok(next.filter(|next| *next >= at))
}

/// The audit entry that tells of an erasure in a record.
pub(super) fn receipt(
    order: &ErasureOrder,
    check: &StoredCheck,
    face_digest: Option<Sha256>,
    (erased, unreadable_from): (Erased, Option<Timestamp>),
) -> AuditEntry {
    AuditEntry {
        self_service_user_id: Some(check.self_service_user_id),
        subject: AuditSubject {
            liveness_check_id: Some(check.id),
            face_digest,
            shown: Shown {
                purpose: Some(order.reason.as_str().to_owned()),
                erasure: Some(Erasure {
                    erased,
                    unreadable_from,
                    senders: Vec::new(),
                    subjects: Vec::new(),
                }),
                ..Shown::default()
            },
        },
        ..order.entry.clone()
    }
}

/// Takes a record out of the totals that it is counted in.
pub(super) fn leave(check: &StoredCheck, changes: &mut Changes) {
    let counted = Counted {
        has_image: check.has_image,
        ..without_face(check)
    };
    totals::count(changes, check.pre_registration_id, counted, -1);
}

/// How a record is counted once it has no face.
pub(super) fn without_face(check: &StoredCheck) -> Counted {
    Counted {
        is_successful: check.is_successful,
        has_image: false,
        verdict: check.judgment.verdict,
        decision: check.judgment.decision,
    }
}

/// A face that is kept, without its bytes.
pub(super) struct KeptFace {
    pub(super) digest: Sha256,
    pub(super) key_id: Option<FaceKeyId>,
    /// Its object, if it is not in the database.
    pub(super) object: Option<ObjectName>,
}

impl KeptFace {
    pub(super) fn of(conn: &mut Connection<'_>, check: &StoredCheck) -> Result<Self, StoreError> {
        let broken = |what: &str| {
            StoreError::internal(format!(
                "the face of record {} was {what}: run `trail verify`",
                check.id
            ))
        };
        let stored = faces::get(conn, check.self_service_user_id, check.id)?;
        let stored = stored.ok_or_else(|| broken("taken away"))?;
        let key_id = match stored.sealed_key_id.as_deref().map(FaceKeyId::from_slice) {
            None => None,
            Some(Some(key_id)) => Some(key_id),
            Some(None) => return Err(broken("changed")),
        };
        // Another key is that of another face.
        if key_id != key_id_of(&stored.bytes) {
            return Err(broken("given another key than it is sealed with"));
        }
        let object = match stored.object_name.as_deref().map(ObjectName::parse) {
            None => None,
            Some(Some(name)) => Some(name),
            Some(None) => return Err(broken("changed")),
        };
        let digest = match object {
            None => sha256(&[&stored.bytes]),
            // The row does not have the bytes of an object.
            Some(_) => {
                let recorded = rows::recorded_face(conn, check.id)?.unwrap_or_default();
                recorded.try_into().map_err(|_| broken("changed"))?
            }
        };
        Ok(Self { digest, key_id, object })
    }

    /// From when on no backup of the key store opens it.
    pub(super) fn unreadable_from(
        &self,
        conn: &mut Connection<'_>,
        keys: Option<&FaceKeys>,
        at: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        match (self.key_id, keys) {
            (Some(_), Some(_)) => next_rotation(conn, at),
            (Some(_), None) => Err(StoreError::internal(
                "a sealed face cannot be erased by a store that has no keys of faces",
            )),
            (None, _) => Ok(None),
        }
    }

    /// Whether it can be opened, as far as its key goes.
    pub(super) fn has_key(&self, keys: Option<&FaceKeys>) -> Result<bool, StoreError> {
        match (&self.key_id, keys) {
            (Some(key_id), Some(keys)) => keys.has(key_id),
            _ => Ok(true),
        }
    }

    /// Destroys its key, if it has one. It may be gone already, if a process ended in the middle of an erasure.
    pub(super) fn destroy(&self, keys: Option<&FaceKeys>) -> Result<(), StoreError> {
        match (&self.key_id, keys) {
            (Some(key_id), Some(keys)) => keys.erase(key_id).map(drop),
            _ => Ok(()),
        }
    }

    pub(super) fn row(
        &self,
        check: &StoredCheck,
        order: &ErasureOrder,
        (writer, writer_count): (&[u8], i64),
    ) -> ErasedFaceRow {
        ErasedFaceRow {
            liveness_check_id: check.id,
            self_service_user_id: check.self_service_user_id,
            face_digest: self.digest.to_vec(),
            was_sealed: self.key_id.is_some(),
            erased_at: order.entry.at.unix_millis(),
            because: order.reason.as_str().to_owned(),
            writer: writer.to_vec(),
            writer_count,
        }
    }
}

/// The record that is to be erased, or whose face is. Takes the lock of its user.
pub(super) fn locked(conn: &mut Connection<'_>, check_id: i64) -> Result<StoredCheck, ErasureError> {
    let user = user_of(conn, check_id)?.ok_or(ErasureError::NoSuchRecord)?;
    user_lock::lock(conn, &[user])?;
    record(conn, user, check_id)?.ok_or(ErasureError::NoSuchRecord)
}

fn user_of(conn: &mut Connection<'_>, check_id: i64) -> Result<Option<i64>, StoreError> {
    let user = checks::liveness_checks
        .filter(checks::id.eq(check_id))
        .select(checks::self_service_user_id);
    Ok(on_either!(conn, |conn| user.first(*conn).optional())?)
}

fn record(conn: &mut Connection<'_>, user: i64, check_id: i64) -> Result<Option<StoredCheck>, StoreError> {
    let row = checks::liveness_checks.filter(checks::id.eq(check_id).and(checks::self_service_user_id.eq(user)));
    Ok(on_either!(conn, |conn| row
        .select(StoredCheck::as_select())
        .first(*conn)
        .optional())?)
}
