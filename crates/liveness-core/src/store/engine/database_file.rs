//! The file of a SQLite database and its companions: the URI, and whether they are still the same files.

use std::fs;
use std::io::ErrorKind::NotFound;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use diesel::prelude::*;
use diesel::sql_query;

use super::error::{OpenError, StoreError};
use super::file_trouble::{self, FileTrouble};

/// The error of a database that cannot be opened. It names the file or folder that is the cause, if one is.
pub(crate) fn cannot_open(path: &Path, error: &dyn std::fmt::Display) -> OpenError {
    let message = format!("cannot open the database {}: {error}", path.display());
    match file_trouble::find(path) {
        Some(FileTrouble { problem, mend }) => OpenError::new(format!("{message}: {problem}")).mended_by(mend),
        None => OpenError::new(message),
    }
}

/// The URI of a file for SQLite. With `mode=rw`, a missing file is an error, not a new and empty database.
///
/// The authority of the URI is empty. So a path that begins with two slashes is not taken for the name of a host.
pub(crate) fn uri_of(path: &Path) -> String {
    let authority = if path.is_absolute() { "//" } else { "" };
    format!("file:{authority}{}?mode=rw", percent_encoded(&path.to_string_lossy()))
}

/// Encodes a path for a URI. Everything except letters, digits and `/._-` becomes `%XX`, so that no file name ends the
/// path early.
fn percent_encoded(path: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    path.bytes().map(encode).collect()
}

/// A device and an inode.
type Identity = (u64, u64);

/// The size of the header of a write-ahead log, and of a frame without its page (<https://sqlite.org/fileformat.html#walformat>).
const LOG_HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;

/// Pages in the log that are not in the database file yet. SQLite writes them back from 4,000 on (`wal_autocheckpoint`), and
/// tells nobody if that fails. With more than `MANY_PAGES` it has failed several times. From `FEW_PAGES` down it works.
const MANY_PAGES: i32 = 16_000;
const FEW_PAGES: i32 = 4_000;

/// The database file, and the two files that SQLite keeps beside it: the write-ahead log and its index.
///
/// SQLite continues to acknowledge commits to files that were deleted or replaced, and to a log that was truncated. So the
/// store checks the files itself. It never opens them: closing such a file would give up SQLite's locks on it.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
    /// The files, the log second, and their identities when they were first seen.
    files: [(PathBuf, OnceLock<Identity>); 3],
    /// The size of the log at the last check. A log that is smaller was reset by a checkpoint, or truncated.
    log_bytes: AtomicU64,
    /// The size of a page, once it was asked for. It cannot change while there is a log.
    page_bytes: OnceLock<u64>,
    is_wrong: AtomicBool,
    /// Whether the log is not written back into the file.
    is_behind: AtomicBool,
}

impl DatabaseFile {
    /// The file at this path, which is open.
    pub(crate) fn at(path: &Path) -> Result<Self, OpenError> {
        // SQLite follows a link, and puts the other files beside the file itself.
        let real = fs::canonicalize(path).map_err(|error| cannot_open(path, &error))?;
        let [_, _, log, index] = file_trouble::files(&real);
        let file = Self {
            path: path.to_owned(),
            files: [path.to_owned(), log, index].map(|path| (path, OnceLock::new())),
            log_bytes: AtomicU64::new(0),
            page_bytes: OnceLock::new(),
            is_wrong: AtomicBool::new(false),
            is_behind: AtomicBool::new(false),
        };
        file.check().map_err(|error| cannot_open(path, &error.cause()))?;
        Ok(file)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses files that were deleted or replaced. Logs when that begins, and when it ends.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let checked = self.files.iter().enumerate().try_for_each(|(place, (path, known))| {
            let found = match identity(path) {
                // SQLite makes the companions when it needs them.
                Err(error) if place > 0 && error.kind() == NotFound && known.get().is_none() => return Ok(()),
                Err(error) => return Err(format!("the database file {}: {error}", path.display())),
                Ok(found) => found,
            };
            if *known.get_or_init(|| found) == found {
                Ok(())
            } else {
                Err(format!(
                    "the database file {} was replaced by another file",
                    path.display()
                ))
            }
        });
        self.tell(checked)
    }

