//! A writer of entries: its name, and its count of the entries that it has written.
//!
//! The count has no gaps, and goes on only when a transaction is durable. So an entry that is taken away or put in before it
//! is in the log leaves a gap, or a number twice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use aws_lc_rs::rand;

use crate::store::engine::error::StoreError;
use crate::store::queue::group_commit::WriterSession;
use crate::store::queue::wake_ups::WakeUps;
use crate::trail::MacKey;

/// The bytes of a writer's name.
pub(crate) const NAME: usize = 16;

/// How often a writer tells the database that it is there, so that the integrator looks for its entries.
const TOLD_AGAIN_AFTER: Duration = Duration::from_secs(60 * 60);
/// How long the integrator looks for entries of a writer that writes nothing, in milliseconds.
pub(crate) const FORGOTTEN_AFTER: i64 = 24 * 60 * 60 * 1000;

/// Which entries were written by who may write them.
#[derive(Debug)]
pub(crate) struct EntryTrust {
    /// The key that proves who writes an entry.
    pub(crate) key: MacKey,
    /// Whether entries count that were written without the key.
    pub(crate) accepts_unsigned: bool,
}

impl EntryTrust {
    /// Whether an entry was written by who has the key, or needs no key.
    pub(crate) fn is_signed(&self, writer: &[u8], count: i64, leaf_hash: &[u8], mac: Option<&[u8]>) -> bool {
        match mac {
            Some(mac) => self.key.verify(&signed_bytes(writer, count, leaf_hash), mac).is_ok(),
            None => self.accepts_unsigned,
        }
    }
}

/// What the MAC of an entry is made over. It has the entry's place, so that no copy of an entry is good in another place.
fn signed_bytes(writer: &[u8], count: i64, leaf_hash: &[u8]) -> Vec<u8> {
    [writer, &count.to_be_bytes(), leaf_hash].concat()
}

/// What the writers of a store share with its integrator, and with those who wait.
#[derive(Debug, Default)]
pub(crate) struct TrailLink {
    /// The key that proves who writes an entry. It is set once.
    pub(crate) key: OnceLock<MacKey>,
    /// Whether there are entries that the integrator has not looked for.
    pub(crate) has_new: AtomicBool,
    /// Whether somebody waits for a checkpoint that has all entries.
    pub(crate) wants_checkpoint: AtomicBool,
    /// Those who wait for something about a user to change.
    pub(crate) wake_ups: Arc<WakeUps>,
}

/// A writer of entries.
#[derive(Debug)]
pub(crate) struct EntryWriter {
    /// Empty until it is needed.
    name: Vec<u8>,
    /// How many of its entries are durable.
    written: i64,
    /// The same with the entries of the transaction that is being made.
    given: i64,
    /// When it told the database of itself.
    told_at: Option<Instant>,
    tells: bool,
    /// Whom the entries of the transaction that is being made are about.
    concerned: Vec<i64>,
    link: Arc<TrailLink>,
}

impl EntryWriter {
    /// A writer that nobody knows.
    pub(crate) fn new(link: Arc<TrailLink>) -> Self {
        Self {
            name: Vec::new(),
            written: 0,
            given: 0,
            told_at: None,
            tells: false,
            concerned: Vec::new(),
            link,
        }
    }

    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// Whether this transaction has to tell the database of the writer.
    pub(crate) fn tells(&self) -> bool {
        self.tells
    }

    /// Makes the writer ready for a transaction with entries.
    pub(crate) fn begin(&mut self) -> Result<(), StoreError> {
        self.tells = self.told_at.is_none_or(|told| told.elapsed() > TOLD_AGAIN_AFTER);
        if self.name.is_empty() {
            let mut name = vec![0; NAME];
            fill(&mut name)?;
            self.name = name;
        }
        self.given = self.written;
        Ok(())
    }

    /// The place of the next entry among those of this writer.
    pub(crate) fn next(&mut self) -> i64 {
        self.given += 1;
        self.given
    }

    /// Notes whom an entry of the transaction is about. Who waits for them is woken once it is durable.
    pub(crate) fn concerns(&mut self, user: Option<i64>) {
        self.concerned.extend(user);
    }

    /// The place of the last entry that it was given.
    pub(crate) fn given(&self) -> i64 {
        self.given
    }

    /// The proof that this writer has the key, if it has one.
    pub(crate) fn mac(&self, count: i64, leaf_hash: &[u8]) -> Option<Vec<u8>> {
        let key = self.link.key.get()?;
        Some(key.mac(&signed_bytes(&self.name, count, leaf_hash)).to_vec())
    }

    fn forget_name(&mut self) {
        *self = Self::new(Arc::clone(&self.link));
    }
}

impl WriterSession for EntryWriter {
    fn committed(&mut self) {
        if self.given > self.written {
            self.link.has_new.store(true, Ordering::Relaxed);
            if self.tells {
                self.told_at = Some(Instant::now());
            }
        }
        self.written = self.given;
        self.link.wake_ups.wake(self.concerned.drain(..));
    }

    fn rolled_back(&mut self) {
        self.given = self.written;
        self.concerned.clear();
    }

    fn is_unknown(&mut self) {
        self.link.wake_ups.wake(self.concerned.drain(..));
        // Whether its last numbers are taken is not known, so nobody may have them again.
        self.forget_name();
    }
}

/// Fills a buffer with random bytes of the system.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), StoreError> {
    rand::fill(bytes).map_err(|_| StoreError::unavailable("the system gives no random bytes"))
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;
    use crate::store::queue::wake_ups::Sleeper;

    fn counts(writer: &mut EntryWriter, entries: i64) -> Vec<i64> {
        writer.begin().unwrap();
        (0..entries).map(|_| writer.next()).collect()
    }

    #[test]
    fn only_a_durable_transaction_uses_numbers_up() {
        let mut writer = EntryWriter::new(Arc::default());
        assert_eq!(counts(&mut writer, 2), [1, 2]);
        writer.rolled_back();
        assert_eq!(counts(&mut writer, 2), [1, 2]);
        assert!(writer.tells());
        writer.committed();
        assert_eq!(counts(&mut writer, 1), [3]);
        assert!(!writer.tells());
    }

    #[tokio::test]
    async fn only_what_is_durable_wakes_those_who_wait() {
        let link = Arc::<TrailLink>::default();
        let (mut writer, mut sleeper) = (EntryWriter::new(Arc::clone(&link)), link.wake_ups.sleep(1));
        let is_awake = async |sleeper: &mut Sleeper| timeout(Duration::ZERO, sleeper.woken()).await.is_ok();
        writer.begin().unwrap();
        writer.concerns(Some(1));
        writer.rolled_back();
        writer.committed();
        assert!(!is_awake(&mut sleeper).await);

        writer.concerns(Some(1));
        writer.committed();
        assert!(is_awake(&mut sleeper).await);
        // Perhaps it is durable.
        writer.concerns(Some(1));
        writer.is_unknown();
        assert!(is_awake(&mut sleeper).await);
    }

    #[test]
    fn a_writer_takes_another_name_if_nobody_knows_whether_its_numbers_are_taken() {
        let mut writer = EntryWriter::new(Arc::default());
        let name = writer.name().to_vec();
        counts(&mut writer, 2);
        writer.is_unknown();
        assert_eq!(counts(&mut writer, 1), [1]);
        assert!(writer.tells());
        assert_ne!(writer.name(), name);
    }
}
