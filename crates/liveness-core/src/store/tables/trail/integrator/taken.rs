//! One step of the integrator: takes the next entries of each writer into the log.

use super::super::log::{self, Head, KnownWriter, NO_WRITER, Run};
use super::super::rows::{self, NewEntry};
use super::Integrator;
use crate::Timestamp;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::trail::{Hash, leaf_hash};

/// The most entries of one writer that a step takes.
const ENTRIES_OF_A_STEP: i64 = 4096;

impl Integrator {
    /// Takes entries from before entries had a writer.
    pub(super) fn take_old(&self, conn: &mut Connection<'_>, head: Head, taken: &mut Taken) -> Result<(), StoreError> {
        let old = rows::old_entries(conn, head.logged_id, head.last_unwritten_id, ENTRIES_OF_A_STEP)?;
        if old.is_empty() {
            taken.logged_id = head.last_unwritten_id;
        }
        for row in &old {
            let leaf = row.leaf(&self.trust.key);
            let leaf = leaf.map_err(|problem| StoreError::internal(format!("audit entry {}: {problem}", row.id)))?;
            taken.add(NO_WRITER, row.id, leaf_hash(&leaf));
            taken.logged_id = row.id;
        }
        taken.is_partial |= !old.is_empty();
        Ok(())
    }

    /// Takes the next entries of a writer.
    pub(super) fn take_new(
        &self,
        conn: &mut Connection<'_>,
        mut writer: KnownWriter,
        taken: &mut Taken,
    ) -> Result<(), StoreError> {
        let new = rows::new_entries(conn, &writer.writer, writer.logged, ENTRIES_OF_A_STEP)?;
        taken.is_partial |= i64::try_from(new.len()).is_ok_and(|found| found == ENTRIES_OF_A_STEP);
        let before = writer.logged;
        for entry in &new {
            // Whoever has no key can neither take the place of an entry, nor make it seem that one is missing.
            let Some(hash) = self.good_hash(&writer.writer, entry) else {
                taken.find(format!(
                    "audit entry {} was put in or changed: who wrote it does not have the key of the trail",
                    entry.id
                ));
                continue;
            };
            if entry.count == writer.logged {
                taken.find(format!(
                    "audit entry {} was put in: its writer has another with its count",
                    entry.id
                ));
                continue;
            }
            if entry.count != writer.logged + 1 {
                taken.find(format!(
                    "{} audit entries were taken away or changed before the one with the id {}",
                    entry.count - writer.logged - 1,
                    entry.id
                ));
            }
            writer.logged = entry.count;
            taken.add(&writer.writer, entry.count, hash);
        }
        if writer.logged > before {
            writer.newest_at = taken.now.unix_millis();
            log::set_logged(conn, &writer)?;
        }
        Ok(())
    }

    /// The hash of an entry's leaf, if who wrote it has the key.
    fn good_hash(&self, writer: &[u8], entry: &NewEntry) -> Option<Hash> {
        let hash: Hash = entry.leaf_hash.as_deref()?.try_into().ok()?;
        self.trust
            .is_signed(writer, entry.count, &hash, entry.mac.as_deref())
            .then_some(hash)
    }
}

/// What a step takes into the log.
pub(super) struct Taken {
    now: Timestamp,
    begin: i64,
    pub(super) leaves: Vec<Hash>,
    pub(super) runs: Vec<Run>,
    pub(super) logged_id: i64,
    pub(super) is_partial: bool,
    pub(super) findings: Vec<String>,
}

impl Taken {
    pub(super) fn new(head: Head, now: Timestamp) -> Self {
        Self {
            now,
            begin: head.size,
            leaves: Vec::new(),
            runs: Vec::new(),
            logged_id: head.logged_id,
            is_partial: false,
            findings: Vec::new(),
        }
    }

    pub(super) fn size(&self) -> i64 {
        self.begin + i64::try_from(self.leaves.len()).unwrap_or(i64::MAX)
    }

    pub(super) fn add(&mut self, writer: &[u8], count: i64, leaf: Hash) {
        let index = self.size();
        self.leaves.push(leaf);
        match self.runs.last_mut() {
            Some(run) if run.writer == writer && run.end_count() == count => run.entries += 1,
            _ => self.runs.push(Run {
                first_index: index,
                writer: writer.to_vec(),
                first_count: count,
                entries: 1,
            }),
        }
    }

    fn find(&mut self, finding: String) {
        self.findings.push(finding);
    }
}
