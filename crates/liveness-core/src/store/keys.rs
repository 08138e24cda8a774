//! The key store: the wrapped keys of the faces, in a database of their own. It knows no face and no record.
//!
//! A face whose key is deleted here is unreadable, wherever a copy of it is. For that, this database has a backup of its
//! own, which is kept for a few days only, and the key-encryption keys are rotated: `rotation.rs`.

mod data_keys;
mod maintenance;
mod objects;
mod rotation;
mod supply;
mod table;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(crate) use self::objects::{FoundObject, SealedObject};
pub use self::rotation::{Rotated, RotationError};

use self::supply::Supply;
use super::engine::connection::{Connection, Purpose};
use super::engine::connections::{Acceptance, Connections};
use super::engine::database_file::DatabaseFile;
use super::engine::error::{KEY_STORE, OpenError, StoreError};
use super::engine::pool::Pool;
use super::engine::{postgres, sqlite};
use crate::Timestamp;
use crate::faces::sealing::{self, Subject};
use crate::faces::{DataKey, FaceKeyId, KeeperError, KeyKeeper};

/// How long deleted keys may stay in the log of a SQLite file because somebody reads the file.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same within a transaction of the records.
const SHORT_PATIENCE: Duration = Duration::from_millis(100);
/// The connections to PostgreSQL of one key store. Each look at a face needs one for a moment.
const CONNECTIONS: u32 = 4;

/// The keys of the faces, wrapped by a [`KeyKeeper`].
///
/// ```
/// use std::sync::Arc;
///
/// use liveness_core::faces::FileKeeper;
/// use liveness_core::store::{FaceKeys, Store};
///
/// let folder = tempfile::tempdir()?;
/// let place = |name| format!("sqlite://{}", folder.path().join(name).display());
/// let keeper = FileKeeper::open(&folder.path().join("face-keys"))?;
/// let keys = FaceKeys::open(&place("liveness.keys.db"), Arc::new(keeper))?;
/// let store = Store::open(&place("liveness.db"))?.with_sealed_faces(keys)?;
/// store.migrate()?;
/// store.check_faces()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FaceKeys {
    connections: Connections,
    keeper: Arc<dyn KeyKeeper>,
    supply: Supply,
    /// Whether the log of a SQLite file still holds keys that were erased.
    log_is_due: AtomicBool,
}

/// A face that was sealed.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) key_id: FaceKeyId,
    pub(crate) bytes: Vec<u8>,
}

impl FaceKeys {
    /// Opens the database of the wrapped keys. `url` is as in [`Store::open`](super::Store::open). A missing SQLite file is
    /// created, and only its owner can read it. This does not wait for a PostgreSQL server.
    ///
    /// # Errors
    ///
    /// [`OpenError`], which says in one line what is wrong with the URL or the file.
    pub fn open(url: &str, keeper: Arc<dyn KeyKeeper>) -> Result<Self, OpenError> {
        let connections = connections(url).map_err(OpenError::of_key_store)?;
        Ok(Self {
            connections: connections.of_key_store(),
            keeper,
            supply: Supply::default(),
            log_is_due: AtomicBool::new(false),
        })
    }

    /// The same, of which is accepted what is accepted of the database of the records.
    pub(crate) fn accepting(self, acceptance: Acceptance) -> Self {
        Self {
            connections: self.connections.accepting(acceptance),
            ..self
        }
    }

    /// The URL of the key store beside a SQLite file: `liveness.keys.db` beside `liveness.db`. `None` for another URL.
    pub fn url_beside(database_url: &str) -> Option<String> {
        let path = sqlite::path(database_url).ok()?;
        let stem = path.strip_suffix(".db").unwrap_or(path);
        Some(format!("sqlite://{stem}.keys.db"))
    }

    /// Seals a face with a key of its own. The key is durable in the key store when this returns, so no record is ever
    /// committed whose face cannot be opened. If the record is not committed, its key opens nothing.
    pub(crate) fn seal(&self, subject: Subject<'_>, face: &[u8]) -> Result<Sealed, StoreError> {
        let (key_id, key) = self.supply.take(|many| self.make(many)).map_err(of_key_store)?;
        let bytes = sealing::seal(&key, &key_id, subject, face).map_err(unavailable)?;
        Ok(Sealed { key_id, bytes })
    }

