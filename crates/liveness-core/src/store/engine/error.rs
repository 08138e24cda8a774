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
#[error("{message}")]
pub struct OpenError {
    message: String,
    is_out_of_reach: bool,
}

impl OpenError {
    pub(crate) fn new(message: String) -> Self {
        Self {
            message,
            is_out_of_reach: false,
        }
    }

    pub(crate) fn out_of_reach(cause: &dyn std::fmt::Display) -> Self {
        Self {
            message: format!("cannot reach the database: {}", one_line(&cause.to_string())),
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

    /// Whether it may succeed later: the database's server does not answer.
    pub fn is_out_of_reach(&self) -> bool {
        self.is_out_of_reach
    }
}

fn one_line(text: &str) -> String {
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
            Self::Unavailable(cause) | Self::OutcomeUnknown(cause) | Self::Internal(cause) => cause.downcast_ref(),
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
    /// diesel has no kind for PostgreSQL's deadlock (40P01) and does not tell the code; all that it has no kind
    /// for is run again, which is harmless and bounded. A broken unique index is the race of two first uses of an
    /// idempotency key: the second run finds it. SQLite has no such trouble, because it has one writer at a time.
    ///
    /// What may have been committed is never run again.
    pub(crate) fn is_worth_repeating(&self) -> bool {
        !matches!(self, Self::OutcomeUnknown(_))
            && matches!(
                self.database_error(),
                Some(DieselError::DatabaseError(
                    DatabaseErrorKind::SerializationFailure
                        | DatabaseErrorKind::UniqueViolation
                        | DatabaseErrorKind::Unknown,
                    _
                ))
            )
    }
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        if is_fault_of_ours(&error) {
            Self::internal(error)
        } else {
            Self::unavailable(error)
        }
    }
}

/// Most trouble of the storage (busy, full, I/O, corrupt, shutting down) has no kind in diesel, so what is *not*
/// storage trouble is listed here: broken constraints, and SQL that does not fit the schema.
fn is_fault_of_ours(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(kind, information) => match kind {
            DatabaseErrorKind::UniqueViolation
            | DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::NotNullViolation
            | DatabaseErrorKind::CheckViolation => true,
            DatabaseErrorKind::Unknown => {
                // SQLite's words, and PostgreSQL's.
                let message = information.message();
                message.starts_with("no such ")
                    || message.contains("syntax error")
                    || message.ends_with(" does not exist")
            }
            _ => false,
        },
        DieselError::BrokenTransactionManager | DieselError::RollbackErrorOnCommit { .. } => false,
        _ => true,
    }
}

/// A failure of COMMIT itself. It is certain to have rolled back when SQLite's disk is full, and when PostgreSQL
/// could not serialize it.
pub(crate) fn of_commit(error: DieselError) -> StoreError {
    let is_rolled_back = match &error {
        DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => true,
        DieselError::DatabaseError(_, information) => information.message() == "database or disk is full",
        _ => false,
    };
    match StoreError::from(error) {
        StoreError::Unavailable(cause) if !is_rolled_back => StoreError::OutcomeUnknown(cause),
        other => other,
    }
}
