//! Fills a database with records that look like real ones, to see how a large database behaves.
//!
//! ```text
//! cargo run --release --example fill -- sqlite:///tmp/large.db 5000000
//! cargo run --release --example fill -- postgres://user@localhost/large 5000000 --faces 10000
//! ```
//!
//! If the database has records, more records are added. `fill.sql` makes the records inside the database and does not
//! wait for the disk. With `--faces N`, each of the last N users gets one more record, with a face of 60 KB. One more
//! user gets 10,000 records in all.

use std::error::Error;
use std::io::Write as _;
use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use liveness_core::store::{CheckFilter, PageRequest, Recording, Store};
use liveness_core::{
    AuditEntry, AuditSubject, CaptureMetrics, Claims, Clock as _, FaceImage, NewLivenessCheck, SessionId,
    SessionMetrics, SystemClock, Timestamp, UserReference,
};
use tokio::task::JoinSet;

/// The records are spread over two years.
const SPAN_MILLIS: i64 = 2 * 365 * 24 * 60 * 60 * 1000;
/// The number of records in one transaction.
const CHUNK: i64 = 100_000;
/// The id of a user with more records than any real user.
const FREQUENT_USER: i64 = 1 << 40;
/// The number of records of that user. Each session has ten of them.
const FREQUENT_RECORDS: i64 = 10_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let (url, records, faces) = match &*arguments {
        [url, records] => (url, records.parse()?, 0),
        [url, records, flag, faces] if flag == "--faces" => (url, records.parse()?, faces.parse()?),
        _ => return Err("usage: fill DATABASE_URL RECORDS [--faces NUMBER]".into()),
    };
    let store = Store::open(url)?;
    store.migrate()?;
    let begun = Instant::now();
    let before = total(&store).await?;
    if let Some(path) = url.strip_prefix("sqlite://") {
        let mut conn = SqliteConnection::establish(path)?;
        conn.batch_execute("PRAGMA synchronous = OFF; PRAGMA cache_size = -2000000; PRAGMA temp_store = MEMORY")?;
        let words = (
            "0",
            "zeroblob(32)",
            "CAST(mixed || ' is the digest of an image' AS BLOB)",
        );
        fill(&mut conn, words, before, records)?;
        conn.batch_execute("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)")?;
    } else {
        let mut conn = PgConnection::establish(url)?;
        conn.batch_execute("SET synchronous_commit = off; SET work_mem = '256MB'; SET maintenance_work_mem = '512MB'")?;
        let digest = "convert_to(mixed || ' is the digest of an image', 'UTF8')";
        let words = ("false", "decode(repeat('00', 32), 'hex')", digest);
        fill(&mut conn, words, before, records)?;
        conn.batch_execute("VACUUM ANALYZE")?;
        conn.batch_execute("CHECKPOINT")?;
    }
    let last_user = (before + records) / 3;
    let with_face = |user: i64| with_face(user, &format!("face-{user}"));
    record(&store, ((last_user - faces).max(0) + 1..=last_user).map(with_face)).await?;
    add_frequent_user(&store).await?;
    let (total, seconds) = (total(&store).await?, begun.elapsed().as_secs_f64());
    writeln!(
        std::io::stdout(),
        "{total} records; filled in {seconds:.0} s, {:.0} a second",
        records as f64 / seconds
    )?;
    Ok(())
}

async fn total(store: &Store) -> Result<i64, Box<dyn Error>> {
    let one = PageRequest { number: 1, size: 1 };
    Ok(store.checks().page(CheckFilter::default(), one).await?.total)
}

fn fill(
    conn: &mut impl SimpleConnection,
    (no, fingerprint, digest): (&str, &str, &str),
    before: i64,
    records: i64,
) -> Result<(), Box<dyn Error>> {
    let step = (SPAN_MILLIS / records.max(1)).max(1);
    let begin = SystemClock.now().unix_millis() - step * records;
    for from in (before..before + records).step_by(usize::try_from(CHUNK)?) {
        let to = (from + CHUNK).min(before + records) - 1;
        let chunk = include_str!("fill.sql")
            .replace("$FROM", &from.to_string())
            .replace("$TO", &to.to_string())
            .replace("$FIRST", &before.to_string())
            .replace("$BEGIN", &begin.to_string())
            .replace("$STEP", &step.to_string())
            .replace("$FALSE", no)
            .replace("$FINGERPRINT", fingerprint)
            .replace("$DIGEST", digest);
        conn.batch_execute(&format!("BEGIN; {chunk} COMMIT"))?;
        writeln!(std::io::stderr(), "{} of {records} records", to + 1 - before)?;
    }
    Ok(())
}

async fn record(
    store: &Store,
    recordings: impl Iterator<Item = Result<Recording, Box<dyn Error>>>,
) -> Result<(), Box<dyn Error>> {
    let mut calls = JoinSet::new();
    for recording in recordings {
        let (store, recording) = (store.clone(), recording?);
        calls.spawn(async move { store.checks().record(recording).await });
        if calls.len() >= 64 {
            calls.join_next().await.transpose()?.transpose()?;
        }
    }
    for recorded in calls.join_all().await {
        recorded?;
    }
    Ok(())
}

/// Adds the records of the user with many records. They are older than the records of all other users, which stay the
/// newest.
async fn add_frequent_user(store: &Store) -> Result<(), Box<dyn Error>> {
    let filter = CheckFilter {
        self_service_user_id: Some(FREQUENT_USER),
        ..CheckFilter::default()
    };
    let known = store
        .checks()
        .page(filter, PageRequest { number: 1, size: 1 })
        .await?
        .total;
    let recordings = (known..FREQUENT_RECORDS).map(|number| {
        let mut recording = recording(FREQUENT_USER, &format!("frequent-{}", number / 10))?;
        let early = Timestamp::from_unix_millis(1_500_000_000_000 + number * 60_000);
        recording.check.created_at = early.ok_or("the time is out of range")?;
        // No record has passed, so the status query finds nothing among all of them.
        recording.check.is_successful = false;
        Ok(recording)
    });
    record(store, recordings).await
}

fn with_face(user: i64, session: &str) -> Result<Recording, Box<dyn Error>> {
    // 60 KB that begin as a JPEG of one pixel and cannot be compressed.
    const JPEG: &[u8] = b"\xFF\xD8\xFF\xC0\0\x0B\x08\0\x01\0\x01\x01\x01\x11\0";
    let noise = (user..user + 7500).flat_map(|n| n.wrapping_mul(0x5851_F42D_4C95_7F2D).rotate_left(31).to_le_bytes());
    let mut recording = recording(user, session)?;
    recording.check.image = Some(FaceImage::from_bytes(JPEG.iter().copied().chain(noise).collect())?);
    Ok(recording)
}

fn recording(user: i64, session: &str) -> Result<Recording, Box<dyn Error>> {
    let created_at = SystemClock.now();
    let verified = CaptureMetrics {
        verification_result: Some(true),
        ..CaptureMetrics::default()
    };
    Ok(Recording {
        check: NewLivenessCheck {
            user: Claims::of(UserReference::Id(user)).to_user(user),
            session_id: SessionId::parse(session)?,
            issued_session_id: None,
            is_successful: true,
            metrics: SessionMetrics {
                run: verified,
                ..SessionMetrics::default()
            },
            image_metrics: verified,
            metadata: None,
            image_metadata: None,
            image: None,
            image_path: None,
            device: None,
            client_address: None,
            attestation: None,
            created_at,
        },
        audit_entry: AuditEntry {
            at: created_at,
            request_id: format!("fill-{session}"),
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
    })
}
