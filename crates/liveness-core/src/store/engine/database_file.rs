//! The file of a SQLite database: its URI, and whether it is still the same file.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

/// The identity of the file when it was opened.
///
/// SQLite continues to acknowledge commits to a file that was deleted or replaced. So the store checks the file itself.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseFile {
    path: Arc<PathBuf>,
    identity: (u64, u64),
}

impl DatabaseFile {
    pub(crate) fn at(path: &Path) -> Result<Self, OpenError> {
        let identity = identity(path).map_err(|error| cannot_open(path, &error))?;
        Ok(Self {
            path: Arc::new(path.to_owned()),
            identity,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match identity(&self.path) {
            Ok(identity) if identity == self.identity => Ok(()),
            Ok(_) => Err(StoreError::unavailable(format!(
                "the database file {} was replaced by another file",
                self.path.display()
            ))),
            Err(error) => Err(StoreError::unavailable(format!(
                "the database file {}: {error}",
                self.path.display()
            ))),
        }
    }

    /// The file or folder that keeps this process from the database, if one does.
    pub(crate) fn trouble(&self) -> Option<FileTrouble> {
        file_trouble::find(&self.path)
    }
}

fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    fs::metadata(path).map(|found| (found.dev(), found.ino()))
}
