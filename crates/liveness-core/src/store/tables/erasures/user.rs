//! Erases a user, a few rows in one transaction. The row of the erasure says how far it has come.

use super::blanks;
use super::erased_records::{self, ErasedFaces};
use super::eraser::Eraser;
use super::face::next_rotation;
use super::next_rows::next_records;
use super::order::{ErasedUser, ErasureError, ErasureOrder};
use super::unfinished::{self, Target};
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::keys::FaceKeys;
use crate::store::tables::entry_writer::EntryWriter;
use crate::store::tables::erasure_rows::{self, UserErasureRow};
use crate::store::tables::trail::entries::{self, DueEntry};
use crate::store::tables::users::rows as users;
use crate::store::tables::{attempts, issued_sessions, user_lock};
use crate::{AuditEntry, AuditSubject, Erased, Erasure, Shown, Timestamp};

/// How many records are erased in one transaction. Those who record wait for it at most.
const STEP: i64 = 16;

/// Erases a user. Blocks.
pub(super) fn erase(
    eraser: &Eraser,
    user: i64,
    is_known: bool,
    order: &ErasureOrder,
) -> Result<ErasedUser, ErasureError> {
    eraser.transaction(|conn, _| {
        begin(conn, user, is_known, order)?;
        Ok(unfinished::keep(conn, Target::User { id: user }, order)?)
    })?;
    complete(eraser, user, order)
}

/// Erases a user whose erasure has begun. Blocks.
pub(super) fn complete(eraser: &Eraser, user: i64, order: &ErasureOrder) -> Result<ErasedUser, ErasureError> {
    // The entries of the recordings say under which names the user sent others, as long as they are not erased themselves.
    blanks::erase_sent(eraser, user, order)?;
    let (mut objects, mut had_clear_faces) = (Vec::new(), false);
    while let Some(step) = eraser.transaction(|conn, writer| Ok(records(conn, writer, eraser, user, order)?))? {
        had_clear_faces |= step.had_clear();
        objects.extend(step.objects());
    }
    blanks::erase_entries(eraser, user, order)?;
    let erased = eraser.transaction(|conn, writer| {
        let keys = eraser.keys.as_deref();
        Ok(end(conn, writer, keys, user, order)?)
    })?;
    eraser.clear_away(&objects, had_clear_faces);
    Ok(erased)
}

/// Whether there is a user of this id, or a record.
pub(super) fn is_there(conn: &mut Connection<'_>, user: i64) -> Result<bool, StoreError> {
    Ok(!users::find(conn, &[user])?.is_empty() || !next_records(conn, user, (i64::MIN, 0), 1)?.is_empty())
}

/// Begins the erasure of a user, or goes on with one.
fn begin(conn: &mut Connection<'_>, user: i64, is_known: bool, order: &ErasureOrder) -> Result<(), ErasureError> {
    user_lock::lock(conn, &[user])?;
    if !is_known && !is_there(conn, user)? {
        return Err(ErasureError::NoSuchUser);
    }
    let before = erasure_rows::user(conn, user)?;
    let last = match &before {
        // No hold was placed since it began.
        Some(UserErasureRow { done_at: None, .. }) => return Ok(()),
        Some(done) => (done.last_created_at, done.last_check_id),
        None => (i64::MIN, 0),
    };
    let is_new = before.is_none() || !next_records(conn, user, last, 1)?.is_empty() || users::is_named(conn, user)?;
    if !is_new {
        return Err(ErasureError::Erased);
    }
    if erasure_rows::held_since(conn, user)?.is_some() {
        return Err(ErasureError::Held);
    }
    erasure_rows::put_user(
        conn,
        &UserErasureRow {
            self_service_user_id: user,
            begun_at: order.entry.at.unix_millis(),
            done_at: None,
            records: 0,
            faces: 0,
            last_created_at: last.0,
            last_check_id: last.1,
        },
    )?;
    Ok(())
}

/// Erases the next records. Returns their faces, or `None` if there are no more records.
fn records(
    conn: &mut Connection<'_>,
    writer: &mut EntryWriter,
    eraser: &Eraser,
    user: i64,
    order: &ErasureOrder,
) -> Result<Option<ErasedFaces>, StoreError> {
    user_lock::lock(conn, &[user])?;
    let mut progress = progress(conn, user)?;
    if progress.done_at.is_some() {
        // The same command was sent twice, and the other one has ended.
        return Ok(None);
    }
    let next = next_records(conn, user, (progress.last_created_at, progress.last_check_id), STEP)?;
    let Some(last) = next.last() else {
        return Ok(None);
    };
    (progress.last_created_at, progress.last_check_id) = (last.created_at, last.id);
    progress.records += i64::try_from(next.len()).map_err(StoreError::internal)?;
    let faces = erased_records::erase(conn, writer, eraser, order, next)?;
    progress.faces += i64::try_from(faces.len()).map_err(StoreError::internal)?;
    erasure_rows::put_user(conn, &progress)?;
    faces.destroy_keys(eraser.keys.as_deref())?;
    Ok(Some(faces))
}

/// Erases the user's row and issued sessions, and writes the receipt of it all.
fn end(
    conn: &mut Connection<'_>,
    writer: &mut EntryWriter,
    keys: Option<&FaceKeys>,
    user: i64,
    order: &ErasureOrder,
) -> Result<ErasedUser, StoreError> {
    user_lock::lock(conn, &[user])?;
    let mut progress = progress(conn, user)?;
    let done_before = progress.done_at.and_then(Timestamp::from_unix_millis);
    let at = done_before.unwrap_or(order.entry.at);
    let unreadable_from = match keys {
        Some(_) if progress.faces > 0 => next_rotation(conn, at)?,
        _ => None,
    };
    let erased = ErasedUser {
        self_service_user_id: user,
        records: progress.records,
        faces: progress.faces,
        erased_at: at,
        unreadable_from,
    };
    if done_before.is_some() {
        // The same command was sent twice, and the other one has written the receipt.
        return Ok(erased);
    }
    progress.done_at = Some(at.unix_millis());
    erasure_rows::put_user(conn, &progress)?;
    unfinished::forget(conn, Target::User { id: user })?;
    users::erase(conn, user)?;
    issued_sessions::erase(conn, user)?;
    attempts::forget(conn, user)?;
    let shown = Shown {
        count: u64::try_from(progress.records).ok(),
        purpose: Some(order.reason.as_str().to_owned()),
        erasure: Some(Erasure {
            erased: Erased::User,
            unreadable_from,
            senders: Vec::new(),
            subjects: Vec::new(),
        }),
        ..Shown::default()
    };
    let entry = AuditEntry {
        self_service_user_id: Some(user),
        subject: AuditSubject {
            shown,
            ..AuditSubject::default()
        },
        ..order.entry.clone()
    };
    let due = DueEntry {
        entry: &entry,
        recorded: None,
    };
    entries::insert_all(conn, writer, &[due])?;
    Ok(erased)
}

fn progress(conn: &mut Connection<'_>, user: i64) -> Result<UserErasureRow, StoreError> {
    let progress = erasure_rows::user(conn, user)?;
    progress.ok_or_else(|| StoreError::internal("the row of an erasure that goes on was taken away"))
}
