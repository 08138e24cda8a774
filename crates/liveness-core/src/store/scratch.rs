//! The mark of a scratch database, which was made to try things out. `serve --dev` refuses a
//! database without the mark, so that it never shows real records.

use super::Store;
use super::engine::error::OpenError;
use super::engine::migrations::has_table;

/// The mark. Only its existence counts, and no migration makes it.
const MARK: &str = "liveness_scratch";
/// A table that every migrated database has.
const RECORDS: &str = "liveness_checks";

impl Store {
    /// Whether this is a scratch database: it has the mark, or no records' table yet. Blocks, and changes nothing.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the database cannot be asked.
    pub fn is_scratch(&self) -> Result<bool, OpenError> {
        self.connections
            .inspect(|conn| Ok(has_table(conn, MARK)? || !has_table(conn, RECORDS)?))
    }

    /// Marks the database as a scratch database, unless it has the records' table already. Call this before
    /// [`migrate`](Store::migrate). Blocks.
    ///
    /// # Errors
    ///
    /// [`OpenError`] when the database cannot be written to.
    pub fn mark_as_scratch(&self) -> Result<(), OpenError> {
        self.connections.inspect(|conn| {
            if !has_table(conn, RECORDS)? {
                conn.execute(&format!("CREATE TABLE IF NOT EXISTS {MARK} (mark INTEGER)"))?;
            }
            Ok(())
        })
    }
}
