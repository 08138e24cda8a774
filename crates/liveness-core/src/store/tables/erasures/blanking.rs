//! Takes what names a person out of audit entries, and writes the entry that tells of it. What is left of an entry is still the
//! leaf that is in the log.

use diesel::prelude::*;

use super::eraser::Eraser;
use super::order::ErasureOrder;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::tables::decision_rows as decisions;
use crate::store::tables::entry_writer::EntryWriter;
use crate::store::tables::erasure_rows::{self, Told};
use crate::store::tables::schema::liveness_audit_entries::dsl as entries;
use crate::store::tables::trail::entries::{self as trail, DueEntry};
use crate::store::tables::trail::rows::EntryRow;
use crate::trail::MacKey;
use crate::{AuditEntry, AuditSubject, Erased, Erasure, Shown};

/// What is erased in an entry.
#[derive(Clone, Copy)]
pub(super) struct Parts {
    pub(super) sender: bool,
    pub(super) subject: bool,
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
pub(super) struct Blanking<'a> {
    mac_key: Option<&'a MacKey>,
    user: i64,
    order: &'a ErasureOrder,
}

impl<'a> Blanking<'a> {
    pub(super) fn of(eraser: &'a Eraser, user: i64, order: &'a ErasureOrder) -> Self {
        Self {
            mac_key: eraser.link.key.get(),
            user,
            order,
        }
    }

    pub(super) fn blank(
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
    pub(super) fn take(
        &self,
        conn: &mut Connection<'_>,
        due: Vec<(EntryRow, Parts)>,
    ) -> Result<Option<Blanked>, StoreError> {
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
            if let (true, Some(made), Some(check_id)) = (parts.subject, entry.decision(), entry.liveness_check_id) {
                decisions::blank(conn, check_id, made.number)?;
            }
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
