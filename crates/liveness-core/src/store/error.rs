//! What can go wrong at the database, in the words of the domain; the one reading of diesel's errors.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// What a failure came from; for the log, never for a client.
pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why an operation of the store failed.
#[derive(Debug, thiserror::Error)]
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
#[error("{0}")]
pub struct OpenError(pub(super) String);

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        if is_fault_of_ours(&error) {
            Self::Internal(error.into())
        } else {
            Self::Unavailable(error.into())
        }
    }
}

impl From<diesel::r2d2::PoolError> for StoreError {
    fn from(error: diesel::r2d2::PoolError) -> Self {
        Self::Unavailable(error.into())
    }
}

/// SQLite's own trouble (busy, full, I/O, corrupt, read-only) has no kind in diesel, so what is *not*
/// storage trouble is listed here: broken constraints, and SQL that does not fit the schema.
fn is_fault_of_ours(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(kind, information) => match kind {
            DatabaseErrorKind::UniqueViolation
            | DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::NotNullViolation
            | DatabaseErrorKind::CheckViolation => true,
            _ => {
                let message = information.message();
                message.starts_with("no such ") || message.contains("syntax error")
            }
        },
        DieselError::BrokenTransactionManager | DieselError::RollbackErrorOnCommit { .. } => false,
        _ => true,
    }
}

/// A failure of COMMIT itself. Only a full disk is certain to have rolled back.
pub(super) fn of_commit(error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(cause) if cause.to_string() == "database or disk is full" => {
            StoreError::Unavailable(cause)
        }
        StoreError::Unavailable(cause) => StoreError::OutcomeUnknown(cause),
        other => other,
    }
}
