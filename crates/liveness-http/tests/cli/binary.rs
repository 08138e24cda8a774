//! The binary in a folder with a database, and what it left there.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use liveness_core::store::{Recording, Store};
use liveness_core::{
    AuditEntry, AuditSubject, CaptureMetrics, Claims, FaceImage, NewLivenessCheck, SessionId, SessionMetrics,
    Timestamp, UserReference,
};

use crate::engine::{Database, Engine};

/// A key for tokens.
pub const SECRET: &str = "a test secret of more than thirty-two bytes";
/// 2026-03-22T14:00:05Z
pub const NOW: i64 = 1_774_188_005_000;

/// How a run of the binary ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// Its code and the one line that it told.
    pub fn failure(&self) -> (Option<i32>, &str) {
        assert_eq!(self.err.lines().count(), 1, "{self:?}");
        (self.code, self.err.strip_prefix("liveness-http: ").unwrap().trim_end())
    }

    /// What it printed, where all went well and nothing was complained of.
    pub fn good(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{self:?}");
        self.out
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The binary with these arguments in a folder, and a clean environment.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_liveness-http"));
    command.args(arguments).current_dir(folder).env_clear();
    command
}

/// Runs it without a database.
pub fn run(arguments: &[&str]) -> Ended {
    run_with(arguments, &[])
}

/// The same with settings.
pub fn run_with(arguments: &[&str], settings: &[(&str, &str)]) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings.iter().copied();
    command(folder.path(), arguments)
        .envs(settings)
        .output()
        .unwrap()
        .into()
}

/// A database, and the folder that the binary is run in.
pub struct Place(pub Database);

impl Place {
    /// With nothing in it.
    pub fn empty(engine: Engine) -> Self {
        Self(Database::create(engine))
    }

    /// With the schema.
    pub fn new(engine: Engine) -> Self {
        let place = Self::empty(engine);
        place.store().migrate().unwrap();
        place
    }

    pub fn store(&self) -> Store {
        self.0.store()
    }

    /// The binary on this database.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(self.0.folder(), arguments);
        command.envs(self.0.settings());
        command
    }

    /// Runs it.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.command(arguments).output().unwrap().into()
    }

    /// Runs it with something to read.
    pub fn run_on(&self, arguments: &[&str], input: &[u8]) -> Ended {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        // Whoever refuses the header does not read the rest.
        let _ = process.stdin.take().unwrap().write_all(input);
        process.wait_with_output().unwrap().into()
    }

    /// Puts a file into the folder.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.folder().join(name), text).unwrap();
    }

    /// Reads one.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.folder().join(name)).unwrap()
    }

    /// Records a check, so many seconds after `NOW`.
    pub fn record(&self, user: i64, session: &str, second: i64, face: Option<&[u8]>) {
        let store = self.store();
        block_on(store.checks().record(recording(user, session, second, face))).unwrap();
    }

    /// What the entries of a subcommand say, and the user of each, oldest first.
    pub fn told_by(&self, command: &str) -> Vec<(AuditSubject, Option<i64>)> {
        let mut entries = block_on(self.store().trail().newest(10_000)).unwrap();
        entries.reverse();
        entries.retain(|entry| entry.message == command);
        let told = entries.into_iter();
        told.map(|entry| (entry.subject, entry.self_service_user_id)).collect()
    }

    /// What was done to users by a subcommand, in the words of its entries, and why: oldest first.
    pub fn done_to_users(&self, command: &str) -> Vec<(String, Option<String>, i64)> {
        let told = self.told_by(command).into_iter();
        let done = |(subject, user): (AuditSubject, Option<i64>)| {
            Some((subject.shown.detail.unwrap_or_default(), subject.shown.purpose, user?))
        };
        told.filter_map(done).collect()
    }

    /// Of all audit entries, oldest first: principal, message, user.
    pub fn audit(&self) -> Vec<(String, String, Option<i64>)> {
        let mut entries = block_on(self.store().trail().newest(10_000)).unwrap();
        entries.reverse();
        let entry = |entry: AuditEntry| (entry.principal, entry.message.into_owned(), entry.self_service_user_id);
        entries.into_iter().map(entry).collect()
    }
}

/// Waits for a future of the store.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    actix_web::rt::System::new().block_on(future)
}

/// A check to record, so many seconds after `NOW`.
pub fn recording(user: i64, session: &str, second: i64, face: Option<&[u8]>) -> Recording {
    let created_at = Timestamp::from_unix_millis(NOW + second * 1000).unwrap();
    Recording {
        check: NewLivenessCheck {
            user: Claims::of(UserReference::Id(user)).to_user(user),
            session_id: SessionId::parse(session).unwrap(),
            issued_session_id: None,
            is_successful: true,
            metrics: SessionMetrics::default(),
            image_metrics: CaptureMetrics::default(),
            metadata: None,
            image_metadata: None,
            image: face.map(|bytes| FaceImage::from_bytes(bytes.to_vec()).unwrap()),
            image_path: None,
            device: None,
            client_address: None,
            attestation: None,
            created_at,
        },
        audit_entry: AuditEntry {
            at: created_at,
            request_id: "request".into(),
            principal: user.to_string(),
            issuer: None,
            actor: None,
            roles: "customer".into(),
            self_service_user_id: Some(user),
            message: "SubmitLivenessCheckCommand".into(),
            outcome: "00".into(),
            client_address: None,
            subject: AuditSubject::default(),
        },
        command: "SubmitLivenessCheckCommand",
        idempotency_key: None,
        traceparent: None,
    }
}
