//! Changes a SQLite file as its administrator could, past the store.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};

/// Runs statements on the file.
pub(crate) fn execute(file: &Path, sql: &str) {
    let mut link = SqliteConnection::establish(&file.to_string_lossy()).unwrap();
    link.batch_execute(&format!("PRAGMA busy_timeout = 5000; {sql}"))
        .unwrap();
}
