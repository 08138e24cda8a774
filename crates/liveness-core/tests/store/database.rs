//! A database for one test, and something to record in it.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up ends there")]

use std::path::PathBuf;

use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection as _, RunQueryDsl as _, SqliteConnection};
use liveness_core::store::{Recorded, Recording, Store};
use liveness_core::{
    AuditEntry, CaptureMetrics, Claims, FaceImage, IdempotencyKey, NewLivenessCheck, SessionId, SessionMetrics,
    Timestamp, UserReference,
};
use tempfile::TempDir;

/// 2026-03-22T14:00:05Z
pub(crate) const NOW: i64 = 1_774_188_005_000;
pub(crate) const HOUR: i64 = 60 * 60 * 1000;

/// A store on a file, and a folder that ends with it.
pub(crate) struct Database {
    pub(crate) store: Store,
    folder: TempDir,
}

impl Database {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&format!("sqlite://{}/liveness.db", folder.path().display())).unwrap();
        store.migrate().unwrap();
        Self { store, folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("liveness.db")
    }

    /// A connection beside those of the store.
    pub(crate) fn connect(&self) -> SqliteConnection {
        SqliteConnection::establish(&self.path().to_string_lossy()).unwrap()
    }

    pub(crate) fn execute(&self, statement: &str) {
        self.connect().batch_execute(statement).unwrap();
    }

    pub(crate) fn number(&self, query: &str) -> i64 {
        sql::<BigInt>(query).get_result(&mut self.connect()).unwrap()
    }

    pub(crate) fn texts(&self, query: &str) -> Vec<String> {
        sql::<Text>(query).load(&mut self.connect()).unwrap()
    }

    /// How many checks, images, sessions, idempotency keys and audit entries there are.
    pub(crate) fn rows(&self) -> [i64; 5] {
        ["checks", "images", "sessions", "idempotency_keys", "audit_entries"]
            .map(|table| self.number(&format!("SELECT count(*) FROM liveness_{table}")))
    }

    pub(crate) async fn record(&self, recording: Recording) -> Recorded {
        self.store.record(recording).await.unwrap()
    }
}

/// A migrated store without a file.
pub(crate) fn in_memory() -> Store {
    let store = Store::in_memory().unwrap();
    store.migrate().unwrap();
    store
}

pub(crate) fn at(unix_millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(unix_millis).unwrap()
}

/// A successful run with nothing optional in it.
pub(crate) fn recording(user: i64, session: &str) -> Recording {
    Recording {
        check: NewLivenessCheck {
            user: Claims::of(UserReference::Id(user)).to_user(user),
            session_id: SessionId::parse(session).unwrap(),
            is_successful: true,
            metrics: SessionMetrics::default(),
            image_metrics: CaptureMetrics::default(),
            metadata: None,
            image_metadata: None,
            image: None,
            image_path: None,
            device: None,
            client_address: None,
            created_at: at(NOW),
        },
        audit_entry: audit_entry(user),
        command: "SubmitLivenessCheckCommand",
        idempotency_key: None,
    }
}

/// The same under an idempotency key, with the body that the key stands for.
pub(crate) fn keyed(user: i64, session: &str, key: &str, body: &str) -> Recording {
    Recording {
        idempotency_key: Some(IdempotencyKey::parse(key, body.as_bytes()).unwrap()),
        ..recording(user, session)
    }
}

pub(crate) fn audit_entry(user: i64) -> AuditEntry {
    AuditEntry {
        at: at(NOW),
        request_id: "request-1".into(),
        principal: user.to_string(),
        roles: "customer".into(),
        self_service_user_id: Some(user),
        message: "SubmitLivenessCheckCommand".into(),
        outcome: "00".into(),
        client_address: None,
    }
}

/// Something that is a JPEG by its signature, with every byte in it.
pub(crate) fn jpeg() -> FaceImage {
    let every_byte = (0..=255).cycle().take(70_000);
    FaceImage::from_bytes([0xFF, 0xD8, 0xFF].into_iter().chain(every_byte).collect()).unwrap()
}
