//! What an operator asks of the key store: its tables, a check, a copy.

use std::path::Path;
use std::time::Duration;

use super::{FaceKeys, table};
use crate::store::engine::connection::{Connection, Purpose};
use crate::store::engine::error::{OpenError, StoreError};
use crate::store::engine::sqlite_snapshot;

impl FaceKeys {
    /// Makes the tables, where there are none. Blocks.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the database is out of reach, or the role may not make tables.
    pub fn migrate(&self) -> Result<(), OpenError> {
        if self.connections.inspect(table::is_made)? {
            return Ok(());
        }
        let made = self.connections.inspect(table::create);
        // Two nodes may make them at once: one of them fails, and finds them made.
        made.or_else(|error| match self.connections.inspect(table::is_made) {
            Ok(true) => Ok(()),
            _ => Err(error),
        })
    }

    /// Looks whether the tables are there and take keys, and whether the keeper has every key that wraps one. Blocks, and
    /// leaves nothing changed.
    ///
    /// # Errors
    ///
    /// [`OpenError`], which says what is missing.
    pub fn check(&self) -> Result<(), OpenError> {
        if !self.connections.inspect(table::is_made)? {
            let missing = OpenError::new("it has no tables yet".to_owned()).mended_by("run `migrate` first");
            return Err(missing.of_key_store());
        }
        self.connections.inspect(|conn| {
            // A key store that takes no keys would be found out by the first face.
            let mut tried = None;
            let ended = conn.transaction(Purpose::Write, |conn| {
                tried = Some(table::try_to_add(conn));
                Err(StoreError::internal("it was only tried"))
            });
            tried.unwrap_or(ended)
        })?;
        let probe = self.connections.inspect(table::one_of_each)?;
        for key in probe {
            let (kek_id, unwrapped) = (&key.kek_id, self.unwrap(&key.kek_id, &key.wrapped, &key.key_id));
            if let Err(error) = unwrapped {
                return Err(
                    OpenError::new(format!("faces cannot be opened: {error}")).mended_by(format!(
                        "name the folder or token of the key-encryption key {kek_id}, or put the backup of that key back"
                    )),
                );
            }
        }
        Ok(())
    }

    /// Whether there is no key at all, as in a key store that was just made. Blocks.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the database cannot be asked.
    pub(crate) fn is_empty(&self) -> Result<bool, OpenError> {
        self.connections.inspect(table::is_empty)
    }

    /// Copies the key store of a SQLite file into an empty file, as it is at one moment, and returns how many keys the copy
    /// has. The file must exist and be empty. It is not synchronized to the disk. Blocks.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when this is no SQLite file, or the copy cannot be made, or is not whole.
    pub fn copy_into(&self, file: &Path) -> Result<i64, OpenError> {
        let Some(database) = self.connections.file() else {
            return Err(OpenError::new("only a SQLite file can be copied".to_owned()));
        };
        sqlite_snapshot::copy(database, file)?;
        let mut copy = sqlite_snapshot::open_whole(file)?;
        table::count(&mut Connection::Sqlite(&mut copy)).map_err(|error| OpenError::of("read the copy of", &error))
    }

    /// Writes the log of a SQLite file back, so that the file alone is whole. Returns whether it is.
    pub(crate) fn close(&self, patience: Duration) -> bool {
        let written = self.connections.write_back(patience).map(|written| written.is_whole);
        if !matches!(written, Ok(true)) {
            log::warn!("the file of the key store alone is not whole: copy its -wal with it");
        }
        written.unwrap_or(false)
    }
}