    /// Opens a sealed face, or returns `None` if its key was erased.
    pub(crate) fn open_face(&self, subject: Subject<'_>, sealed: Vec<u8>) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(key) = self.key_of(subject, &sealed)? else {
            return Ok(None);
        };
        let opened = sealing::open(&key, subject, sealed);
        opened.map(Some).map_err(|why| does_not_open(subject, &why))
    }

    /// The key that something is sealed with. `None` if it was erased.
    fn key_of(&self, subject: Subject<'_>, sealed: &[u8]) -> Result<Option<DataKey>, StoreError> {
        let Some(key_id) = sealing::key_id_of(sealed) else {
            return Err(does_not_open(subject, &sealing::NotOpened::Format));
        };
        match self.key(&key_id).map_err(of_key_store)? {
            None => Ok(None),
            Some(Ok(key)) => Ok(Some(key)),
            Some(Err(error @ KeeperError::Unusable { .. })) => Err(unavailable(error)),
            Some(Err(error)) => Err(does_not_open(subject, &error)),
        }
    }

    /// Whether the key of a face is there.
    pub(crate) fn has(&self, key_id: &FaceKeyId) -> Result<bool, StoreError> {
        let found = self.connections.read(|conn| table::find(conn, key_id));
        found.map(|key| key.is_some()).map_err(of_key_store)
    }

    /// Deletes the key of a face. Without it, no copy of the face can be opened. Returns whether the key was there.
    pub(crate) fn erase(&self, key_id: &FaceKeyId) -> Result<bool, StoreError> {
        self.erase_all(&[*key_id]).map(|erased| erased > 0)
    }

    /// Deletes keys of faces, all or none. Returns how many were there.
    pub(crate) fn erase_all(&self, key_ids: &[FaceKeyId]) -> Result<u64, StoreError> {
        let erased = self.write(|conn| {
            let mut erased = 0;
            for key_id in key_ids {
                erased += u64::from(table::delete(conn, key_id)?);
            }
            Ok(erased)
        });
        // Those who record wait meanwhile.
        let erased = erased.and_then(|many| self.forget_deleted(SHORT_PATIENCE).map(|()| many));
        erased.map_err(of_key_store)
    }

    /// The next keys behind `after` that were made before a time, by their names.
    pub(crate) fn made_between(
        &self,
        after: &FaceKeyId,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<FaceKeyId>, StoreError> {
        let before = FaceKeyId::first_at(before);
        let found = self
            .connections
            .read(|conn| table::between(conn, after, &before, limit));
        found.map_err(of_key_store)
    }

    /// Since when no backup of the key store opens what was erased at this time: the first rotation that began afterwards is
    /// done since then. `None` if none is. Blocks.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`].
    pub fn unreadable_since(&self, erased_at: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let since = self
            .connections
            .read(|conn| table::destroyed_after(conn, erased_at.unix_millis()));
        Ok(since.map_err(of_key_store)?.and_then(Timestamp::from_unix_millis))
    }

    fn write<T>(
        &self,
        mut operation: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.connections.write(|conn| {
            if let Connection::Sqlite(_) = conn {
                // What is deleted or changed is overwritten with zeros, and is not left in free pages.
                conn.execute("PRAGMA secure_delete = ON")?;
            }
            conn.transaction(Purpose::Write, &mut operation)
        })
    }

    /// Empties the log of a SQLite file, which holds what was deleted.
    fn forget_deleted(&self, patience: Duration) -> Result<(), StoreError> {
        self.log_is_due.store(true, Ordering::Relaxed);
        if !self.empty_log(patience)? {
            log::warn!("somebody reads the key store for a long time: erased keys stay in its -wal until they stop");
        }
        Ok(())
    }

    /// Whether the log of a SQLite file still holds keys that were erased.
    pub(crate) fn log_is_due(&self) -> bool {
        self.log_is_due.load(Ordering::Relaxed)
    }

    /// Empties the log of a SQLite file. Returns false if somebody who reads the file keeps it from being emptied.
    pub(crate) fn empty_log(&self, patience: Duration) -> Result<bool, StoreError> {
        let is_empty = self.connections.write_back(patience)?.is_empty;
        if is_empty {
            self.log_is_due.store(false, Ordering::Relaxed);
        }
        Ok(is_empty)
    }
}

fn does_not_open(subject: Subject<'_>, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::internal(format!("the face of record {} does not open: {why}", subject.check_id))
}

/// The connections to a URL, as in [`FaceKeys::open`].
fn connections(url: &str) -> Result<Connections, OpenError> {
    if postgres::is_url(url) {
        postgres::check_url(url)?;
        let pool = Pool::Postgres(postgres::pool(url, CONNECTIONS));
        return Ok(Connections::new(pool.clone(), pool, None));
    }
    let path = Path::new(sqlite::path(url)?);
    let (readers, writer) = sqlite::open_file(path, true)?;
    let file = DatabaseFile::at(path)?;
    Ok(Connections::new(
        Pool::Sqlite(readers),
        Pool::Sqlite(writer),
        Some(file),
    ))
}

/// The same error without its kind: a broken connection to the key store is none to the records. What may have been committed
/// is a key that opens nothing.
fn of_key_store(error: StoreError) -> StoreError {
    let told = format!("{KEY_STORE}: {}", error.cause());
    match error {
        StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) => StoreError::unavailable(told),
        _ => StoreError::internal(told),
    }
}

fn unavailable(error: KeeperError) -> StoreError {
    StoreError::unavailable(error)
}
