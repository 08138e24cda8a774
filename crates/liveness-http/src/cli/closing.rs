//! Ends a subcommand's use of the database.

use std::time::Duration;

use liveness_core::store::Store;

/// How long the end waits for others who use the database file.
const PATIENCE: Duration = Duration::from_millis(500);

/// Leaves a SQLite file that is whole without its log, unless another process still uses it.
pub(super) fn close(store: &Store) {
    store.close(PATIENCE);
}
