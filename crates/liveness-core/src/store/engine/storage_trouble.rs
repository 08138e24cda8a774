//! Tells trouble of the storage from other errors of a database, by the words of the message.
//!
//! diesel gives neither PostgreSQL's SQLSTATE nor SQLite's code. So the server must speak English (`lc_messages`).

/// Messages of SQLite when it is busy, or cannot read or write its file (`sqlite3_errstr`).
const SQLITE_TROUBLE: [&str; 12] = [
    "database is locked",
    "database table is locked",
    "database schema is locked",
    "database schema has changed",
    "disk I/O error",
    "database disk image is malformed",
    "database or disk is full",
    "unable to open database file",
    "attempt to write a readonly database",
    "file is not a database",
    "locking protocol",
    "interrupted",
];

/// Parts of PostgreSQL's messages when it is out of room, memory or connections, cannot read or write a file, stops, or
/// ends a statement that waits: SQLSTATE classes 53, 57 and 58, and 40P01, 55P03 and 08006.
const POSTGRES_TROUBLE: [&str; 28] = [
    "No space left on device",
    "Disk quota exceeded",
    "Input/output error",
    "Too many open files",
    "Read-only file system",
    "Cannot allocate memory",
    "out of memory",
    "out of shared memory",
    "temporary file size exceeds",
    "could not extend file",
    "could not open file",
    "could not read",
    "could not write",
    "could not fsync",
    "could not access",
    "could not resize",
    "too many connections",
    "too many clients",
    "connection slots",
    "number of prepared transactions",
    "the database system is",
    "terminating connection",
    "canceling statement",
    "canceling the transaction",
    "deadlock detected",
    "server closed the connection",
    "connection to the remote node",
    super::standby::NOT_CONFIRMED,
];

/// Whether the message tells of trouble that passes: the database can do its work again later. Any other message tells of
/// a statement that the database will never understand, or of a fault in it.
pub(crate) fn is_storage_trouble(message: &str) -> bool {
    let message = &*message.to_lowercase();
    let is_in_message = |words: &&str| message.contains(&words.to_lowercase());
    // A file that is shorter than it should be is corrupt (XX001).
    let is_cut_off = message.contains(": read only");
    !is_cut_off && (SQLITE_TROUBLE.iter().any(is_in_message) || POSTGRES_TROUBLE.iter().any(is_in_message))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages of the engines, word for word; PostgreSQL's come first.
    const TROUBLE: [&str; 46] = [
        "could not extend file \"base/5/16384\": No space left on device",
        "could not extend file \"base/5/16384\": wrote only 4096 of 8192 bytes at block 7",
        "could not write to file \"pg_wal/xlogtemp.77\": No space left on device",
        "could not write block 7 in file \"base/5/16384\": Input/output error",
        "could not read block 7 in file \"base/5/16384\": Input/output error",
        "could not fsync file \"base/5/16384\": Input/output error",
        "could not seek to end of file \"base/5/16384\": Input/output error",
        "could not open file \"base/5/16384\": Too many open files in system",
        "could not open file \"base/5/16384\": Read-only file system",
        "could not create file \"base/5/16384\": Disk quota exceeded",
        "could not access status of transaction 7",
        "could not resize shared memory segment \"/PostgreSQL.7\" to 8388608 bytes: No space left on device",
        "out of file descriptors: Too many open files in system; release and retry",
        "temporary file size exceeds temp_file_limit (1024kB)",
        "out of memory",
        "out of shared memory",
        "sorry, too many clients already",
        "too many connections for role \"liveness\"",
        "too many connections for database \"liveness\"",
        "remaining connection slots are reserved for non-replication superuser connections",
        "remaining connection slots are reserved for roles with the SUPERUSER attribute",
        "remaining connection slots are reserved for roles with privileges of the \"pg_use_reserved_connections\" role",
        "the database system is starting up",
        "the database system is shutting down",
        "the database system is in recovery mode",
        "the database system is not yet accepting connections",
        "terminating connection due to administrator command",
        "terminating connection because of crash of another server process",
        "terminating connection due to idle-in-transaction timeout",
        "canceling statement due to lock timeout",
        "canceling statement due to statement timeout",
        "canceling statement due to conflict with recovery",
        "deadlock detected",
        "server closed the connection unexpectedly",
        "maximum number of prepared transactions reached",
        "canceling the transaction since it was involved in a distributed deadlock",
        "connection to the remote node postgres@10.0.0.2:5432 failed with the following error: Connection refused",
        "database is locked",
        "database table is locked: liveness_checks",
        "disk I/O error",
        "database disk image is malformed",
        "database or disk is full",
        "unable to open database file",
        "attempt to write a readonly database",
        "file is not a database",
        "interrupted",
    ];
    const FAULTS: [&str; 25] = [
        "could not read block 7 in file \"base/5/16384\": read only 0 of 8192 bytes",
        "invalid page in block 7 of relation base/5/16384",
        "could not open relation with OID 16384",
        "cache lookup failed for type 1234",
        "permission denied for table liveness_checks",
        "permission denied for schema public",
        "relation \"liveness_checks\" does not exist",
        "column \"passed\" does not exist",
        "function unnest(bigint) does not exist",
        "syntax error at or near \"SELEC\"",
        "value too long for type character varying(64)",
        "bigint out of range",
        "cached plan must not change result type",
        "prepared statement \"__diesel_stmt_0\" does not exist",
        "current transaction is aborted, commands ignored until end of transaction block",
        "invalid byte sequence for encoding \"UTF8\": 0x00",
        "could not create distributed plan",
        "complex joins are only supported when all distributed tables are co-located and joined on their \
         distribution columns",
        "the query contains a join that requires repartitioning",
        "function unnest is not supported",
        "no such table: liveness_checks",
        "no such column: passed",
        "near \"SELEC\": syntax error",
        "too many SQL variables",
        "datatype mismatch",
    ];

    #[test]
    fn storage_trouble_is_told_from_faults() {
        for message in TROUBLE {
            assert!(is_storage_trouble(message), "{message}");
        }
        for message in FAULTS {
            assert!(!is_storage_trouble(message), "{message}");
        }
    }
}
