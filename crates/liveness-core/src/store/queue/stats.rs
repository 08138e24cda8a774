//! Numbers about the work of a store. Counting them costs almost nothing. This file does not know how they are shown.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::store::engine::pool::PoolState;

/// The numbers of a store at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreStats {
    /// Connections to the database that are open.
    pub connections: u32,
    /// Open connections that are not in use.
    pub idle_connections: u32,
    /// The most connections that may be open.
    pub max_connections: u32,
    /// Calls that wait to read.
    pub waiting_reads: u64,
    /// Writes that wait to be committed.
    pub waiting_writes: u64,
    /// Bytes of the images in the writes that wait.
    pub waiting_bytes: u64,
    /// How many writes each commit held.
    pub batch_sizes: Distribution,
    /// How long each transaction took, in microseconds: from its first statement until it was durable.
    pub commit_micros: Distribution,
    /// Transactions that committed nothing, or whose outcome is unknown.
    pub failed_commits: u64,
}

/// How many observed numbers fell into each bucket since the store was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// The upper bound of each bucket, inclusive. The last bucket has no upper bound.
    pub bounds: &'static [u64],
    /// How many numbers fell into each bucket. There is one bucket more than there are bounds.
    pub counts: Vec<u64>,
    /// The sum of all numbers.
    pub sum: u64,
}

const BATCH_SIZES: [u64; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];
/// From half a millisecond to ten seconds.
const COMMIT_MICROS: [u64; 14] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000,
];

/// The counters of a store.
#[derive(Debug)]
pub(crate) struct Counters {
    batch_sizes: Histogram,
    commit_micros: Histogram,
    failed_commits: AtomicU64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            batch_sizes: Histogram::new(&BATCH_SIZES),
            commit_micros: Histogram::new(&COMMIT_MICROS),
            failed_commits: AtomicU64::new(0),
        }
    }
}

impl Counters {
    /// Counts a commit and its writes.
    pub(crate) fn committed(&self, writes: usize, took: Duration) {
        self.batch_sizes.observe(writes as u64);
        self.commit_micros
            .observe(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// Counts a transaction that failed.
    pub(crate) fn failed(&self) {
        self.failed_commits.fetch_add(1, Ordering::Relaxed);
    }

    /// The numbers at this moment, together with the numbers of the connections and the queues.
    pub(crate) fn snapshot(
        &self,
        pool: PoolState,
        waiting_reads: usize,
        (waiting_writes, waiting_bytes): (usize, usize),
    ) -> StoreStats {
        StoreStats {
            connections: pool.connections,
            idle_connections: pool.idle,
            max_connections: pool.max,
            waiting_reads: waiting_reads as u64,
            waiting_writes: waiting_writes as u64,
            waiting_bytes: waiting_bytes as u64,
            batch_sizes: self.batch_sizes.snapshot(),
            commit_micros: self.commit_micros.snapshot(),
            failed_commits: self.failed_commits.load(Ordering::Relaxed),
        }
    }
}

#[derive(Debug)]
struct Histogram {
    bounds: &'static [u64],
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    fn new(bounds: &'static [u64]) -> Self {
        Self {
            bounds,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    fn observe(&self, value: u64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    fn snapshot(&self) -> Distribution {
        Distribution {
            bounds: self.bounds,
            counts: self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect(),
            sum: self.sum.load(Ordering::Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_its_upper_end_and_the_last_has_none() {
        let histogram = Histogram::new(&[1, 4]);
        for value in [0, 1, 2, 4, 5, 900] {
            histogram.observe(value);
        }
        let Distribution { counts, sum, .. } = histogram.snapshot();
        assert_eq!((counts, sum), (vec![2, 2, 2], 912));
    }
}
