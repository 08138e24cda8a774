//! Removes what names a person from the rows of records and audit entries.

use diesel::prelude::*;

use super::blanking::{Blanked, Blanking, Parts};
use super::eraser::Eraser;
use super::next_rows::{self, Place};
use super::order::{ErasureError, ErasureOrder};
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::entry_writer::EntryWriter;
use crate::store::tables::image_digests;
use crate::store::tables::schema::liveness_checks::dsl as checks;
use crate::store::tables::stored_check::StoredCheck;
use crate::store::tables::trail::rows::{self, EntryRow};

/// Erases what names a person in a record. Returns the record as it is now.
pub(super) fn erase_record(
    conn: &mut Connection<'_>,
    check: StoredCheck,
    face_erased_at: Option<i64>,
) -> Result<StoredCheck, StoreError> {
    let blank = StoredCheck {
        pre_registration_id: None,
        image_path: None,
        device_info: None,
        client_ip: None,
        metadata: None,
        image_metadata: None,
        idempotency_key: None,
        request_fingerprint: None,
        has_image: false,
        face_erased_at: face_erased_at.or(check.face_erased_at),
        ..check
    };
    let row = checks::liveness_checks.filter(
        checks::id
            .eq(blank.id)
            .and(checks::self_service_user_id.eq(blank.self_service_user_id)),
    );
    let blanks = (
        checks::pre_registration_id.eq(None::<i64>),
        checks::image_path.eq(None::<String>),
        checks::device_info.eq(None::<String>),
        checks::client_ip.eq(None::<String>),
        checks::metadata.eq(None::<String>),
        checks::image_metadata.eq(None::<String>),
        checks::idempotency_key.eq(None::<String>),
        checks::request_fingerprint.eq(None::<Vec<u8>>),
        checks::has_image.eq(false),
        checks::face_erased_at.eq(blank.face_erased_at),
    );
    on_either!(conn, |conn| diesel::update(row).set(blanks).execute(*conn))?;
    image_digests::forget(conn, blank.self_service_user_id, blank.id)?;
    Ok(blank)
}

/// Takes the user's names out of the audit entries that the user sent, and that name no user.
pub(super) fn erase_sent(eraser: &Eraser, user: i64, order: &ErasureOrder) -> Result<(), ErasureError> {
    let blanking = Blanking::of(eraser, user, order);
    let mut senders = Vec::new();
    each_step(|after| eraser.transaction(|conn, _| Ok(own_senders(conn, user, after, &mut senders)?)))?;
    for (issuer, principal) in &senders {
        each_step(|after| {
            eraser.transaction(|conn, writer| {
                let found = next_rows::entries_of_sender(conn, principal, after)?;
                let next = next_place(&found);
                let own = found
                    .into_iter()
                    .filter(|entry| entry.user().is_none() && entry.issuer == *issuer && !is_staff(&entry.roles));
                let due = own.map(|entry| {
                    (
                        entry,
                        Parts {
                            sender: true,
                            subject: false,
                        },
                    )
                });
                blanking.blank(conn, writer, due.collect())?;
                Ok(next)
            })
        })?;
    }
    Ok(())
}

/// Erases what names the user in the audit entries that concern the user. An entry that is done is left as it is.
pub(super) fn erase_entries(eraser: &Eraser, user: i64, order: &ErasureOrder) -> Result<(), ErasureError> {
    let blanking = Blanking::of(eraser, user, order);
    each_step(|after| {
        eraser.transaction(|conn, writer| {
            let found = next_rows::entries_of_user(conn, user, after)?;
            let next = next_place(&found);
            let due = found.into_iter().map(|entry| {
                let sender = is_own(&entry);
                (entry, Parts { sender, subject: true })
            });
            blanking.blank(conn, writer, due.collect())?;
            Ok(next)
        })
    })
}

/// Erases what names the user in audit entries about a record, in a transaction of the caller. The entries that bind the record are
/// left to [`erase_recordings`].
pub(super) fn erase_about(
    conn: &mut Connection<'_>,
    writer: &mut EntryWriter,
    eraser: &Eraser,
    (user, about): (i64, Vec<EntryRow>),
    order: &ErasureOrder,
) -> Result<(), StoreError> {
    let of_user = about
        .into_iter()
        .filter(|entry| entry.user() == Some(user) && !entry.binds_record());
    let due = of_user.map(|entry| {
        let sender = is_own(&entry);
        (entry, Parts { sender, subject: true })
    });
    Blanking::of(eraser, user, order).blank(conn, writer, due.collect())
}

/// Runs a step behind each place where the one before has ended.
fn each_step(mut step: impl FnMut(Place) -> Result<Option<Place>, ErasureError>) -> Result<(), ErasureError> {
    let mut place = Some((i64::MIN, 0));
    while let Some(after) = place {
        place = step(after)?;
    }
    Ok(())
}

/// Erases what names the user in the entries of the recording of these records. Without their nonces, the digests of the
/// records as they were say nothing any more.
pub(super) fn erase_recordings(
    conn: &mut Connection<'_>,
    eraser: &Eraser,
    (user, check_ids): (i64, &[i64]),
    order: &ErasureOrder,
) -> Result<Option<Blanked>, StoreError> {
    let mut due = Vec::new();
    for check_id in check_ids {
        let binding = rows::binding(conn, *check_id)?;
        let recordings = binding.into_iter().filter(|entry| entry.erasure().is_none());
        due.extend(recordings.map(|entry| {
            (
                entry,
                Parts {
                    sender: true,
                    subject: true,
                },
            )
        }));
    }
    Blanking::of(eraser, user, order).take(conn, due)
}

/// Roles whose holders act for the service. The trail goes on to say who they were.
const STAFF: [&str; 4] = ["admin", "officer", "auditor", "operator"];

fn is_staff(roles: &str) -> bool {
    roles.split(',').any(|role| STAFF.contains(&role))
}

/// Whether an entry that concerns the user was sent by the user.
fn is_own(entry: &EntryRow) -> bool {
    let is_customer = entry.roles.split(',').any(|role| role == "customer") && !is_staff(&entry.roles);
    is_customer || (entry.binds_record() && entry.erasure().is_none())
}

/// Adds the names under which the user has sent messages, of the next entries.
fn own_senders(
    conn: &mut Connection<'_>,
    user: i64,
    after: Place,
    senders: &mut Vec<(Option<String>, String)>,
) -> Result<Option<Place>, StoreError> {
    let found = next_rows::entries_of_user(conn, user, after)?;
    let next = next_place(&found);
    let own = found
        .into_iter()
        .filter(|entry| is_own(entry) && !entry.principal.is_empty());
    for entry in own {
        let sender = (entry.issuer, entry.principal);
        if !senders.contains(&sender) {
            senders.push(sender);
        }
    }
    Ok(next)
}

fn next_place(found: &[EntryRow]) -> Option<Place> {
    found.last().map(|last| (last.at, last.id))
}
