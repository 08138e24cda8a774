//! What can go wrong at the database, in the words of the domain; the one reading of diesel's errors.

mod open_error;

use std::error::Error;
use std::sync::Arc;

use diesel::result::{DatabaseErrorKind, Error as DieselError};

pub use self::open_error::OpenError;
use super::file_trouble::FileTrouble;
use super::storage_trouble::is_storage_trouble;
use crate::Refusal;

/// How errors and the log call the database of the wrapped keys.
pub(crate) const KEY_STORE: &str = "the key store of the faces";

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
    /// The policy refuses the report. Nothing was recorded.
    #[error("the policy refuses the report")]
    Refused(Refusal),
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

    /// The same with a file that caused it, for the log.
    pub(crate) fn because_of(self, trouble: &FileTrouble) -> Self {
        let explained = |cause: Cause| -> Cause {
            Arc::new(BecauseOfFile {
                cause,
                trouble: trouble.to_string(),
            })
        };
        match self {
            Self::Unavailable(cause) => Self::Unavailable(explained(cause)),
            Self::OutcomeUnknown(cause) => Self::OutcomeUnknown(explained(cause)),
            other => other,
        }
    }

    fn database_error(&self) -> Option<&DieselError> {
        match self {
            Self::Unavailable(cause) | Self::OutcomeUnknown(cause) | Self::Internal(cause) => {
                let of_file = cause.downcast_ref::<BecauseOfFile>();
                let cause = of_file.map_or(cause, |of_file| &of_file.cause);
                let with_detail = cause.downcast_ref::<WithDetail>();
                with_detail.map(|cause| &cause.error).or_else(|| cause.downcast_ref())
            }
            Self::SessionOfAnotherUser | Self::IdempotencyKeyReused | Self::Refused(_) => None,
        }
    }

    /// Whether a row holds what its columns cannot: nobody but who has changed it by hand.
    pub(crate) fn is_of_a_row(&self) -> bool {
        matches!(self.database_error(), Some(DieselError::DeserializationError(_)))
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

/// An error with the file that caused it.
#[derive(Debug, thiserror::Error)]
#[error("{cause}: {trouble}")]
struct BecauseOfFile {
    cause: Cause,
    trouble: String,
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

/// Whether a statement or the schema is at fault. For most errors diesel gives neither PostgreSQL's SQLSTATE nor SQLite's
/// code, so the message decides.
fn is_fault_of_ours(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(kind, information) => match kind {
            DatabaseErrorKind::UniqueViolation
            | DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::NotNullViolation
            | DatabaseErrorKind::CheckViolation
            | DatabaseErrorKind::RestrictViolation
            | DatabaseErrorKind::ExclusionViolation => true,
            DatabaseErrorKind::Unknown => !is_storage_trouble(information.message()),
            _ => false,
        },
        DieselError::BrokenTransactionManager | DieselError::RollbackErrorOnCommit { .. } => false,
        _ => true,
    }
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
