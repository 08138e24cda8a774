//! Checks that only their owner can use files and folders. A secret may also be a file of root that the group may read.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::process::geteuid;

use super::error::KeeperError;

/// Refuses a file or folder that others than its owner may use.
pub(super) fn check_mode(path: &Path, mode: u32) -> Result<(), KeeperError> {
    check(path, mode, |about| about.mode() & 0o077 == 0)
}

/// Refuses a file with a secret that is neither its owner's only, nor handed over by root.
#[cfg(feature = "pkcs11")]
pub(super) fn check_secret(path: &Path) -> Result<(), KeeperError> {
    check(path, 0o600, is_kept_secret)
}

fn check(path: &Path, mode: u32, is_kept: impl FnOnce(&Metadata) -> bool) -> Result<(), KeeperError> {
    let about = fs::metadata(path).map_err(|error| unusable("read", path, &error))?;
    if is_kept(&about) {
        return Ok(());
    }
    Err(KeeperError::Unusable {
        problem: format!("{} can be read or written by others than its owner", path.display()),
        mend: format!("chmod {mode:o} {}", path.display()),
    })
}

/// Whether a file with a secret is its owner's only, or root's, of which this process may read it by its group. In the latter
/// way Kubernetes hands over a secret, as a file of root of mode 0440. It must not be writable by the group.
pub fn is_kept_secret(about: &Metadata) -> bool {
    is_kept(about.mode(), about.uid(), geteuid().as_raw())
}

fn is_kept(mode: u32, owner: u32, me: u32) -> bool {
    let of_others = if owner == 0 && me != 0 { 0o037 } else { 0o077 };
    mode & of_others == 0
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_its_owners_only_or_roots_that_a_group_reads() {
        let cases = [
            (0o600, 998, 998, true),
            (0o400, 0, 0, true),
            (0o440, 0, 65532, true),
            (0o640, 0, 65532, true),
            (0o440, 998, 998, false),
            (0o440, 998, 65532, false),
            (0o440, 0, 0, false),
            (0o460, 0, 65532, false),
            (0o444, 0, 65532, false),
            (0o442, 0, 65532, false),
        ];
        for (mode, owner, me, expected) in cases {
            assert_eq!(is_kept(mode, owner, me), expected, "{mode:o} of {owner}, read by {me}");
        }
    }
}
