//! Reads the records of an export, step by step, and writes them with their audit entries.

use std::collections::HashMap;

use liveness_bus::liveness::LivenessCheckItem;
use liveness_core::store::{CheckFilter, Store};
use liveness_core::{AuditEntry, AuditSubject, KeptFace, LivenessCheck, Shown, User};

use super::COMMAND;
use super::output::{Output, Record};
use crate::cli::failure::Failure;
use crate::cli::progress::Progress;
use crate::operator::Operator;

/// How many records are read at once. Their ids are in one audit entry.
const STEP: i64 = 1000;
/// How many faces are in memory at once.
const MAX_FACES: usize = 8;

/// An export that is under way.
pub(super) struct Exporter {
    pub(super) operator: Operator,
    pub(super) store: Store,
    /// The user whose records are exported, if it is only one.
    pub(super) user: Option<i64>,
    pub(super) with_faces: bool,
    pub(super) reason: Option<String>,
    pub(super) progress: Progress,
    pub(super) output: Option<Output>,
    pub(super) written: u64,
}

impl Exporter {
    pub(super) async fn export_all(&mut self, filter: CheckFilter) -> Result<(), Failure> {
        let mut after = None;
        loop {
            let checks = self.store.checks().after(filter.clone(), after, STEP).await?;
            let Some(last) = checks.last() else { break };
            after = Some((last.created_at, last.id));
            self.export_page(checks).await?;
        }
        // CSV has a header even when there is no record.
        self.write(Vec::new()).await
    }

    async fn export_page(&mut self, checks: Vec<LivenessCheck>) -> Result<(), Failure> {
        let entry = self.entry_of_page(&checks);
        self.store.trail().append(entry).await?;
        let mut ids: Vec<_> = checks.iter().map(|check| check.self_service_user_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let users = self.store.users().find(ids).await?;
        let users: HashMap<_, _> = users.into_iter().map(|user| (user.id, user)).collect();
        let mut rest = checks.into_iter().peekable();
        while rest.peek().is_some() {
            // Faces may be large, so only a few are kept in memory.
            let some = rest.by_ref().take(if self.with_faces { MAX_FACES } else { usize::MAX });
            self.export_some(some.collect(), &users).await?;
        }
        Ok(())
    }

    async fn export_some(&mut self, checks: Vec<LivenessCheck>, users: &HashMap<i64, User>) -> Result<(), Failure> {
        let mut entries = Vec::new();
        let mut ready = Vec::new();
        for mut check in checks {
            let mut face = None;
            if self.with_faces {
                face = self.store.faces().of(&check).await?;
                // A face without its key is none.
                check.has_image = face.is_some();
            }
            entries.extend(face.as_ref().map(|face| self.entry_of_face(&check, face)));
            let user = users.get(&check.self_service_user_id);
            ready.push(Record::new(
                LivenessCheckItem::of(check, user),
                face.map(|face| face.image),
            ));
        }
        if !entries.is_empty() {
            self.store.trail().append_all(entries).await?;
        }
        self.write(ready).await
    }

    fn entry_of_page(&self, checks: &[LivenessCheck]) -> AuditEntry {
        let shown = Shown {
            records: checks.iter().map(|check| check.id).collect(),
            count: Some(checks.len() as u64),
            purpose: self.reason.clone(),
            ..Shown::default()
        };
        let subject = AuditSubject {
            shown,
            ..AuditSubject::default()
        };
        self.operator.entry(COMMAND, self.user, subject)
    }

    fn entry_of_face(&self, check: &LivenessCheck, face: &KeptFace) -> AuditEntry {
        let subject = AuditSubject {
            liveness_check_id: Some(check.id),
            face_digest: Some(face.digest),
            shown: Shown {
                purpose: self.reason.clone(),
                ..Shown::default()
            },
        };
        self.operator.entry(COMMAND, Some(check.self_service_user_id), subject)
    }

    /// Writes on a thread of its own, so that a signal ends the export even while the reader of our output is slow.
    async fn write(&mut self, records: Vec<Record>) -> Result<(), Failure> {
        let Some(mut output) = self.output.take() else {
            return Ok(());
        };
        let count = records.len() as u64;
        let writing = actix_web::rt::task::spawn_blocking(move || output.write(&records).map(|()| output));
        let output = writing.await.map_err(|error| Failure::of(error.to_string()))??;
        self.output = Some(output);
        self.written += count;
        self.progress.set(self.written);
        Ok(())
    }
}
