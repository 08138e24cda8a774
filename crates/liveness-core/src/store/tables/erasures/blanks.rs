//! Takes away what names a person: in records, and in audit entries. What is left of an entry is still the leaf that is in
//! the log.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::eraser::Eraser;
use super::order::{ErasureError, ErasureOrder};
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::entry_writer::EntryWriter;
use crate::store::tables::erasure_rows::{self, Told};
use crate::store::tables::schema::liveness_audit_entries::dsl as entries;
use crate::store::tables::schema::liveness_checks::dsl as checks;
use crate::store::tables::stored_check::StoredCheck;
use crate::store::tables::trail::entries::{self as trail, DueEntry};
use crate::store::tables::trail::rows::{self, EntryRow};
use crate::trail::MacKey;
use crate::{AuditEntry, AuditSubject, Erased, Erasure, Shown};

/// How many entries are looked at in one transaction.
const STEP: i64 = 256;

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
    Ok(blank)
}

/// A place among records or entries: a time and an id.
pub(super) type Place = (i64, i64);

/// Takes the user's names out of the audit entries that the user sent, and that name no user.
pub(super) fn erase_sent(eraser: &Eraser, user: i64, order: &ErasureOrder) -> Result<(), ErasureError> {
    let blanking = Blanking::of(eraser, user, order);
    let mut senders = Vec::new();
    each_step(|after| Ok(eraser.transaction(|conn, _| Ok(own_senders(conn, user, after, &mut senders)?))?))?;
    for (issuer, principal) in &senders {
        each_step(|after| {
            eraser.transaction(|conn, writer| {
                let found = entries_of_sender(conn, principal, after)?;
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
            let found = entries_of_user(conn, user, after)?;
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

/// What is erased in an entry.
#[derive(Clone, Copy)]
struct Parts {
    sender: bool,
    subject: bool,
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
    let found = entries_of_user(conn, user, after)?;
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

/// The next rows of an index behind a place. `$column` is the first column of the index, and leads the order. So exactly one
/// index has that order, whatever the engine's statistics are.
macro_rules! behind {
    ($table:expr, $column:ident: $type:ty = $value:expr, $time:ident, $after:expr) => {
        $table
            .filter(
                sql::<Bool>(concat!("(", stringify!($column), ", ", stringify!($time), ", id) > ("))
                    .bind::<$type, _>($value)
                    .sql(", ")
                    .bind::<BigInt, _>($after.0)
                    .sql(", ")
                    .bind::<BigInt, _>($after.1)
                    .sql(")"),
            )
            .filter(
                sql::<Bool>(concat!("(", stringify!($column), ", ", stringify!($time), ") <= ("))
                    .bind::<$type, _>($value)
                    .sql(", ")
                    .bind::<BigInt, _>(i64::MAX)
                    .sql(")"),
            )
            .order((dsl::$column, dsl::$time, dsl::id))
    };
}

/// The next records of a user behind a place, oldest first.
pub(crate) fn next_records(
    conn: &mut Connection<'_>,
    user: i64,
    after: Place,
    limit: i64,
) -> Result<Vec<StoredCheck>, StoreError> {
    use checks as dsl;
    let next = behind!(checks::liveness_checks, self_service_user_id: BigInt = user, created_at, after).limit(limit);
    Ok(match conn {
        // With the user, Citus knows the shard.
        Connection::Citus(conn) => next
            .filter(checks::self_service_user_id.eq(user))
            .select(StoredCheck::as_select())
            .load(*conn)?,
        Connection::Postgres(conn) => next.select(StoredCheck::as_select()).load(*conn)?,
        Connection::Sqlite(conn) => next.select(StoredCheck::as_select()).load(*conn)?,
    })
}

/// The next entries that concern the user, oldest first.
pub(crate) fn entries_of_user(conn: &mut Connection<'_>, user: i64, after: Place) -> Result<Vec<EntryRow>, StoreError> {
    use entries as dsl;
    let next = behind!(entries::liveness_audit_entries, self_service_user_id: BigInt = user, at, after).limit(STEP);
    Ok(match conn {
        // With the user, Citus knows the shard.
        Connection::Citus(conn) => next
            .filter(entries::self_service_user_id.eq(user))
            .select(EntryRow::as_select())
            .load(*conn)?,
        Connection::Postgres(conn) => next.select(EntryRow::as_select()).load(*conn)?,
        Connection::Sqlite(conn) => next.select(EntryRow::as_select()).load(*conn)?,
    })
}

/// The next entries of a sender, oldest first.
pub(crate) fn entries_of_sender(
    conn: &mut Connection<'_>,
    principal: &str,
    after: Place,
) -> Result<Vec<EntryRow>, StoreError> {
    use entries as dsl;
    let next = behind!(entries::liveness_audit_entries, principal: Text = principal, at, after).limit(STEP);
    Ok(on_either!(conn, |conn| next.select(EntryRow::as_select()).load(*conn))?)
}

/// Entries that were blanked, and the entry that has to tell of it.
pub(super) struct Blanked {
    pub(super) receipt: AuditEntry,
    ids: Vec<i64>,
}

impl Blanked {
    /// Notes which entry tells of it: the last that this writer was given.
    pub(super) fn note(self, conn: &mut Connection<'_>, writer: &EntryWriter) -> Result<(), StoreError> {
        let told = Told {
            writer: writer.name().to_vec(),
            count: writer.given(),
        };
        erasure_rows::add_entries(conn, &self.ids, &told)
    }
}

/// Blanks entries, and writes the entry that tells of it.
struct Blanking<'a> {
    mac_key: Option<&'a MacKey>,
    user: i64,
    order: &'a ErasureOrder,
}

impl<'a> Blanking<'a> {
    fn of(eraser: &'a Eraser, user: i64, order: &'a ErasureOrder) -> Self {
        Self {
            mac_key: eraser.link.key.get(),
            user,
            order,
        }
    }

    fn blank(
        &self,
        conn: &mut Connection<'_>,
        writer: &mut EntryWriter,
        due: Vec<(EntryRow, Parts)>,
    ) -> Result<(), StoreError> {
        let Some(blanked) = self.take(conn, due)? else {
            return Ok(());
        };
        let tells = DueEntry {
            entry: &blanked.receipt,
            recorded: None,
        };
        trail::insert_all(conn, writer, &[tells])?;
        blanked.note(conn, writer)
    }

    /// Blanks entries. `None` if all of them are blank.
    fn take(&self, conn: &mut Connection<'_>, due: Vec<(EntryRow, Parts)>) -> Result<Option<Blanked>, StoreError> {
        let (mut ids, mut senders, mut subjects) = (Vec::new(), Vec::new(), Vec::new());
        for (entry, parts) in due {
            let parts = Parts {
                sender: parts.sender && !entry.has_no_sender(),
                // A receipt says why something was erased for as long as it is kept.
                subject: parts.subject && entry.erasure().is_none() && !entry.has_no_subject(),
            };
            if !parts.sender && !parts.subject {
                continue;
            }
            self.update(conn, &entry, parts)?;
            ids.push(entry.id);
            // The newest receipt of an entry tells of all that was taken out of it.
            senders.extend((parts.sender || entry.has_no_sender()).then_some(entry.id));
            subjects.extend((parts.subject || entry.has_no_subject()).then_some(entry.id));
        }
        Ok((!ids.is_empty()).then(|| Blanked {
            receipt: self.receipt(senders, subjects),
            ids,
        }))
    }

    fn update(&self, conn: &mut Connection<'_>, entry: &EntryRow, parts: Parts) -> Result<(), StoreError> {
        let told = |problem| StoreError::internal(format!("audit entry {} cannot be erased: {problem}", entry.id));
        let nonces = entry
            .erased_nonces(self.mac_key, parts.sender, parts.subject)
            .map_err(told)?;
        let subject = if parts.subject {
            entry.subject_without_names().map_err(told)?
        } else {
            entry.subject.clone()
        };
        let kept = |text: &Option<String>| text.clone().filter(|_| !parts.sender);
        let of_sender = |text: &String| if parts.sender { String::new() } else { text.clone() };
        let row = entries::liveness_audit_entries.filter(entries::id.eq(entry.id));
        let values = (
            entries::nonces.eq(nonces),
            entries::subject.eq(subject),
            entries::principal.eq(of_sender(&entry.principal)),
            entries::request_id.eq(of_sender(&entry.request_id)),
            entries::issuer.eq(kept(&entry.issuer)),
            entries::actor.eq(kept(&entry.actor)),
            entries::client_ip.eq(kept(&entry.client_ip)),
        );
        match conn {
            // With the user, Citus knows the shard.
            Connection::Citus(conn) => {
                let row = row.filter(entries::self_service_user_id.eq(entry.self_service_user_id.unwrap_or_default()));
                diesel::update(row).set(values).execute(*conn)?
            }
            Connection::Postgres(conn) => diesel::update(row).set(values).execute(*conn)?,
            Connection::Sqlite(conn) => diesel::update(row).set(values).execute(*conn)?,
        };
        Ok(())
    }

    fn receipt(&self, senders: Vec<i64>, subjects: Vec<i64>) -> AuditEntry {
        AuditEntry {
            self_service_user_id: Some(self.user),
            subject: AuditSubject {
                shown: Shown {
                    purpose: Some(self.order.reason.as_str().to_owned()),
                    erasure: Some(Erasure {
                        erased: Erased::Entries,
                        unreadable_from: None,
                        senders,
                        subjects,
                    }),
                    ..Shown::default()
                },
                ..AuditSubject::default()
            },
            ..self.order.entry.clone()
        }
    }
}
