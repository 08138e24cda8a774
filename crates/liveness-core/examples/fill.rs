//! Fills a database with records that look like a pension portal's, to see how it behaves when it is large.
//!
//! ```text
//! cargo run --release --example fill -- sqlite:///tmp/large.db 5000000
//! cargo run --release --example fill -- postgres://user@localhost/large 5000000 --faces 10000
//! ```
//!
//! A database that has records gets more. Every third record is of a new user; one in eight failed; every fourth user
//! came from one campaign's pre-registration, most others from one of their own. Of the records, the last `--faces` have
//! a face of 60 KB (none unless it is said).

use std::error::Error;
use std::io::Write as _;
use std::time::Instant;

use liveness_core::store::{CheckFilter, GroupCommit, PageRequest, Recording, Store, StoreError, StoreSettings};
use liveness_core::{
    AuditEntry, CaptureMetrics, ChallengeCount, Challenges, Claims, Clock as _, DeviceInfo, FaceImage, IdempotencyKey,
    LightingValue, NewLivenessCheck, ReceivedObject, SessionDuration, SessionId, SessionMetrics, SystemClock,
    Timestamp, User, UserReference,
};
use tokio::task::JoinSet;

/// Two years, over which the records are spread.
const SPAN_MILLIS: i64 = 2 * 365 * 24 * 60 * 60 * 1000;
/// The pre-registration of every fourth user.
const CAMPAIGN: i64 = 7;
/// Calls at once.
const CALLERS: u64 = 4096;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let (url, records, faces) = match &*arguments {
        [url, records] => (url, records.parse()?, 0),
        [url, records, flag, faces] if flag == "--faces" => (url, records.parse()?, faces.parse()?),
        _ => return Err("usage: fill DATABASE_URL RECORDS [--faces NUMBER]".into()),
    };
    let group_commit = GroupCommit {
        batch: 1000,
        queue: 8192,
        queue_bytes: 1 << 30,
    };
    let store = Store::open_with(
        url,
        StoreSettings {
            group_commit,
            ..StoreSettings::default()
        },
    )?;
    store.migrate()?;
    fill(&store, records, faces).await
}

async fn fill(store: &Store, records: u64, faces: u64) -> Result<(), Box<dyn Error>> {
    let one = PageRequest { number: 1, size: 1 };
    let before = u64::try_from(store.checks(CheckFilter::default(), one).await?.total)?;
    let (begun, now) = (Instant::now(), SystemClock.now());
    let mut calls = JoinSet::new();
    for number in before..before + records {
        let age = SPAN_MILLIS / i64::try_from(records)? * i64::try_from(before + records - number)?;
        let has_face = before + records - number <= faces;
        let record = Sample { number, has_face, created_at: now.plus_millis(-age) };
        let store = store.clone();
        calls.spawn(async move { record.write(&store).await });
        if u64::try_from(calls.len())? >= CALLERS {
            calls.join_next().await.transpose()?.transpose()?;
        }
        let done = number + 1 - before;
        if done.is_multiple_of(records.div_ceil(20)) || done == records {
            let each_second = done as f64 / begun.elapsed().as_secs_f64();
            writeln!(std::io::stderr(), "{done} of {records} records, {each_second:.0} a second")?;
        }
    }
    for written in calls.join_all().await {
        written?;
    }
    let total = store.checks(CheckFilter::default(), one).await?.total;
    writeln!(std::io::stdout(), "{total} records, {:.0} s", begun.elapsed().as_secs_f64())?;
    Ok(())
}

/// One record, made from its number.
struct Sample {
    number: u64,
    has_face: bool,
    created_at: Timestamp,
}

impl Sample {
    async fn write(self, store: &Store) -> Result<(), StoreError> {
        let user = self.user();
        if self.number.is_multiple_of(3) {
            store.add_user(user.clone(), self.created_at).await?;
        }
        store.record(self.recording(user)).await.map(drop)
    }

    /// Three records are of one user.
    fn user(&self) -> User {
        let id = self.number.cast_signed() / 3 + 1;
        let mut claims = Claims::of(UserReference::Id(id));
        claims.given_name = Some(format!("Given{}", id % 997));
        claims.family_name = Some(format!("Family{}", id % 9973));
        claims.email = Some(format!("user{id}@example.com"));
        claims.pre_registration_id = match id % 4 {
            0 => Some(CAMPAIGN),
            1 => None,
            _ => Some(1000 + id),
        };
        claims.to_user(id)
    }

    #[expect(clippy::unwrap_used, reason = "every value here is valid")]
    fn recording(&self, user: User) -> Recording {
        // Fibonacci hashing: session ids come in no order.
        let mixed = self.number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let session_id = SessionId::parse(&format!("sdk-session-{mixed:016x}")).unwrap();
        let is_real = !mixed.is_multiple_of(8);
        let names = ["BLINK", "SMILE", "TURN_LEFT"].map(str::to_owned);
        let capture = CaptureMetrics {
            verification_result: Some(is_real),
            session_duration: Some(SessionDuration::from_millis(3000 + (mixed % 4000).cast_signed()).unwrap()),
            lighting_value: Some(LightingValue::new((mixed % 100) as f64 / 100.0).unwrap()),
        };
        let metadata = format!(
            r#"{{"sdkVersion":"4.2.1","device":"{mixed:x}","verificationResult":{is_real},"frames":[{}]}}"#,
            "0.91,".repeat(60).trim_end_matches(',')
        );
        let metadata = ReceivedObject::parse(serde_json::value::RawValue::from_string(metadata).unwrap()).unwrap();
        let key = IdempotencyKey::parse(&format!("{mixed:032x}"), &mixed.to_le_bytes()).unwrap();
        Recording {
            audit_entry: self.audit_entry(&user),
            check: NewLivenessCheck {
                user,
                session_id,
                is_successful: is_real,
                metrics: SessionMetrics {
                    timestamp: Some(self.created_at.unix_millis()),
                    completed_at: Some(self.created_at),
                    run: capture,
                    challenge_count: Some(ChallengeCount::new(3).unwrap()),
                    completed_challenges: Some(Challenges::parse(&names).unwrap()),
                    challenges: Some(Challenges::parse(&names).unwrap()),
                    final_capture: capture,
                },
                image_metrics: capture,
                metadata: Some(metadata),
                image_metadata: None,
                image: self.has_face.then(|| face(mixed)),
                image_path: None,
                device: Some(DeviceInfo {
                    user_agent: Some("Portal/7.1 (Android 16; Pixel 11)".into()),
                    device_platform: Some("android".into()),
                    app_version: Some("7.1.0".into()),
                }),
                client_address: Some("41.58.12.100".parse().unwrap()),
                created_at: self.created_at,
            },
            command: "SubmitLivenessCheckCommand",
            idempotency_key: Some(key),
        }
    }

    fn audit_entry(&self, user: &User) -> AuditEntry {
        AuditEntry {
            at: self.created_at,
            request_id: format!("fill-{}", self.number),
            principal: user.id.to_string(),
            roles: "customer".into(),
            self_service_user_id: Some(user.id),
            message: "SubmitLivenessCheckCommand".into(),
            outcome: "00".into(),
            client_address: None,
        }
    }
}

/// 60 KB that a JPEG's signature begins, and that do not compress.
#[expect(clippy::unwrap_used, reason = "it begins as a JPEG does")]
fn face(seed: u64) -> FaceImage {
    let noise = (0..7500_u64).flat_map(|n| (seed ^ n).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31).to_le_bytes());
    FaceImage::from_bytes([0xFF, 0xD8, 0xFF].into_iter().chain(noise).collect()).unwrap()
}
