//! The file with the key of the audit trail: `LIVENESS_TRAIL_KEY_FILE`.
//!
//! With SQLite, the file is beside the database, and is made where there is none. With PostgreSQL it must be named, because
//! all nodes need the same key.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use liveness_core::store::{OpenError, Store};
use liveness_core::trail::{CheckpointError, KeyError, NewKey, SignedCheckpoint, TrailKey};
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use crate::config::DatabaseConfig;
use crate::environment::credential;
use crate::text_file;

/// The credential that counts as the file, where systemd hands it over and no file is named.
pub(crate) const CREDENTIAL: &str = "liveness.trail-key";

/// Why there is no key of the trail, as one line that says what would be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrailKeyError {
    /// No file is named, and none can be made.
    #[error(
        "LIVENESS_TRAIL_KEY_FILE: with PostgreSQL, name the file with the key of the audit trail, the same on all nodes; \
         `liveness-http trail key --new FILE` makes one"
    )]
    NotNamed,
    /// The file cannot be read.
    #[error("LIVENESS_TRAIL_KEY_FILE: cannot read {0}: {1}")]
    Unread(String, #[source] io::Error),
    /// The file cannot be made.
    #[error("LIVENESS_TRAIL_KEY_FILE: cannot make {0}: {1}")]
    NotMade(String, #[source] io::Error),
    /// The file holds no usable key.
    #[error("LIVENESS_TRAIL_KEY_FILE: {0}: {1}")]
    Key(String, #[source] KeyError),
    /// There is a log, and its key is gone.
    #[error(
        "LIVENESS_TRAIL_KEY_FILE: {0} is not there, and the audit trail goes on only with the key of its log, {1:?}: put \
         your copy of the key there"
    )]
    Lost(String, String),
    /// There is a log, and it was signed with another key.
    #[error(
        "LIVENESS_TRAIL_KEY_FILE: {0} is the key of the log {1:?}, and the audit trail in the database is the log {2:?}, signed with \
         another key: name that one"
    )]
    OfAnotherLog(String, String, String),
    /// The key cannot be used, or there is no such database.
    #[error("LIVENESS_DATABASE_URL: {0}")]
    Database(#[from] OpenError),
}

impl TrailKeyError {
    /// Whether the file is not there.
    pub(crate) fn is_not_there(&self) -> bool {
        matches!(self, Self::Unread(_, error) if error.kind() == io::ErrorKind::NotFound)
    }

    /// Whether the log in the database does not go on with the key.
    pub(crate) fn is_of_the_log(&self) -> bool {
        matches!(self, Self::Lost(..) | Self::OfAnotherLog(..))
    }
}

/// Where the key is, or is to be made.
///
/// # Errors
///
/// When no file is named, and none can be made.
pub(crate) fn key_file(config: &DatabaseConfig) -> Result<PathBuf, TrailKeyError> {
    match named_file(config) {
        Some(file) => Ok(file),
        None => file_beside(config)?.ok_or(TrailKeyError::NotNamed),
    }
}

/// The file of the settings, or of systemd.
pub(crate) fn named_file(config: &DatabaseConfig) -> Option<PathBuf> {
    config.trail_key_file.clone().or_else(handed_over)
}

/// The file that systemd hands over, if it does.
pub(crate) fn handed_over() -> Option<PathBuf> {
    credential(CREDENTIAL)
}

/// The key of the trail, which must be there.
///
/// # Errors
///
/// When there is no key, or it cannot be read.
pub(crate) fn existing_key(config: &DatabaseConfig) -> Result<TrailKey, TrailKeyError> {
    read(&key_file(config)?)
}

/// The key of the trail. Makes it beside a SQLite file that has none.
///
/// # Errors
///
/// When there is no key, or it cannot be read.
pub(crate) fn configured_key(config: &DatabaseConfig) -> Result<TrailKey, TrailKeyError> {
    let file = key_file(config)?;
    match read(&file) {
        Err(error) if error.is_not_there() && named_file(config).is_none() => make_beside(&file),
        other => other,
    }
}

/// Checks what can be checked before the database is opened: that a key that must be named is there.
///
/// # Errors
///
/// When it is not, or cannot be read.
pub(crate) fn check_named(config: &DatabaseConfig) -> Result<(), TrailKeyError> {
    let file = key_file(config)?;
    if named_file(config).is_some() {
        read(&file)?;
    }
    Ok(())
}

