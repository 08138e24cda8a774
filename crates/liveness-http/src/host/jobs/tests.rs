//! Tests of the jobs together, and what the tests of each job need.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};

use liveness_core::faces::FileKeeper;
use liveness_core::jobs::{JobDone, JobKind, ROTATE_FACE_KEYS};
use liveness_core::policy::Policy;
use liveness_core::store::Recording;
use liveness_core::{
    CaptureMetrics, Claims, FaceImage, NewLivenessCheck, SessionId, SessionMetrics, Timestamp, UserReference,
};
use tempfile::TempDir;

use super::*;

const FACE: &[u8] = include_bytes!("../../../assets/face.jpg");

pub(super) fn entry(at: Timestamp) -> AuditEntry {
    AuditEntry {
        at,
        request_id: "request".into(),
        principal: "somebody".into(),
        issuer: None,
        actor: None,
        roles: "officer".into(),
        self_service_user_id: None,
        message: "a message".into(),
        outcome: "00".into(),
        client_address: None,
        subject: AuditSubject::default(),
    }
}

/// Records a face of a user, so many seconds ago, and returns its record.
pub(super) fn record(store: &Store, user: i64, is_successful: bool, seconds_ago: i64) -> i64 {
    let created_at = SystemClock.now().plus_millis(seconds_ago * -1000);
    let recording = Recording {
        check: NewLivenessCheck {
            user: Claims::of(UserReference::Id(user)).to_user(user),
            session_id: SessionId::parse(&format!("session-{user}-{seconds_ago}")).unwrap(),
            issued_session_id: None,
            is_successful,
            metrics: SessionMetrics::default(),
            image_metrics: CaptureMetrics::default(),
            metadata: None,
            image_metadata: None,
            image: Some(FaceImage::from_bytes(FACE.to_vec()).unwrap()),
            image_path: None,
            device: None,
            client_address: None,
            attestation: None,
            created_at,
        },
        audit_entry: entry(created_at),
        command: "UpdateLivenessCheckCommand",
        idempotency_key: None,
        traceparent: None,
    };
    wait(store.checks().record(recording)).unwrap().check.id
}

/// Runs another handler at once, and tells the test how it ended.
struct Once<H> {
    handler: H,
    ended: Mutex<Sender<Result<JobDone, JobError>>>,
}

impl<H: JobHandler> JobHandler for Once<H> {
    fn kind(&self) -> JobKind {
        self.handler.kind()
    }

    fn run(&self, job: &RunningJob) -> Result<JobDone, JobError> {
        let ended = self.handler.run(job);
        let _ = self.ended.lock().unwrap().send(ended.clone());
        ended
    }
}

pub(super) fn sealing_store(folder: &TempDir) -> Store {
    let place = |name| format!("sqlite://{}", folder.path().join(name).display());
    let keeper = FileKeeper::open(&folder.path().join("face-keys")).unwrap();
    let keys = FaceKeys::open(&place("keys.db"), Arc::new(keeper)).unwrap();
    let store = Store::open(&place("liveness.db"))
        .unwrap()
        .with_sealed_faces(keys)
        .unwrap();
    store.migrate().unwrap();
    store
}

/// Runs a job of this handler, and returns how it ended.
pub(super) fn run(store: &Store, handler: impl JobHandler) -> Result<JobDone, JobError> {
    let (ended, ends) = channel();
    let kind = handler.kind();
    let once = Once {
        handler,
        ended: Mutex::new(ended),
    };
    let runner = JobRunner::start(store, vec![Box::new(once)], JobSettings::default()).unwrap();
    let job = liveness_core::jobs::NewJob::of(kind);
    wait(store.jobs().enqueue(vec![job])).unwrap();
    let ended = ends.recv_timeout(Duration::from_secs(30)).unwrap();
    runner.stop(Duration::from_secs(30));
    ended
}

pub(super) fn wait<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.unwrap().block_on(future)
}

#[test]
fn the_jobs_of_faces_are_made_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let store = sealing_store(&folder);
    let metrics = Metrics::default();
    let runner = start(&store, "a trail".to_owned(), &Policy::record(), &metrics);
    let runner = Arc::new(runner.unwrap());
    metrics.show_jobs(Arc::clone(&runner));
    while runner.counts().is_empty() {
        std::thread::yield_now();
    }
    runner.stop(Duration::ZERO);

    let text = metrics.to_prometheus_text().unwrap();
    for kind in ["faces.rotate", "faces.sweep-keys", "sessions.sweep"] {
        for (name, value) in [("waiting", 1), ("dead", 0), ("late_seconds", 0)] {
            let line = format!("\nliveness_jobs_{name}{{kind=\"{kind}\"}} {value}\n");
            assert!(text.contains(&line), "{line} {text}");
        }
    }
    let jobs = wait(store.jobs().list(0, 9)).unwrap();
    let rotation = jobs.iter().find(|job| job.kind == ROTATE_FACE_KEYS.name()).unwrap();
    let month = rotation.created_at.plus_millis(30 * 24 * 60 * 60 * 1000);
    assert_eq!((jobs.len(), rotation.run_at), (4, month));
}

#[test]
fn without_keys_no_job_of_faces_is_made() {
    let store = Store::in_memory().unwrap();
    store.migrate().unwrap();
    let metrics = Metrics::default();
    let runner = start(&store, "a trail".to_owned(), &Policy::record(), &metrics).unwrap();
    runner.stop(Duration::ZERO);
    let kinds: Vec<_> = wait(store.jobs().list(0, 9))
        .unwrap()
        .into_iter()
        .map(|job| job.kind)
        .collect();
    assert!(kinds.iter().all(|kind| kind == "sessions.sweep"), "{kinds:?}");
    assert!(run(&store, RotateFaceKeys { every: Some(DAY) }).unwrap_err().is_final());
}
