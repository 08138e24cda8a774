//! What can go wrong at the database, in the words of the domain; the one reading of diesel's errors.

use std::error::Error;
use std::sync::Arc;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// What a failure came from; for the log, never for a client. Shared, because a batch fails as one.
pub(crate) type Cause = Arc<dyn Error + Send + Sync>;

/// Why an operation of the store failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The session id was recorded by another user before. Nothing was recorded.
    #[error("the session id was recorded by another user")]
    SessionOfAnotherUser,
    /// The idempotency key came with another body before. Nothing was recorded.
    #[error("the idempotency key was used with another body")]
    IdempotencyKeyReused,
    /// The database is out of reach, full or too busy. Nothing was recorded; a retry may succeed.
    #[error("the database is out of reach")]
    Unavailable(#[source] Cause),
    /// The commit itself failed: what it held may be recorded or not.
    #[error("the commit failed, so its outcome is unknown")]
    OutcomeUnknown(#[source] Cause),
    /// The database and this program do not understand each other.
    #[error("the database answered what the program does not expect")]
    Internal(#[source] Cause),
}

/// Why a database could not be opened: one line for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{message}{}", mend.map(|mend| format!("; {mend}")).unwrap_or_default())]
pub struct OpenError {
    message: String,
    mend: Option<&'static str>,
    is_out_of_reach: bool,
}

impl OpenError {
    pub(crate) fn new(message: String) -> Self {
        Self {
            message,
            mend: None,
            is_out_of_reach: false,
        }
    }

    /// The same with what would mend it.
    pub(crate) fn mended_by(self, mend: &'static str) -> Self {
        Self {
            mend: Some(mend),
            ..self
        }
    }

    pub(crate) fn out_of_reach(cause: &dyn std::fmt::Display) -> Self {
        Self {
            message: format!("cannot reach the database: {}", one_line(&cause.to_string())),
            mend: None,
            is_out_of_reach: true,
        }
    }

    /// Why something could not be done to the database.
    pub(crate) fn of(verb: &str, error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => Self::out_of_reach(cause),
            other => Self::new(format!("cannot {verb} the database: {}", one_line(&other.cause()))),
        }
    }

    /// What is wrong.
    pub fn problem(&self) -> &str {
        &self.message
    }

    /// What would mend it, where that is known.
    pub fn mend(&self) -> Option<&str> {
        self.mend
    }

    /// Whether it may succeed later: the database's server does not answer.
    pub fn is_out_of_reach(&self) -> bool {
        self.is_out_of_reach
    }
}

pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl StoreError {
    pub(crate) fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(Arc::from(cause.into()))
    }

    pub(crate) fn outcome_unknown(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::OutcomeUnknown(Arc::from(cause.into()))
    }

    pub(crate) fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(Arc::from(cause.into()))
    }

    /// What it came from, for the log.
    pub(crate) fn cause(&self) -> String {
        Error::source(self).map_or_else(|| self.to_string(), ToString::to_string)
    }

    fn database_error(&self) -> Option<&DieselError> {
        match self {
            Self::Unavailable(cause) | Self::OutcomeUnknown(cause) | Self::Internal(cause) => {
                let with_detail = cause.downcast_ref::<WithDetail>();
                with_detail.map(|cause| &cause.error).or_else(|| cause.downcast_ref())
            }
            Self::SessionOfAnotherUser | Self::IdempotencyKeyReused => None,
        }
    }

    /// Whether the connection is of no more use: it broke, or leads to a server that takes no writes any more.
    pub(crate) fn is_of_the_connection(&self) -> bool {
        matches!(
            self.database_error(),
            Some(
                DieselError::BrokenTransactionManager
                    | DieselError::DatabaseError(
                        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::ReadOnlyTransaction,
                        _
                    )
            )
        )
    }

    /// Whether the same transaction may succeed when it is run again at once: another node's came between.
    ///
    /// A unique index that refuses is the race of two first uses of an idempotency key: the second run finds the first.
    /// diesel has no kind for PostgreSQL's deadlock (40P01), which is told by its words. SQLite has one writer at a time,
    /// and no such trouble.
    ///
    /// What may have been committed is never run again.
    pub(crate) fn is_worth_repeating(&self) -> bool {
        if matches!(self, Self::OutcomeUnknown(_)) {
            return false;
        }
        match self.database_error() {
            Some(DieselError::DatabaseError(kind, information)) => match kind {
                DatabaseErrorKind::SerializationFailure | DatabaseErrorKind::UniqueViolation => true,
                DatabaseErrorKind::Unknown => information.message().contains("deadlock"),
                _ => false,
            },
            _ => false,
        }
    }
}

