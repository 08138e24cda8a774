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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_copy_that_is_not_whole_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (database, copy) = (folder.path().join("database"), folder.path().join("copy"));
        let mut conn = SqliteConnection::establish(&database.display().to_string()).unwrap();
        let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
            INSERT INTO texts SELECT i, hex(randomblob(20)) FROM n";
        conn.batch_execute(
            "CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT); CREATE INDEX by_text ON texts (text)",
        )
        .unwrap();
        conn.batch_execute(rows).unwrap();
        fs::write(&copy, "").unwrap();
        super::copy(&database, &copy).unwrap();
        let whole = fs::read(&copy).unwrap();
        assert!(open_whole(&copy).is_ok());

        // Any page but the first, which only holds the schema.
        for page in 1..whole.len() / 4096 {
            let mut broken = whole.clone();
            broken[page * 4096..(page + 1) * 4096].fill(0);
            fs::write(&copy, &broken).unwrap();
            let refused = open_whole(&copy).map(drop).map_err(|error| error.to_string());
            assert!(
                refused.is_err_and(|told| told.starts_with("the copy is not whole: ")),
                "{page}"
            );
        }
        for length in [0, 100, 4096, whole.len() / 2, whole.len() - 4096] {
            fs::write(&copy, &whole[..length]).unwrap();
            let is_refused = open_whole(&copy).is_err();
            // An empty file is a database without tables: its schema is looked at after this.
            assert_eq!(is_refused, length > 0, "{length}");
        }
    }
}
