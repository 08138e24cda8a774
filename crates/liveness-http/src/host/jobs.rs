//! The jobs of the host: faces and records that were kept for long enough are erased, erasures are completed, faces in clear are
//! sealed, keys of faces are rotated, and keys and objects that no face has are deleted. So are sessions that nobody used.

mod record_retention;
mod retention;
mod rotation;
mod sealing;
mod sessions;
mod sweeping;

use std::time::Duration;

use liveness_core::jobs::JobError;
use liveness_core::policy::Policy;
use liveness_core::store::{
    CompleteErasures, EmptyLog, FaceKeys, JobHandler, JobRunner, JobSettings, RunningJob, Store,
};
use liveness_core::{AuditEntry, AuditSubject, Clock as _, Shown, SystemClock};

use self::record_retention::RetainRecords;
use self::retention::RetainFaces;
use self::rotation::RotateFaceKeys;
use self::sealing::SealFaces;
use self::sessions::SweepSessions;
use self::sweeping::{SweepFaceKeys, SweepObjects};
use super::start_error::StartError;
use crate::metrics::Metrics;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// The principal of what the host does by itself.
const PRINCIPAL: &str = "liveness-http";

/// Starts to run jobs. Keys are rotated and swept, and faces in clear are sealed, where there are keys. `owner` is whose the objects
/// in the place of the faces are.
///
/// # Errors
///
/// When the thread cannot be started.
pub(super) fn start(store: &Store, owner: String, policy: &Policy, metrics: &Metrics) -> Result<JobRunner, StartError> {
    let mut handlers: Vec<Box<dyn JobHandler>> = vec![
        Box::new(RetainFaces::of(policy)),
        Box::new(RetainRecords::of(policy.retention())),
        Box::new(CompleteErasures),
        Box::new(EmptyLog),
        Box::new(SweepSessions),
    ];
    if store.face_keys().is_some() {
        let every = policy.retention().rotate;
        handlers.push(Box::new(RotateFaceKeys { every }));
        handlers.push(Box::new(SweepFaceKeys));
        handlers.push(Box::new(SealFaces {
            in_clear: metrics.faces_in_clear.clone(),
        }));
    }
    if store.has_face_place() {
        handlers.push(Box::new(SweepObjects { owner }));
    }
    Ok(JobRunner::start(store, handlers, JobSettings::default())?)
}

fn keys_of(job: &RunningJob) -> Result<&FaceKeys, JobError> {
    let keys = job.store().face_keys();
    keys.map(AsRef::as_ref)
        .ok_or_else(|| JobError::give_up("LIVENESS_FACE_KEYS is not set on this node"))
}

/// Writes an audit entry of a job. It is durable when this returns.
fn audit(job: &RunningJob, command: &'static str, shown: Shown) -> Result<(), JobError> {
    let appended = job.block_on(job.store().trail().append(entry_of(job, command, shown)));
    appended
        .map_err(|error| JobError::with_cause(&error))?
        .map_err(|error| JobError::with_cause(&error))
}

/// The audit entry of a job. All entries of an attempt have the same request id.
fn entry_of(job: &RunningJob, command: &'static str, shown: Shown) -> AuditEntry {
    AuditEntry {
        at: SystemClock.now(),
        request_id: format!("job-{}-{}", job.id(), job.attempt()),
        principal: PRINCIPAL.to_owned(),
        issuer: None,
        actor: None,
        roles: "job".to_owned(),
        self_service_user_id: None,
        message: command.into(),
        outcome: "00".into(),
        client_address: None,
        subject: AuditSubject {
            shown,
            ..AuditSubject::default()
        },
    }
}

#[cfg(test)]
mod tests;
