//! One consistent snapshot of a SQLite database, in another file.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sqlite::SqliteConnection;

use super::database_file::{cannot_open, uri_of};
use super::error::OpenError;

/// Copies the database into an empty file.
///
/// The connection is one of its own. `VACUUM INTO` reads in a single transaction, so writers go on meanwhile, and it never
/// begins anew because of them. While it runs, the `-wal` of the database cannot be emptied, and grows.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), OpenError> {
    let target = to.to_str().filter(|target| !target.contains('\0'));
    let target = target.ok_or_else(|| OpenError::new(format!("the path {} is not UTF-8", to.display())))?;
    let mut conn = SqliteConnection::establish(&uri_of(from)).map_err(|error| cannot_open(from, &error))?;
    // SQLite would take a name that begins with `file:` for a URI.
    let target = if to.is_absolute() {
        target.to_owned()
    } else {
        format!("./{target}")
    };
    let copied = conn.batch_execute(&format!(
        "PRAGMA busy_timeout = 5000; VACUUM INTO '{}'",
        target.replace('\'', "''")
    ));
    copied.map_err(|error| OpenError::new(format!("cannot copy the database {}: {error}", from.display())))
}

/// Opens a copy to be read only, and refuses one that is broken.
pub(crate) fn open_whole(copy: &Path) -> Result<SqliteConnection, OpenError> {
    let broken = |what: &dyn std::fmt::Display| OpenError::new(format!("the copy is not whole: {what}"));
    let uri = uri_of(copy).replace("?mode=rw", "?mode=ro");
    let mut conn = SqliteConnection::establish(&uri).map_err(|error| broken(&error))?;
    let found: IntegrityCheck = diesel::sql_query("PRAGMA integrity_check(1)")
        .get_result(&mut conn)
        .map_err(|error| broken(&error))?;
    match found.integrity_check.as_str() {
        "ok" => Ok(conn),
        other => Err(broken(&other)),
    }
}

#[derive(QueryableByName)]
struct IntegrityCheck {
    #[diesel(sql_type = diesel::sql_types::Text)]
    integrity_check: String,
}