/// Checks that the log in the database, if there is one, goes on with the key. Makes none. A key of another log would make
/// entries that every other process takes for forged.
///
/// # Errors
///
/// When the key is gone, or is that of another log.
pub(crate) fn check_log(store: &Store, config: &DatabaseConfig) -> Result<(), TrailKeyError> {
    let Some(note) = store.trail().newest_checkpoint()? else {
        return Ok(());
    };
    let log = note.lines().next().unwrap_or_default().to_owned();
    let file = key_file(config)?;
    let name = file.display().to_string();
    let key = match read(&file) {
        Err(error) if error.is_not_there() => return Err(TrailKeyError::Lost(name, log)),
        other => other?,
    };
    match SignedCheckpoint::open(&note, key.verifier()) {
        Err(CheckpointError::Origin { .. } | CheckpointError::Unsigned(_)) => {
            Err(TrailKeyError::OfAnotherLog(name, key.origin().to_owned(), log))
        }
        // Whether its signature is good, the integrator tells.
        _ => Ok(()),
    }
}

/// Makes each entry that the store writes show that it was written by who has the key.
///
/// # Errors
///
/// As [`check_log`] and [`configured_key`].
pub(crate) fn sign_entries(store: &Store, config: &DatabaseConfig) -> Result<(), TrailKeyError> {
    check_log(store, config)?;
    Ok(store.trail().sign_entries(&configured_key(config)?)?)
}

/// Where the key of a SQLite database is, if no file is named: `liveness.trail.pem` beside `liveness.db`.
pub(crate) fn file_beside(config: &DatabaseConfig) -> Result<Option<PathBuf>, OpenError> {
    let database = Store::file_of(config.url())?;
    Ok(database.map(|database| database.with_extension("trail.pem")))
}

fn read(file: &Path) -> Result<TrailKey, TrailKeyError> {
    let name = || file.display().to_string();
    let text = text_file::read(file).map_err(|error| TrailKeyError::Unread(name(), error))?;
    let text = Zeroizing::new(text);
    let text = String::from_utf8_lossy(&text);
    TrailKey::from_pem(&text).map_err(|error| TrailKeyError::Key(name(), error))
}

fn make_beside(file: &Path) -> Result<TrailKey, TrailKeyError> {
    let name = || file.display().to_string();
    let made = TrailKey::generate().map_err(|error| TrailKeyError::Key(name(), error))?;
    match write_new(file, &made) {
        Ok(()) => {
            log::info!(
                "made the key of the audit trail, {}: keep a copy of it, apart from the database",
                file.display()
            );
            Ok(made.key)
        }
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => read(file),
        Err(error) => Err(TrailKeyError::NotMade(name(), error)),
    }
}

/// Writes a key into a new file, which only its owner may read. The file has its name when the key is on the disk.
pub(crate) fn write_new(file: &Path, made: &NewKey) -> io::Result<()> {
    let folder = file.parent().filter(|folder| *folder != Path::new(""));
    let folder = folder.unwrap_or(Path::new("."));
    let mut partial = NamedTempFile::new_in(folder)?;
    partial.write_all(made.pem.as_str().as_bytes())?;
    partial.as_file().sync_all()?;
    partial.persist_noclobber(file).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn config(url: String, file: Option<PathBuf>) -> DatabaseConfig {
        DatabaseConfig {
            database_url: url,
            database_url_file: None,
            database_connections: 1,
            trail_key_file: file,
        }
    }

    #[test]
    fn the_key_is_made_once_beside_a_sqlite_file_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(format!("sqlite://{}/bank.db", folder.path().display()), None);

        let keys = [configured_key(&config).unwrap(), configured_key(&config).unwrap()];

        assert_eq!(keys[0].vkey(), keys[1].vkey());
        let file = folder.path().join("bank.trail.pem");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let made = TrailKey::generate().unwrap();
        assert_eq!(
            write_new(&file, &made).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
    }

    #[test]
    fn with_postgresql_the_file_must_be_named_and_be_there() {
        let url = "postgres://db.example/liveness".to_owned();
        let missing = configured_key(&config(url.clone(), None)).unwrap_err().to_string();
        assert!(
            missing.contains("`liveness-http trail key --new FILE` makes one"),
            "{missing}"
        );
        let unread = configured_key(&config(url, Some("/nowhere/key.pem".into()))).unwrap_err();
        assert!(
            unread
                .to_string()
                .starts_with("LIVENESS_TRAIL_KEY_FILE: cannot read /nowhere/key.pem"),
            "{unread}"
        );
    }
}
