//! Files that are read again when they change, so that nobody has to restart the host for them.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use actix_web::web;

/// How often they are looked at.
const PERIOD: Duration = Duration::from_secs(5);

/// Files, and how they were when they were last looked at.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    paths: Vec<PathBuf>,
    seen: Vec<Option<Stamp>>,
}

/// When a file was written, which it was, and how long.
type Stamp = (SystemTime, u64, u64);

impl Watched {
    /// Looks at them: to be called before they are read.
    pub(crate) fn at(paths: &[PathBuf]) -> Self {
        let mut watched = Self {
            paths: paths.to_owned(),
            seen: Vec::new(),
        };
        watched.seen = watched.look();
        watched
    }

    fn look(&self) -> Vec<Option<Stamp>> {
        let stamp = |path| {
            let file = std::fs::metadata(path).ok()?;
            Some((file.modified().ok()?, file.ino(), file.len()))
        };
        self.paths.iter().map(stamp).collect()
    }

    /// Whether they changed since this was last called.
    fn have_changed(&mut self) -> bool {
        let now = self.look();
        std::mem::replace(&mut self.seen, now) != self.seen
    }

    /// Has them read again whenever they change, for ever.
    pub(crate) async fn follow(self, read_again: impl Fn() + Clone + Send + 'static) {
        let mut watched = Some(self);
        while let Some(mut files) = watched.take() {
            tokio::time::sleep(PERIOD).await;
            let read_again = read_again.clone();
            let looked = web::block(move || {
                if files.have_changed() {
                    read_again();
                }
                files
            });
            // Lost only with the process.
            watched = looked.await.ok();
        }
    }
}
