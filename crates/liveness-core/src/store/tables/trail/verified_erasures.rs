//! Compares erasures with the entries that tell of them. What is missing counts as erased only where the log says so.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use diesel::prelude::*;

use super::bound::{BlankEntry, ToldErasure};
use super::log;
use super::rows::{self, EntryRow};
use super::verified::TrailVerification;
use crate::Erased;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::entry_writer::EntryTrust;
use crate::store::tables::erasure_rows::{self, ErasedFaceRow, Told};
use crate::store::tables::schema::{liveness_checks as checks, liveness_images as images};
use crate::store::tables::stored_check::StoredCheck;
use crate::trail::leaf_hash;

/// Whether an entry was written by who has the key, and is in the log or will be.
fn is_credible(conn: &mut Connection<'_>, trust: &EntryTrust, entry: &EntryRow) -> Result<bool, StoreError> {
    let (Some(writer), Some(hash)) = (entry.writer.as_deref(), entry.leaf_hash.as_deref()) else {
        return Ok(false);
    };
    let is_its_hash = entry
        .leaf(&trust.key)
        .is_ok_and(|leaf| leaf_hash(&leaf).as_slice() == hash);
    if !is_its_hash || !trust.is_signed(writer, entry.count(), hash, entry.mac.as_deref()) {
        return Ok(false);
    }
    let is_pending = |logged: Option<i64>| logged.is_some_and(|logged| entry.count() > logged);
    Ok(log::run_of(conn, writer, entry.count())?.is_some() || is_pending(log::logged_of(conn, writer)?))
}

/// The newest of these entries that tells of something, and was not put in, with what it tells.
pub(super) fn newest_credible<T>(
    conn: &mut Connection<'_>,
    trust: &EntryTrust,
    mut entries: Vec<EntryRow>,
    tells: impl Fn(&EntryRow) -> Option<T>,
) -> Result<Option<(EntryRow, T)>, StoreError> {
    entries.sort_unstable_by_key(|entry| Reverse(entry.id));
    for entry in entries {
        if let Some(told) = tells(&entry)
            && is_credible(conn, trust, &entry)?
        {
            return Ok(Some((entry, told)));
        }
    }
    Ok(None)
}

/// The credible entries at a place.
pub(super) fn told(conn: &mut Connection<'_>, trust: &EntryTrust, place: &Told) -> Result<Vec<EntryRow>, StoreError> {
    let mut credible = Vec::new();
    for entry in rows::at_place(conn, &place.writer, place.count)? {
        if is_credible(conn, trust, &entry)? {
            credible.push(entry);
        }
    }
    Ok(credible)
}

/// Whether the log tells of the erasure of a face that a row tells of.
pub(crate) fn is_told(conn: &mut Connection<'_>, trust: &EntryTrust, row: &ErasedFaceRow) -> Result<bool, StoreError> {
    let place = Told {
        writer: row.writer.clone(),
        count: row.writer_count,
    };
    let tells = |entry: &EntryRow| {
        // What was in clear has no day from which on it is unreadable.
        let is_of_face = entry.erasure().is_some_and(|erasure| {
            matches!(erasure.erased, Erased::Face | Erased::Record)
                && (row.was_sealed || erasure.unreadable_from.is_none())
        });
        is_of_face
            && entry.liveness_check_id == Some(row.liveness_check_id)
            && entry.user() == Some(row.self_service_user_id)
            && entry.face_digest.as_deref() == Some(&row.face_digest[..])
            && entry.at == row.erased_at
            && entry.purpose().as_deref() == Some(&row.because)
    };
    Ok(told(conn, trust, &place)?.iter().any(tells))
}

