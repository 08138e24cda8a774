//! What SQLite can do on this disk: one thread that inserts rows of the peers' table, durably, with nothing above it.
//!
//! `limit-storage FILE SECONDS ROWS_PER_TRANSACTION IMAGE_BYTES` prints rows per second, and what a transaction took in
//! milliseconds: the median and the 99th percentile.

use std::error::Error;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

const SCHEMA: &str = include_str!("../../schema.sqlite.sql");
const INSERT: &str = r#"
    INSERT INTO liveness_checks (user_id, session_id, is_successful, verification_result, session_duration, lighting_value,
        challenge_count, completed_challenges, challenges, final_verification_result, final_session_duration,
        final_lighting_value, image_media_type, completed_at, created_at, device_info, client_ip, image_bytes)
    VALUES (?1, ?2, 1, 1, 12500, 0.72, 3, '["BLINK","SMILE","TURN_LEFT"]', '["BLINK","SMILE","TURN_LEFT"]', 1, 12500, 0.72,
        'image/jpeg', '2025-01-15T10:00:12.500Z', '2025-01-15T10:00:13.000Z',
        '{"device":"Pixel 8","os":"Android 15"}', '127.0.0.1', ?3)"#;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [file, seconds, rows_per_transaction, image_bytes] = &*arguments else {
        return Err("usage: limit-storage FILE SECONDS ROWS_PER_TRANSACTION IMAGE_BYTES".into());
    };
    let (rows_per_transaction, span) = (rows_per_transaction.parse()?, Duration::from_secs(seconds.parse()?));
    let image = match image_bytes.parse()? {
        0 => None,
        size => Some(noise(size)),
    };
    let mut db = Connection::open(file)?;
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")?;
    db.execute_batch(SCHEMA)?;
    db.execute_batch(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
         INSERT INTO users SELECT i, 'User', 'user@example.com', i FROM n",
    )?;

    let (begun, mut took, mut rows) = (Instant::now(), Vec::new(), 0_i64);
    while begun.elapsed() < span {
        let transaction_begun = Instant::now();
        let transaction = db.transaction()?;
        for _ in 0..rows_per_transaction {
            let mut insert = transaction.prepare_cached(INSERT)?;
            insert.execute(params![rows % 10_000 + 1, format!("session-{rows:09}"), image])?;
            rows += 1;
        }
        transaction.commit()?;
        took.push(transaction_begun.elapsed());
    }
    let rows_per_second = rows as f64 / begun.elapsed().as_secs_f64();
    took.sort_unstable();
    let millis = |part: usize| took[(took.len() - 1) * part / 100].as_secs_f64() * 1e3;
    println!("{rows_per_second:.1} {:.3} {:.3}", millis(50), millis(99));
    Ok(())
}

/// Bytes that do not compress (xorshift).
fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(size).collect()
}
