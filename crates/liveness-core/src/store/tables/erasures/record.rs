//! Erases a record: its face, what names a person in it, and in the audit entries that are about it. What a user has recorded
//! besides stays.

use super::erased_records;
use super::eraser::Eraser;
use super::face::{KeptFace, locked};
use super::order::{ErasedRecord, ErasureError, ErasureOrder};
use super::unfinished::{self, Target};
use super::{blanks, next_rows};
use crate::store::engine::connection::Connection;
use crate::store::tables::erasure_rows;
use crate::store::tables::stored_check::StoredCheck;
use crate::store::tables::trail::erased_records as told;

/// Erases a record. Blocks.
pub(super) fn erase(eraser: &Eraser, check_id: i64, order: &ErasureOrder) -> Result<ErasedRecord, ErasureError> {
    eraser.transaction(|conn, _| {
        let check = due(conn, eraser, check_id, false)?;
        if check.has_image && eraser.keys.is_some() {
            unfinished::keep(conn, Target::Record { id: check_id }, order)?;
        }
        Ok(())
    })?;
    complete(eraser, check_id, order, false)
}

/// Erases a record whose order is kept. With `is_begun` the key of its face may be gone already. Blocks.
pub(super) fn complete(
    eraser: &Eraser,
    check_id: i64,
    order: &ErasureOrder,
    is_begun: bool,
) -> Result<ErasedRecord, ErasureError> {
    // The record is last: until then, the next call goes on with the rest.
    let mut after = Some(i64::MIN);
    while let Some(place) = after {
        after = eraser.transaction(|conn, writer| {
            let check = due(conn, eraser, check_id, is_begun)?;
            let about = next_rows::entries_about(conn, (check.self_service_user_id, check_id), place)?;
            let next = about.last().map(|entry| entry.id);
            blanks::erase_about(conn, writer, eraser, (check.self_service_user_id, about), order)?;
            Ok(next)
        })?;
    }
    let faces = eraser.transaction(|conn, writer| {
        let check = due(conn, eraser, check_id, is_begun)?;
        let faces = erased_records::erase(conn, writer, eraser, order, vec![check])?;
        unfinished::forget(conn, Target::Record { id: check_id })?;
        faces.destroy_keys(eraser.keys.as_deref())?;
        Ok(faces)
    })?;
    eraser.clear_away(&faces.objects(), faces.had_clear());
    Ok(ErasedRecord {
        liveness_check_id: check_id,
        face_digest: faces.digest(),
        erased_at: order.entry.at,
    })
}

/// The record that is to be erased, if it may be. Takes the lock of its user.
fn due(conn: &mut Connection<'_>, eraser: &Eraser, check_id: i64, is_begun: bool) -> Result<StoredCheck, ErasureError> {
    let check = locked(conn, check_id)?;
    if !told::among(conn, &[check_id])?.is_empty() {
        return Err(ErasureError::Erased);
    }
    if erasure_rows::held_since(conn, check.self_service_user_id)?.is_some() {
        // No hold keeps what is left of a face that nobody can open any more.
        let is_open = !is_begun || !check.has_image || KeptFace::of(conn, &check)?.has_key(eraser.keys.as_deref())?;
        if is_open {
            return Err(ErasureError::Held);
        }
    }
    Ok(check)
}