/// Whether the log tells that a record became this one when its user was erased.
pub(crate) fn is_rebound(
    conn: &mut Connection<'_>,
    trust: &EntryTrust,
    check: &StoredCheck,
) -> Result<bool, StoreError> {
    let canonical = check.canonical();
    for entry in rows::binding(conn, check.id)? {
        let digest = entry.nonces().and_then(|nonces| nonces.record_digest(&canonical));
        let is_of = digest.is_some_and(|digest| entry.record_digest.as_deref() == Some(&digest[..]));
        if is_of && is_credible(conn, trust, &entry)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Verifies that what the log says was erased is erased.
pub(crate) fn verify_erased(
    conn: &mut Connection<'_>,
    erasures: &[ToldErasure],
    done: &mut TrailVerification,
) -> Result<(), StoreError> {
    if erasures.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = erasures.iter().map(|erasure| erasure.check_id).collect();
    let kept: Vec<i64> = on_either!(conn, |conn| images::table
        .filter(eq_any(images::liveness_check_id, ids.clone())?)
        .select(images::liveness_check_id)
        .load(*conn))?;
    let kept: HashSet<i64> = kept.into_iter().collect();
    let marks: Vec<(i64, bool, Option<i64>)> = on_either!(conn, |conn| checks::table
        .filter(eq_any(checks::id, ids.clone())?)
        .select((checks::id, checks::has_image, checks::face_erased_at))
        .load(*conn))?;
    let marks: HashMap<_, _> = marks
        .into_iter()
        .map(|(id, has_image, at)| (id, (has_image, at)))
        .collect();
    let found = erasure_rows::faces(conn, &ids)?;
    let found: HashMap<_, _> = found.iter().map(|row| (row.liveness_check_id, row)).collect();
    for erasure in erasures {
        let at = format!("the face of record {}", erasure.check_id);
        if kept.contains(&erasure.check_id) {
            done.find(format!("{at} was erased, and was put back (leaf {})", erasure.leaf));
        }
        let is_noted = found
            .get(&erasure.check_id)
            .is_some_and(|row| row.writer == erasure.writer && row.writer_count == erasure.count);
        if !is_noted || marks.get(&erasure.check_id) != Some(&(false, Some(erasure.at))) {
            done.find(format!(
                "{at} was erased, and the database does not say so any more (leaf {})",
                erasure.leaf
            ));
        }
    }
    Ok(())
}

/// Verifies that the log tells of the next erasures of faces of records with these ids, at most so many. Returns the id behind
/// the last one that is done.
pub(crate) fn verify_rows(
    conn: &mut Connection<'_>,
    trust: &EntryTrust,
    check_ids: Range<i64>,
    limit: i64,
    done: &mut TrailVerification,
) -> Result<i64, StoreError> {
    let found = erasure_rows::next_faces(conn, check_ids.clone(), limit)?;
    for row in &found {
        if !is_told(conn, trust, row)? {
            done.find(format!(
                "the erasure of the face of record {} was put in or changed: no audit entry tells of it",
                row.liveness_check_id
            ));
        }
    }
    let is_cut = i64::try_from(found.len()).map_err(StoreError::internal)? >= limit;
    let last = found.last().filter(|_| is_cut);
    Ok(last.map_or(check_ids.end, |row| row.liveness_check_id + 1))
}

/// Verifies that the log tells of each entry that was erased in part.
pub(crate) fn verify_blanks(
    conn: &mut Connection<'_>,
    trust: &EntryTrust,
    blanks: &[BlankEntry],
    done: &mut TrailVerification,
) -> Result<(), StoreError> {
    if blanks.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = blanks.iter().map(|blank| blank.id).collect();
    let places: HashMap<i64, Told> = erasure_rows::entries(conn, &ids)?.into_iter().collect();
    // One entry tells of many.
    let mut read = HashMap::<(Vec<u8>, i64), Vec<EntryRow>>::new();
    for blank in blanks {
        let Some(place) = places.get(&blank.id) else {
            done.find(not_told(blank));
            continue;
        };
        let key = (place.writer.clone(), place.count);
        if !read.contains_key(&key) {
            read.insert(key.clone(), told(conn, trust, place)?);
        }
        if !read[&key].iter().any(|entry| tells_of(entry, blank)) {
            done.find(not_told(blank));
        }
    }
    Ok(())
}

fn tells_of(entry: &EntryRow, blank: &BlankEntry) -> bool {
    let is_of_user = blank.user.is_none_or(|user| entry.user() == Some(user));
    entry.erasure().is_some_and(|erasure| {
        erasure.erased == Erased::Entries
            && is_of_user
            && (!blank.has_no_sender || erasure.senders.contains(&blank.id))
            && (!blank.has_no_subject || erasure.subjects.contains(&blank.id))
    })
}

fn not_told(blank: &BlankEntry) -> String {
    format!(
        "audit entry {} (leaf {}) was changed: what names a person was taken out of it, and no entry tells of that",
        blank.id, blank.leaf
    )
}
