//! Notices when files change, so that nobody has to restart the host for a new certificate or list.
//!
//! A change counts as noticed once the files were read. Until then they are read at each look: the cause may go away without
//! another change, such as a wrong owner, or too many open files.

use std::os::unix::fs::MetadataExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use actix_web::web;
use prometheus_client::metrics::gauge::Gauge;

/// How often the files are looked at.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// How often the log repeats why they cannot be read.
const REPEAT_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// Files, and the state in which they were last read.
#[derive(Debug, Clone)]
pub(crate) struct FileWatcher {
    paths: Vec<PathBuf>,
    last_read: Vec<Option<Fingerprint>>,
    /// Why they cannot be read, as it was logged, and when.
    failure: Option<(String, Instant)>,
    is_stale: Gauge,
}

/// When a file was modified, when its owner or mode was, its inode, and its length.
type Fingerprint = ([i64; 4], u64, u64);

impl FileWatcher {
    /// Notes the current state of the files. Call this before reading them, so that no change is missed.
    pub(crate) fn new(paths: &[PathBuf]) -> Self {
        let mut watcher = Self {
            paths: paths.to_owned(),
            last_read: Vec::new(),
            failure: None,
            is_stale: Gauge::default(),
        };
        watcher.last_read = watcher.fingerprints();
        watcher
    }

    /// 1 while the files are other than what was last read of them.
    pub(crate) fn is_stale(&self) -> &Gauge {
        &self.is_stale
    }

    fn fingerprints(&self) -> Vec<Option<Fingerprint>> {
        let fingerprint = |path| {
            let file = std::fs::metadata(path).ok()?;
            let times = [file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()];
            Some((times, file.ino(), file.len()))
        };
        self.paths.iter().map(fingerprint).collect()
    }

    /// Reads the files if they are other than when they were last read.
    fn look(&mut self, reload: impl Fn() -> Result<(), String>, now: Instant) {
        let found = self.fingerprints();
        if found != self.last_read {
            // A panic must not end the watching.
            let read =
                catch_unwind(AssertUnwindSafe(reload)).unwrap_or_else(|_| Err("reading a file panicked".to_owned()));
            if let Err(reason) = read {
                return self.failed(reason, now);
            }
            self.last_read = found;
        }
        self.failure = None;
        self.is_stale.set(0);
    }

    fn failed(&mut self, reason: String, now: Instant) {
        self.is_stale.set(1);
        let was_logged = |(logged, at): &(String, Instant)| *logged == reason && now - *at < REPEAT_INTERVAL;
        if !self.failure.as_ref().is_some_and(was_logged) {
            log::warn!("{reason}");
            self.failure = Some((reason, now));
        }
    }

    /// Calls `reload` after each change, and again at each look until it succeeds. Its error is a line for the log. This never
    /// returns.
    pub(crate) async fn run(self, reload: impl Fn() -> Result<(), String> + Clone + Send + 'static) {
        let mut watcher = Some(self);
        while let Some(mut files) = watcher.take() {
            tokio::time::sleep(POLL_INTERVAL).await;
            let reload = reload.clone();
            let looked = web::block(move || {
                files.look(reload, Instant::now());
                files
            });
            // The blocking thread fails only when the process ends.
            watcher = looked.await.ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use super::*;

    /// A file that has just changed, and a watcher that has not looked yet.
    fn changed() -> (tempfile::TempDir, FileWatcher) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("list");
        fs::write(&file, "one").unwrap();
        let watcher = FileWatcher::new(std::slice::from_ref(&file));
        fs::write(&file, "one and two").unwrap();
        (folder, watcher)
    }

    #[test]
    fn a_change_is_read_at_each_look_until_it_was_read() {
        let (_folder, mut watcher) = changed();
        let reads = Cell::new(0);
        let mut look = |fails: bool| {
            let reload = || {
                reads.set(reads.get() + 1);
                if fails { Err("no".to_owned()) } else { Ok(()) }
            };
            watcher.look(reload, Instant::now());
            (reads.get(), watcher.is_stale().get())
        };
        let looks = [true, true, true, false, false, false].map(&mut look);
        assert_eq!(looks, [(1, 1), (2, 1), (3, 1), (4, 0), (4, 0), (4, 0)]);
    }

    #[test]
    fn a_panic_is_a_failure_and_the_next_look_reads_again() {
        let (_folder, mut watcher) = changed();
        watcher.look(|| panic!("on purpose"), Instant::now());
        assert_eq!(watcher.is_stale().get(), 1);
        watcher.look(|| Ok(()), Instant::now());
        assert_eq!(watcher.is_stale().get(), 0);
    }

    #[test]
    fn a_failure_is_logged_once_an_hour_and_when_it_changes() {
        let (_folder, mut watcher) = changed();
        let begun = Instant::now();
        let mut logged_at = |minutes: u64, reason: &'static str| {
            let now = begun + Duration::from_secs(minutes * 60);
            watcher.look(|| Err(reason.to_owned()), now);
            watcher.failure.as_ref().is_some_and(|(_, at)| *at == now)
        };
        let logged = [(0, "a"), (1, "a"), (59, "a"), (60, "a"), (61, "b"), (119, "b")];
        let logged = logged.map(|(minutes, reason)| logged_at(minutes, reason));
        assert_eq!(logged, [true, false, false, true, true, false]);
    }
}
