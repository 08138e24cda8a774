//! Files and folders that are their owner's only.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::error::KeeperError;

/// Refuses a file or folder that others than its owner may use.
pub(super) fn check_mode(path: &Path, mode: u32) -> Result<(), KeeperError> {
    let about = fs::metadata(path).map_err(|error| unusable("read", path, &error))?;
    if about.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(KeeperError::Unusable {
        problem: format!("{} can be read or written by others than its owner", path.display()),
        mend: format!("chmod {mode:o} {}", path.display()),
    })
}

pub(super) fn unusable(verb: &str, path: &Path, error: &io::Error) -> KeeperError {
    let mend = match error.kind() {
        ErrorKind::NotFound => "make it, or name another",
        ErrorKind::NotADirectory => "name a folder",
        _ => "let the server's user own it",
    };
    KeeperError::Unusable {
        problem: format!("cannot {verb} {}: {error}", path.display()),
        mend: mend.to_owned(),
    }
}
