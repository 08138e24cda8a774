//! Erases a user, a few rows in one transaction. The row of the erasure says how far it has come.

use super::blanks;
use super::eraser::Eraser;
use super::face::{KeptFace, leave, next_rotation, receipt, without_face};
use super::next_rows::next_records;
use super::order::{ErasedUser, ErasureError, ErasureOrder};
use super::unfinished::{self, Target};
use crate::faces::ObjectName;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::keys::FaceKeys;
use crate::store::tables::entry_writer::EntryWriter;
use crate::store::tables::erasure_rows::{self, UserErasureRow};
use crate::store::tables::events::telling::tell_of_erased_faces;
use crate::store::tables::stored_check::StoredCheck;
use crate::store::tables::totals::{self, Changes};
use crate::store::tables::trail::entries::{self, DueEntry, RecordedCheck};
use crate::store::tables::users::rows as users;
use crate::store::tables::{attempts, dating, faces, issued_sessions};
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
    let mut has_clear_faces = false;
    while let Some(step) = eraser.transaction(|conn, writer| Ok(records(conn, writer, eraser, user, order)?))? {
        has_clear_faces |= step.had_clear_faces;
        eraser.delete_objects(&step.objects);
    }
    blanks::erase_entries(eraser, user, order)?;
    let erased = eraser.transaction(|conn, writer| {
        let keys = eraser.keys.as_deref();
        Ok(end(conn, writer, keys, user, order)?)
    })?;
    if has_clear_faces {
        eraser.forget_deleted();
    }
    Ok(erased)
}

/// Whether there is a user of this id, or a record.
pub(super) fn is_there(conn: &mut Connection<'_>, user: i64) -> Result<bool, StoreError> {
    Ok(!users::find(conn, &[user])?.is_empty() || !next_records(conn, user, (i64::MIN, 0), 1)?.is_empty())
}

/// Begins the erasure of a user, or goes on with one.
fn begin(conn: &mut Connection<'_>, user: i64, is_known: bool, order: &ErasureOrder) -> Result<(), ErasureError> {
    dating::lock(conn, &[user])?;
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

/// What a step has erased.
struct Step {
    /// Whether a face was in clear.
    had_clear_faces: bool,
    /// The objects of the faces that were not in the database.
    objects: Vec<ObjectName>,
}

/// Erases the next records. Returns `None` if there are no more.
fn records(
    conn: &mut Connection<'_>,
    writer: &mut EntryWriter,
    eraser: &Eraser,
    user: i64,
    order: &ErasureOrder,
) -> Result<Option<Step>, StoreError> {
    let keys = eraser.keys.as_deref();
    dating::lock(conn, &[user])?;
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
    let mut done = Vec::with_capacity(next.len());
    let mut changes = Changes::new();
    for check in next {
        done.push(Done::of(conn, keys, check, order, &mut changes)?);
    }
    let ids: Vec<i64> = done.iter().map(|done| done.check.id).collect();
    let blanked = blanks::erase_recordings(conn, eraser, (user, &ids), order)?;
    let receipt = blanked.iter().map(|blanked| DueEntry {
        entry: &blanked.receipt,
        recorded: None,
    });
    let due: Vec<_> = done.iter().map(Done::due).chain(receipt).collect();
    entries::insert_all(conn, writer, &due)?;
    let first = writer.given() - i64::try_from(due.len()).map_err(StoreError::internal)? + 1;
    if let Some(blanked) = blanked {
        blanked.note(conn, writer)?;
    }
    let faces = done.iter().zip(first..).filter_map(|(done, count)| {
        let face = done.face.as_ref()?;
        Some(face.row(&done.check, order, (writer.name(), count)))
    });
    let faces: Vec<_> = faces.collect();
    erasure_rows::add_faces(conn, &faces)?;
    let without_face: Vec<_> = faces.iter().map(|face| face.liveness_check_id).collect();
    tell_of_erased_faces(conn, user, &without_face, order.entry.at)?;
    totals::change(conn, totals::OWN_SLOT, changes)?;
    progress.records += i64::try_from(done.len()).map_err(StoreError::internal)?;
    progress.faces += i64::try_from(faces.len()).map_err(StoreError::internal)?;
    erasure_rows::put_user(conn, &progress)?;
    let erased: Vec<_> = done.iter().filter_map(|done| done.face.as_ref()).collect();
    let key_ids: Vec<_> = erased.iter().filter_map(|face| face.key_id).collect();
    if let (Some(keys), false) = (keys, key_ids.is_empty()) {
        keys.erase_all(&key_ids)?;
    }
    Ok(Some(Step {
        had_clear_faces: key_ids.len() < erased.len(),
        objects: erased.iter().filter_map(|face| face.object).collect(),
    }))
}

/// A record that was erased, and what its receipt says.
struct Done {
    check: StoredCheck,
    face: Option<KeptFace>,
    recorded: RecordedCheck,
    entry: AuditEntry,
}

impl Done {
    fn of(
        conn: &mut Connection<'_>,
        keys: Option<&FaceKeys>,
        check: StoredCheck,
        order: &ErasureOrder,
        changes: &mut Changes,
    ) -> Result<Self, StoreError> {
        let face = if check.has_image {
            Some(KeptFace::of(conn, &check)?)
        } else {
            None
        };
        let unreadable_from = match &face {
            Some(face) => face.unreadable_from(conn, keys, order.entry.at)?,
            None => None,
        };
        leave(&check, changes);
        totals::count(changes, None, without_face(&check), 1);
        if face.is_some() {
            faces::delete(conn, check.self_service_user_id, check.id)?;
        }
        let erased_at = face.as_ref().map(|_| order.entry.at.unix_millis());
        let check = blanks::erase_record(conn, check, erased_at)?;
        let digest = face.as_ref().map(|face| face.digest);
        Ok(Self {
            recorded: RecordedCheck {
                id: check.id,
                canonical: Some(check.canonical()),
                face_digest: digest,
            },
            entry: receipt(order, &check, digest, (Erased::Record, unreadable_from)),
            check,
            face,
        })
    }

    fn due(&self) -> DueEntry<'_> {
        DueEntry {
            entry: &self.entry,
            recorded: Some(&self.recorded),
        }
    }
}

/// Erases the user's row and issued sessions, and writes the receipt of it all.
fn end(
    conn: &mut Connection<'_>,
    writer: &mut EntryWriter,
    keys: Option<&FaceKeys>,
    user: i64,
    order: &ErasureOrder,
) -> Result<ErasedUser, StoreError> {
    dating::lock(conn, &[user])?;
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