/// A database's error with what it says besides its message: why, and what would help.
#[derive(Debug, thiserror::Error)]
#[error("{error}{}", self.detail())]
struct WithDetail {
    error: DieselError,
}

impl WithDetail {
    /// Nothing that quotes a row: `Key (session_id)=(…)`, `Failing row contains (…)`.
    fn detail(&self) -> String {
        let DieselError::DatabaseError(_, information) = &self.error else {
            return String::new();
        };
        let quotes_a_row = |text: &&str| text.contains("=(") || text.starts_with("Failing row");
        let parts = [("detail", information.details()), ("hint", information.hint())];
        let parts = parts.into_iter().filter_map(|(name, text)| Some((name, text?)));
        parts
            .filter(|(_, text)| !quotes_a_row(text))
            .map(|(name, text)| format!("; {name}: {}", one_line(text)))
            .collect()
    }
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        if is_fault_of_ours(&error) {
            Self::internal(WithDetail { error })
        } else {
            Self::unavailable(error)
        }
    }
}

/// diesel tells neither PostgreSQL's SQLSTATE nor SQLite's code for most errors, so that some are told by their words.
fn is_fault_of_ours(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(kind, information) => match kind {
            DatabaseErrorKind::UniqueViolation
            | DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::NotNullViolation
            | DatabaseErrorKind::CheckViolation
            | DatabaseErrorKind::RestrictViolation
            | DatabaseErrorKind::ExclusionViolation => true,
            DatabaseErrorKind::Unknown => !is_trouble_of_the_storage(information.message()),
            _ => false,
        },
        DieselError::BrokenTransactionManager | DieselError::RollbackErrorOnCommit { .. } => false,
        _ => true,
    }
}

/// What SQLite says when it is busy, or its file cannot be read or written (`sqlite3_errstr`).
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

/// What PostgreSQL says when it is out of room, memory or connections, cannot read or write a file, stops, or ends a
/// statement that waits: SQLSTATE classes 53, 57 and 58, and 40P01, 55P03 and 08006 that a worker of Citus passes on.
const POSTGRES_TROUBLE: [&str; 27] = [
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
];

/// Whether the database is there and can do its work again later. Everything else is a statement that it will never
/// understand, or a fault in it.
fn is_trouble_of_the_storage(message: &str) -> bool {
    let message = &*message.to_lowercase();
    let is_said = |words: &&str| message.contains(&words.to_lowercase());
    // A file that is shorter than it should be is corrupt (XX001).
    let is_cut_off = message.contains(": read only");
    !is_cut_off && (SQLITE_TROUBLE.iter().any(is_said) || POSTGRES_TROUBLE.iter().any(is_said))
}

/// A failure of COMMIT itself. It is certain to have rolled back when SQLite's disk is full, when PostgreSQL could not
/// serialize it, and when a constraint was violated.
pub(crate) fn of_commit(error: DieselError) -> StoreError {
    let is_rolled_back = match &error {
        DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => true,
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, information) => {
            information.message() == "database or disk is full"
        }
        _ => is_fault_of_ours(&error),
    };
    match StoreError::from(error) {
        StoreError::Unavailable(cause) | StoreError::Internal(cause) if !is_rolled_back => {
            StoreError::OutcomeUnknown(cause)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the engines say word for word, PostgreSQL's first.
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
    fn trouble_of_the_storage_is_told_from_what_it_will_never_understand() {
        for message in TROUBLE {
            assert!(is_trouble_of_the_storage(message), "{message}");
        }
        for message in FAULTS {
            assert!(!is_trouble_of_the_storage(message), "{message}");
        }
    }
}