    /// Refuses files in place of ours. A file of ours that was only deleted is no hindrance.
    pub(crate) fn check_not_replaced(&self) -> Result<(), StoreError> {
        let is_another = |(path, known): &&(PathBuf, OnceLock<Identity>)| {
            let found = identity(path).ok();
            found.is_some() && found != known.get().copied()
        };
        match self.files.iter().find(is_another) {
            None => Ok(()),
            Some((path, _)) => Err(StoreError::unavailable(format!(
                "the database file {} was replaced by another file",
                path.display()
            ))),
        }
    }

    /// Refuses a log that was truncated: it must hold as many frames as its index says. With `always` false, it asks only
    /// if the log is smaller than before.
    pub(crate) fn check_log(&self, conn: &mut SqliteConnection, always: bool) -> Result<(), StoreError> {
        let (log, _) = &self.files[1];
        let bytes = || fs::metadata(log).map_or(0, |found| found.len());
        if !always && bytes() >= self.log_bytes.load(Ordering::Relaxed) {
            return Ok(());
        }
        // A checkpoint of another process may come between the two numbers, but not each time.
        for _ in 0..3 {
            let Frames {
                log: frames,
                checkpointed,
            } = sql_query("PRAGMA wal_checkpoint(NOOP)").get_result(conn)?;
            let page = self.page_bytes(conn)?;
            self.tell_behind(frames - checkpointed, page);
            let frames = u64::try_from(frames).unwrap_or(0);
            let found = bytes();
            if frames == 0 || found >= LOG_HEADER + frames * (FRAME_HEADER + page) {
                self.log_bytes.store(found, Ordering::Relaxed);
                return self.tell(Ok(()));
            }
        }
        self.tell(Err(format!("the database file {} was truncated", log.display())))
    }

    fn page_bytes(&self, conn: &mut SqliteConnection) -> QueryResult<u64> {
        if let Some(known) = self.page_bytes.get() {
            return Ok(*known);
        }
        let found = sql_query("PRAGMA page_size").get_result::<PageSize>(conn)?.page_size;
        Ok(*self.page_bytes.get_or_init(|| u64::try_from(found).unwrap_or(0)))
    }

    fn tell(&self, checked: Result<(), String>) -> Result<(), StoreError> {
        let was_wrong = self.is_wrong.swap(checked.is_err(), Ordering::Relaxed);
        checked.map_err(|problem| {
            if !was_wrong {
                log::error!("{problem}; nothing is recorded until it is back");
            }
            StoreError::unavailable(problem)
        })
    }

    /// Logs when the log is not written back into the file, and when it is again. Nothing is lost meanwhile, but the log grows.
    fn tell_behind(&self, pages: i32, page_bytes: u64) {
        let was_behind = self.is_behind.load(Ordering::Relaxed);
        let is_behind = pages > if was_behind { FEW_PAGES } else { MANY_PAGES };
        if is_behind == was_behind {
            return;
        }
        self.is_behind.store(is_behind, Ordering::Relaxed);
        let (log, _) = &self.files[1];
        if is_behind {
            let megabytes = u64::try_from(pages).unwrap_or(0) * page_bytes / 1_000_000;
            log::warn!(
                "{} holds {megabytes} MB that are not in the database file, and grows: the file cannot be written, or \
                 somebody has been reading it for a long time",
                log.display()
            );
        } else {
            log::info!("{} is written back into the database file again", log.display());
        }
    }

    /// The file or folder that keeps this process from the database, if one does.
    pub(crate) fn trouble(&self) -> Option<FileTrouble> {
        file_trouble::find(&self.path)
    }
}

fn identity(path: &Path) -> std::io::Result<Identity> {
    fs::metadata(path).map(|found| (found.dev(), found.ino()))
}

#[derive(QueryableByName)]
struct Frames {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    log: i32,
    #[diesel(sql_type = diesel::sql_types::Integer)]
    checkpointed: i32,
}

#[derive(QueryableByName)]
struct PageSize {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    page_size: i32,
}
