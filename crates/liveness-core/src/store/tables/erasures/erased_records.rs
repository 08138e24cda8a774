//! Erases what names a person in records of a user, with their faces, and writes the entries that tell of it, in a transaction of
//! the caller.

use super::blanks;
use super::eraser::Eraser;
use super::face::{KeptFace, leave, receipt, without_face};
use super::order::ErasureOrder;
use crate::faces::ObjectName;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::keys::FaceKeys;
use crate::store::tables::entry_writer::EntryWriter;
use crate::store::tables::events::telling::tell_of_erased_faces;
use crate::store::tables::stored_check::StoredCheck;
use crate::store::tables::totals::{self, Changes};
use crate::store::tables::trail::entries::{self, DueEntry, RecordedCheck};
use crate::store::tables::trail::rows;
use crate::store::tables::{erasure_rows, faces};
use crate::trail::leaf::Sha256;
use crate::{AuditEntry, Erased};

/// Erases records of one user, whose lock the caller has. The keys of their faces are still there: see
/// [`destroy_keys`](ErasedFaces::destroy_keys).
pub(super) fn erase(
    conn: &mut Connection<'_>,
    writer: &mut EntryWriter,
    eraser: &Eraser,
    order: &ErasureOrder,
    records: Vec<StoredCheck>,
) -> Result<ErasedFaces, StoreError> {
    let Some(user) = records.first().map(|check| check.self_service_user_id) else {
        return Ok(ErasedFaces::default());
    };
    let keys = eraser.keys.as_deref();
    let mut done = Vec::with_capacity(records.len());
    let mut changes = Changes::new();
    for check in records {
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
    let rows = done.iter().zip(first..).filter_map(|(done, count)| {
        let face = done.face.as_ref()?;
        Some(face.row(&done.check, order, (writer.name(), count)))
    });
    let rows: Vec<_> = rows.collect();
    erasure_rows::add_faces(conn, &rows)?;
    let without_face: Vec<_> = rows.iter().map(|face| face.liveness_check_id).collect();
    tell_of_erased_faces(conn, user, &without_face, order.cause())?;
    totals::change(conn, totals::OWN_SLOT, changes)?;
    Ok(ErasedFaces(done.into_iter().filter_map(|done| done.face).collect()))
}

/// The faces of records that were erased.
#[derive(Default)]
pub(super) struct ErasedFaces(Vec<KeptFace>);

impl ErasedFaces {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Destroys their keys. The commit comes next.
    pub(super) fn destroy_keys(&self, keys: Option<&FaceKeys>) -> Result<(), StoreError> {
        let key_ids: Vec<_> = self.0.iter().filter_map(|face| face.key_id).collect();
        match keys {
            Some(keys) if !key_ids.is_empty() => keys.erase_all(&key_ids).map(drop),
            _ => Ok(()),
        }
    }

    /// Whether one of them was in clear.
    pub(super) fn had_clear(&self) -> bool {
        self.0.iter().any(|face| face.key_id.is_none())
    }

    /// The objects of those that were not in the database.
    pub(super) fn objects(&self) -> Vec<ObjectName> {
        self.0.iter().filter_map(|face| face.object).collect()
    }

    /// The digest of the first of them.
    pub(super) fn digest(&self) -> Option<Sha256> {
        self.0.first().map(|face| face.digest)
    }
}

/// Whether a record is as the entries say that bind it, as far as they still can. One from before entries did is.
fn is_as_recorded(conn: &mut Connection<'_>, check: &StoredCheck) -> Result<bool, StoreError> {
    let (canonical, mut is_bound) = (check.canonical(), false);
    for entry in rows::binding(conn, check.id)? {
        let digest = entry.nonces().and_then(|nonces| nonces.record_digest(&canonical));
        match (digest, entry.record_digest) {
            (Some(digest), Some(recorded)) if recorded == digest => return Ok(true),
            (Some(_), _) => is_bound = true,
            (None, _) => {}
        }
    }
    Ok(!is_bound)
}

/// The bytes that bind a record from now on. One that somebody has changed is bound to none, so that it is found for good.
fn rebound(check: &StoredCheck, is_as_recorded: bool) -> Vec<u8> {
    let mut bytes = check.canonical();
    if !is_as_recorded {
        bytes.extend_from_slice(b"changed");
    }
    bytes
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
        let is_as_recorded = is_as_recorded(conn, &check)?;
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
                canonical: Some(rebound(&check, is_as_recorded)),
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
