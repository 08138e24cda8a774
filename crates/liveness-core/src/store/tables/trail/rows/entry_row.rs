//! An audit entry with all of its columns, and how its leaf is made.

use diesel::prelude::*;

use super::super::entries::somebody;
use crate::store::tables::schema::liveness_audit_entries;
use crate::trail::MacKey;
use crate::trail::leaf::{BasicColumns, EntryColumns, Nonces, OldEntry};
use crate::{DecisionMade, Erased, Erasure, HoldChange, Shown};

/// An entry with all of its columns.
#[derive(Queryable, Selectable, Debug)]
#[diesel(table_name = liveness_audit_entries)]
pub(crate) struct EntryRow {
    pub(crate) id: i64,
    pub(crate) at: i64,
    pub(crate) request_id: String,
    pub(crate) principal: String,
    pub(crate) roles: String,
    pub(crate) self_service_user_id: Option<i64>,
    pub(crate) message: String,
    pub(crate) outcome: String,
    pub(crate) client_ip: Option<String>,
    pub(crate) issuer: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) liveness_check_id: Option<i64>,
    pub(crate) subject: Option<String>,
    pub(crate) record_digest: Option<Vec<u8>>,
    pub(crate) face_digest: Option<Vec<u8>>,
    pub(crate) nonces: Option<Vec<u8>>,
    pub(crate) writer: Option<Vec<u8>>,
    pub(crate) writer_count: Option<i64>,
    pub(crate) leaf_hash: Option<Vec<u8>>,
    pub(crate) mac: Option<Vec<u8>>,
}

impl EntryRow {
    /// The place of the entry among those of its writer. The id takes the place of the count of an entry without a writer.
    pub(crate) fn count(&self) -> i64 {
        self.writer_count.unwrap_or(self.id)
    }

    /// Whether the entry tells of the recording of its record, and not of a look at it.
    pub(crate) fn binds_record(&self) -> bool {
        self.record_digest.is_some()
    }

    /// The nonces of the entry, if it has good ones.
    pub(crate) fn nonces(&self) -> Option<Nonces<'_>> {
        Nonces::read(self.nonces.as_deref()?)
    }

    /// The user of the entry, if it has one.
    pub(crate) fn user(&self) -> Option<i64> {
        somebody(self.self_service_user_id)
    }

    /// What the entry tells of an erasure, if it does.
    pub(crate) fn erasure(&self) -> Option<Erasure> {
        self.shown_with("\"erasure\"")?.erasure
    }

    /// Whether the entry tells that a user was erased.
    pub(crate) fn erases_user(&self) -> bool {
        self.erasure().is_some_and(|erasure| erasure.erased == Erased::User)
    }

    /// What the entry tells of a legal hold, if it does.
    pub(crate) fn hold(&self) -> Option<HoldChange> {
        self.shown_with("\"hold\"")?.hold
    }

    /// The records of the list that the entry tells of, if it does.
    pub(crate) fn listed(&self) -> Vec<i64> {
        self.shown_with("\"records\"")
            .map(|shown| shown.records)
            .unwrap_or_default()
    }

    /// How many rows were shown, if the entry says so.
    pub(crate) fn shown_count(&self) -> Option<u64> {
        self.shown_with("\"count\"")?.count
    }

    /// What was shown, if the name of a part is in it. Few entries have such a part, and most need not be parsed.
    fn shown_with(&self, name: &str) -> Option<Shown> {
        let subject = self.subject.as_deref().filter(|subject| subject.contains(name))?;
        serde_json::from_str(subject).ok()
    }

    /// What the entry tells of a decision about its record, if it does.
    pub(crate) fn decision(&self) -> Option<DecisionMade> {
        self.shown_with("\"decision\"")?.decision
    }

    /// Why it was done, in the words of the sender.
    pub(crate) fn purpose(&self) -> Option<String> {
        let shown: Shown = serde_json::from_str(self.subject.as_deref()?).ok()?;
        shown.purpose
    }

    /// Whether the entry does not say any more who sent it.
    pub(crate) fn has_no_sender(&self) -> bool {
        match (&self.writer, self.nonces()) {
            (None, _) => self.nonces.is_some(),
            (Some(_), nonces) => nonces.is_some_and(|nonces| nonces.has_no_sender()),
        }
    }

    /// Whether the entry does not say any more whom it was about.
    pub(crate) fn has_no_subject(&self) -> bool {
        // An entry without a writer has no words, and its nonce is made from the key.
        self.writer.is_none() || self.nonces().is_some_and(|nonces| nonces.has_no_subject())
    }

    /// The subject without what may name a person.
    pub(crate) fn subject_without_names(&self) -> Result<Option<String>, String> {
        let Some(subject) = &self.subject else {
            return Ok(None);
        };
        let shown: Shown = serde_json::from_str(subject).map_err(|error| error.to_string())?;
        let without = serde_json::to_string(&shown.without_names());
        without.map(Some).map_err(|error| error.to_string())
    }

    /// The nonces that the row has once the sender is erased, or the user and the words. `None` if it needs none: no log
    /// has the entry, and none is kept.
    ///
    /// # Errors
    ///
    /// What is wrong with the columns, if no entry has them.
    pub(crate) fn erased_nonces(
        &self,
        key: Option<&MacKey>,
        sender: bool,
        subject: bool,
    ) -> Result<Option<Vec<u8>>, String> {
        if self.writer.is_some() {
            return self.columns()?.erased_nonces(sender, subject).map(Some);
        }
        let key = key.ok_or("it is from before entries had a writer, and this process has no key of the trail")?;
        self.old_entry()?.erased_nonces(key).map(Some)
    }

    /// The leaf of the entry, from its columns.
    ///
    /// # Errors
    ///
    /// What is wrong with the columns, if no entry has them.
    pub(crate) fn leaf(&self, key: &MacKey) -> Result<Vec<u8>, String> {
        if self.writer.is_some() {
            return self.columns()?.leaf();
        }
        let entry = self.old_entry()?;
        match &self.nonces {
            Some(erased) => entry.erased_leaf(erased),
            None => entry.leaf(key),
        }
    }

    fn basic_columns(&self) -> BasicColumns<'_> {
        BasicColumns {
            at: self.at,
            request_id: &self.request_id,
            principal: &self.principal,
            issuer: self.issuer.as_deref(),
            actor: self.actor.as_deref(),
            roles: &self.roles,
            client_ip: self.client_ip.as_deref(),
            self_service_user_id: self.user(),
            message: &self.message,
            outcome: &self.outcome,
        }
    }

    fn columns(&self) -> Result<EntryColumns<'_>, String> {
        Ok(EntryColumns {
            writer: self.writer.as_deref().ok_or("it has no writer")?,
            writer_count: self.writer_count.ok_or("it has no count")?,
            nonces: self.nonces().ok_or("it has no nonces")?,
            basic: self.basic_columns(),
            liveness_check_id: self.liveness_check_id,
            subject: self.subject.as_deref(),
            record_digest: self.record_digest.as_deref(),
            face_digest: self.face_digest.as_deref(),
        })
    }

    /// An entry from before entries had a writer.
    fn old_entry(&self) -> Result<OldEntry<'_>, String> {
        let of_later = [
            self.writer_count.is_some(),
            self.liveness_check_id.is_some(),
            self.subject.is_some(),
            self.record_digest.is_some(),
            self.face_digest.is_some(),
        ];
        if of_later.contains(&true) {
            return Err("it has no writer, but columns that only entries with a writer have".to_owned());
        }
        Ok(OldEntry {
            id: self.id,
            basic: self.basic_columns(),
        })
    }
}
