//! When checkpoints of the trail are signed, and a signer that is not a key in memory, and fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use liveness_core::FixedClock;
use liveness_core::store::{TrailKeeper, TrailPart};
use liveness_core::trail::{KeyError, MacKey, SignerError, TrailKey, TrailSigner, TrailVerifier};

use crate::database::{Database, on_each_engine};
use crate::samples::{NOW, at, audit_entry, recording};

/// A key that is out of reach at times, or gives signatures that are none.
#[derive(Debug)]
struct Unsteady {
    key: TrailKey,
    is_away: AtomicBool,
    is_wrong: AtomicBool,
}

impl Unsteady {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            key: TrailKey::generate().unwrap().key,
            is_away: AtomicBool::new(false),
            is_wrong: AtomicBool::new(false),
        })
    }
}

impl TrailSigner for Unsteady {
    fn verifier(&self) -> &TrailVerifier {
        self.key.verifier()
    }

    fn sign(&self, text: &[u8]) -> Result<[u8; 64], SignerError> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(SignerError {
                problem: "the key service does not answer".to_owned(),
                mend: "see its log".to_owned(),
            });
        }
        let is_wrong = self.is_wrong.load(Ordering::Relaxed);
        Ok(if is_wrong { [7; 64] } else { self.key.sign(text) })
    }

    fn entry_mac_key(&self) -> Result<MacKey, KeyError> {
        self.key.entry_mac_key()
    }
}

/// How many entries are in the log, signed or not.
fn logged(database: &Database) -> i64 {
    database.number("SELECT size FROM liveness_trail_head")
}

async fn entries_are_put_into_the_log_while_its_signer_fails(database: Database) {
    let signer = Unsteady::new();
    let trail = database.store.trail();
    trail.sign_entries(&signer).unwrap();
    database.record(recording(1, "one")).await;
    for (is_away, is_wrong, told, expected) in [
        (true, false, "the key service does not answer; see its log", 2),
        (false, true, "what the signer of the trail signs is not good", 3),
    ] {
        signer.is_away.store(is_away, Ordering::Relaxed);
        signer.is_wrong.store(is_wrong, Ordering::Relaxed);
        let keeper = trail.keep(Arc::clone(&signer), false).unwrap();
        keeper.stop();
        let state = keeper.state();
        assert!(
            state.unsigned.as_ref().is_some_and(|why| why.starts_with(told)),
            "{state:?}"
        );
        assert_eq!((state.checkpoint, state.failure, state.found), (None, None, 0));
        assert_eq!(logged(&database), expected);
        trail.append(audit_entry(1)).await.unwrap();
    }

    signer.is_wrong.store(false, Ordering::Relaxed);
    let keeper = trail.keep(Arc::clone(&signer), false).unwrap();
    keeper.stop();

    assert_eq!((keeper.state().unsigned, keeper.state().size), (None, 4));
    let verified = trail.verify(&signer, false, TrailPart::WHOLE, |_, _| {}).unwrap();
    assert_eq!((verified.size, verified.signed), (4, 4));
    assert_eq!(verified.findings, [""; 0]);
}

async fn a_signer_that_is_asked_keeps_nobody_from_writing(database: Database) {
    let signer = Arc::new(Slow {
        key: TrailKey::generate().unwrap().key,
        asked: std::sync::Barrier::new(2),
        answers: std::sync::Barrier::new(2),
    });
    let keeper = database.store.trail().keep(Arc::clone(&signer), false).unwrap();
    signer.asked.wait();
    // On SQLite there is one writer, and who holds a transaction open holds it.
    database.record(recording(1, "one")).await;
    signer.answers.wait();
    // The entry of the record is in the last checkpoint.
    let signing = std::thread::spawn(move || {
        signer.asked.wait();
        signer.answers.wait();
    });
    keeper.stop();
    signing.join().unwrap();
    assert_eq!((keeper.state().size, keeper.state().found), (2, 0));
}

/// Waits until something is so.
async fn until(is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "it is not so after 30 s");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Writes two entries, one after the other is in the log. Whatever follows the first from the keeper's thread is then done.
async fn log_two(database: &Database) {
    for _ in 0..2 {
        let before = logged(database);
        database.store.trail().append(audit_entry(1)).await.unwrap();
        until(|| logged(database) > before).await;
    }
}

fn newest(keeper: &TrailKeeper) -> (u64, Option<i64>) {
    let state = keeper.state();
    (state.size, state.checkpoint_at.map(|at| at.unix_millis()))
}

async fn a_checkpoint_is_signed_every_10_s_while_the_log_grows_and_every_10_min_otherwise(database: Database) {
    const SECOND: i64 = 1000;
    let clock = Arc::new(FixedClock::at(at(NOW)));
    let key = TrailKey::generate().unwrap().key;
    let keeper = database.store.trail().keep_by(key, false, clock.clone()).unwrap();
    // The first one is that of the leaf which says where the log begins.
    until(|| newest(&keeper) == (1, Some(NOW))).await;

    log_two(&database).await;
    clock.advance(10 * SECOND - 1);
    log_two(&database).await;
    assert_eq!((logged(&database), newest(&keeper)), (5, (1, Some(NOW))));
    clock.advance(1);
    until(|| newest(&keeper) == (5, Some(NOW + 10 * SECOND))).await;

    // Nothing is new, and nothing is written meanwhile: the next look finds what is due.
    clock.advance(600 * SECOND);
    until(|| newest(&keeper) == (5, Some(NOW + 610 * SECOND))).await;
    // A clock that was set back keeps no entry waiting.
    clock.advance(-300 * SECOND);
    log_two(&database).await;
    assert_eq!(newest(&keeper), (6, Some(NOW + 310 * SECOND)));
    keeper.stop();
    assert_eq!((keeper.state().failure, keeper.found()), (None, 0));
}

/// A signer that answers when it is told to.
#[derive(Debug)]
struct Slow {
    key: TrailKey,
    asked: std::sync::Barrier,
    answers: std::sync::Barrier,
}

impl TrailSigner for Slow {
    fn verifier(&self) -> &TrailVerifier {
        self.key.verifier()
    }

    fn sign(&self, text: &[u8]) -> Result<[u8; 64], SignerError> {
        self.asked.wait();
        self.answers.wait();
        Ok(self.key.sign(text))
    }

    fn entry_mac_key(&self) -> Result<MacKey, KeyError> {
        self.key.entry_mac_key()
    }
}

on_each_engine! {
    a_checkpoint_is_signed_every_10_s_while_the_log_grows_and_every_10_min_otherwise,
    entries_are_put_into_the_log_while_its_signer_fails,
    a_signer_that_is_asked_keeps_nobody_from_writing,
}
