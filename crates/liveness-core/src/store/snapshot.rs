//! A snapshot of a SQLite database in another file: what a backup is made of.

use std::path::Path;

use super::Store;
use super::engine::connection::Connection;
use super::engine::error::{OpenError, StoreError};
use super::engine::postgres::PostgresSettings;
use super::engine::{migrations, sqlite_snapshot};
use super::tables::row_counts::{self, RowCounts};

impl Store {
    /// Copies the SQLite database into an empty file, as it is at one moment, and checks the copy: that it is whole, has
    /// the schema, and has no fewer rows than the database had before. Writes go on meanwhile. Blocks.
    ///
    /// The file must exist and be empty, so that the caller chooses who may read it. It is not synchronized to the disk.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the store is not of a SQLite file, when the copy cannot be made, or is not what it should be. The
    /// file is then of no use.
    pub fn copy_into(&self, file: &Path) -> Result<RowCounts, OpenError> {
        let Some(database) = self.connections.file() else {
            return Err(OpenError::new("only a SQLite file can be copied".to_owned()));
        };
        let least = self.connections.inspect(row_counts::count)?;
        sqlite_snapshot::copy(database, file)?;
        let mut copy = sqlite_snapshot::open_whole(file)?;
        let found =
            counts_of(&mut Connection::Sqlite(&mut copy)).map_err(|error| OpenError::of("read the copy of", &error))?;
        match found {
            Some(counts) if counts.covers(least) => Ok(counts),
            Some(_) => Err(OpenError::new(
                "the copy has fewer rows than the database had before".to_owned(),
            )),
            None => Err(OpenError::new(
                "the copy does not have the schema of this program".to_owned(),
            )),
        }
    }
}

/// What is in a copy, if its schema is that of this program.
fn counts_of(copy: &mut Connection<'_>) -> Result<Option<RowCounts>, StoreError> {
    let state = migrations::state(copy, &PostgresSettings::default())?;
    if state.lacking.is_empty() && state.unknown.is_empty() {
        row_counts::count(copy).map(Some)
    } else {
        Ok(None)
    }
}
