//! Notices when files change, so that nobody has to restart the host for a new certificate or list.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use actix_web::web;

/// How often the files are looked at.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// Files, and the state in which they were last seen.
#[derive(Debug, Clone)]
pub(crate) struct FileWatcher {
    paths: Vec<PathBuf>,
    last_seen: Vec<Option<Fingerprint>>,
}

/// When a file was modified, its inode, and its length.
type Fingerprint = (SystemTime, u64, u64);

impl FileWatcher {
    /// Notes the current state of the files. Call this before reading them, so that no change is missed.
    pub(crate) fn new(paths: &[PathBuf]) -> Self {
        let mut watcher = Self {
            paths: paths.to_owned(),
            last_seen: Vec::new(),
        };
        watcher.last_seen = watcher.fingerprints();
        watcher
    }

    fn fingerprints(&self) -> Vec<Option<Fingerprint>> {
        let fingerprint = |path| {
            let file = std::fs::metadata(path).ok()?;
            Some((file.modified().ok()?, file.ino(), file.len()))
        };
        self.paths.iter().map(fingerprint).collect()
    }

    /// Whether a file changed since this was last called.
    fn has_change(&mut self) -> bool {
        let now = self.fingerprints();
        std::mem::replace(&mut self.last_seen, now) != self.last_seen
    }

    /// Calls `reload` after each change. This never returns.
    pub(crate) async fn run(self, reload: impl Fn() + Clone + Send + 'static) {
        let mut watcher = Some(self);
        while let Some(mut files) = watcher.take() {
            tokio::time::sleep(POLL_INTERVAL).await;
            let reload = reload.clone();
            let checked = web::block(move || {
                if files.has_change() {
                    reload();
                }
                files
            });
            // The blocking thread fails only when the process ends.
            watcher = checked.await.ok();
        }
    }
}
