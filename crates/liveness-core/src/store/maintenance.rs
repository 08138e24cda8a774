//! What an operator asks of a store: migrations, the state of the schema, a diagnosis, and numbers.

use std::time::Duration;

use super::Store;
use super::engine::connection::Connection;
use super::engine::diagnosis::{self, Diagnosis};
use super::engine::error::{OpenError, StoreError};
use super::queue::stats::StoreStats;
use super::tables::checks::find;
use super::tables::distribution::SHARDING;
use super::tables::faces;
use super::tables::questions;
use super::tables::totals;
use super::tables::trail::entries;

/// The tables whose rows this program never changes, but by an erasure.
const KEPT: [(&str, &str); 4] = [
    ("liveness_audit_entries", ""),
    ("liveness_checks", "decision"),
    ("liveness_decisions", ""),
    ("liveness_images", ""),
];

impl Store {
    /// Brings the schema up to date, and returns the names of the migrations that it ran. A database that lacks none is
    /// only read. Blocks.
    ///
    /// On PostgreSQL, nodes that migrate at once take turns, and a migration waits for other sessions that use the tables.
    /// The log says which sessions it waits for. It lets their waiting statements pass every 2 s.
    ///
    /// The tables of the key store are made too, if faces are sealed.
    ///
    /// After it has failed, everything is [`StoreError::Unavailable`] until it succeeds.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the database is out of reach, when it has a migration that this program must not run with, or when a
    /// migration fails, with nothing changed.
    pub fn migrate(&self) -> Result<Vec<String>, OpenError> {
        let ran = self.connections.migrate(&SHARDING)?;
        if let Some(keys) = self.face_keys() {
            keys.migrate()?;
        }
        Ok(ran)
    }

    /// Looks whether this program may run with the schema. From then on, everything is [`StoreError::Unavailable`] if it may
    /// not, until another look finds that it may. Blocks, and changes nothing in the database.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when it may not, or the database cannot be asked.
    pub fn check_schema(&self) -> Result<(), OpenError> {
        let state = self.connections.look_at_schema()?;
        match (&*state.lacking, &*state.unknown) {
            ([], []) => Ok(()),
            (_, [version, ..]) => Err(OpenError::new(format!(
                "the database's schema is newer than this program: it has migration {version}"
            ))
            .mended_by("install the version that made it, or a later one")),
            ([name, ..], []) => Err(OpenError::new(format!(
                "the database's schema is not up to date: it lacks {name}; run `migrate` first"
            ))),
        }
    }

    /// Looks whether the place of the faces outside the database can be used, with an object of its own. Without such a place, it
    /// looks that no face is in one. Blocks.
    ///
    /// # Errors
    ///
    /// [`OpenError`], which [is out of reach](OpenError::is_out_of_reach) if the place does not answer.
    pub fn check_face_place(&self) -> Result<(), OpenError> {
        match &self.face_tools.objects {
            Some(objects) => objects.check().map_err(|error| OpenError::of_place(&error)),
            None if self.connections.inspect(faces::any_is_in_object)? => Err(OpenError::new(
                "faces are in an object store, which is not named".to_owned(),
            )
            .mended_by("set LIVENESS_FACES_URL to it, or to database,URL to put new faces into the database")),
            None => Ok(()),
        }
    }

    /// Looks whether sealed faces can be opened, and new ones sealed. A key store that is empty though faces are sealed is not
    /// theirs, or was lost: nobody may take it for one from which everything was erased. Blocks, and changes nothing.
    ///
    /// # Errors
    ///
    /// [`OpenError`], which says what is missing.
    pub fn check_faces(&self) -> Result<(), OpenError> {
        match self.face_keys() {
            None if self.has_sealed_faces()? => Err(OpenError::new(
                "faces are sealed, and there are no keys to open them with".to_owned(),
            )
            .mended_by("set LIVENESS_FACE_KEYS to the folder of their key-encryption keys")),
            None => Ok(()),
            Some(keys) => {
                keys.check()?;
                if keys.is_empty()? && self.has_sealed_faces()? {
                    return Err(OpenError::new("faces are sealed, and it has no key".to_owned())
                        .mended_by("name the key store of these faces in LIVENESS_KEYS_URL, or put its backup back")
                        .of_key_store());
                }
                Ok(())
            }
        }
    }

    /// Whether the newest face is sealed. Blocks, and changes nothing.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the database cannot be asked.
    pub fn has_sealed_faces(&self) -> Result<bool, OpenError> {
        Ok(self.connections.inspect(faces::newest_is_sealed)? == Some(true))
    }

    /// What the database says of itself, for who runs it. Blocks, and leaves nothing changed.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the database cannot be asked.
    pub fn diagnose(&self) -> Result<Diagnosis, OpenError> {
        let mut found = self.connections.inspect(|conn| {
            diagnosis::diagnose(
                conn,
                self.connections.settings(),
                find::newest_check,
                &questions::ALL,
                entries::try_to_insert,
                &KEPT,
            )
        })?;
        if let Some(trouble) = self.connections.file_trouble() {
            for refusal in [&mut found.read_refusal, &mut found.write_refusal]
                .into_iter()
                .flatten()
            {
                *refusal = format!("{refusal}: {trouble}");
            }
        }
        Ok(found)
    }

    /// How many successful records have no verdict, because they are older than verdicts, and were not approved. They do not pass
    /// where the policy has verdicts count. Blocks, and changes nothing.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the database cannot be asked.
    pub fn unjudged_checks(&self) -> Result<i64, OpenError> {
        self.connections.inspect(totals::unjudged)
    }

    /// Ends the use of a SQLite file: writes the write-ahead log back, so that the file alone is whole and may be copied or
    /// moved. Waits at most `patience` for others who use the file, and says in the log if they kept the file from being
    /// whole. So does the key store of the faces. Blocks. Call this last; on PostgreSQL it does nothing. Returns whether the
    /// files are whole.
    pub fn close(&self, patience: Duration) -> bool {
        let written = self.connections.write_back(patience).map(|written| written.is_whole);
        match &written {
            Ok(true) => {}
            Ok(false) => log::warn!(
                "the database file alone is not whole, because another process uses it: copy its -wal with it"
            ),
            Err(error) => log::warn!(
                "the database file alone is not whole: copy its -wal with it: {}",
                error.cause()
            ),
        }
        let keys_are_written = self.face_keys().is_none_or(|keys| keys.close(patience));
        written.unwrap_or(false) && keys_are_written
    }

    /// Answers when the database can be read.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when it cannot.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let read = |conn: &mut Connection<'_>| Ok(conn.execute("SELECT 1 FROM liveness_checks LIMIT 1")?);
        self.reads.read(read).await
    }

    /// What the store is doing, in numbers. Asks nothing of the database.
    pub fn stats(&self) -> StoreStats {
        let waiting_reads = self.reads.waiting() + self.checks.waiting() + self.users.waiting();
        self.counters
            .snapshot(self.connections.state(), waiting_reads, self.writer.waiting())
    }
}
