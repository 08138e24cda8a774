//! One connection, of any engine, and its transactions. This is the place where the engine is matched on.

use diesel::connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager as _};
use diesel::pg::PgConnection;
use diesel::result::{Error as DieselError, QueryResult};
use diesel::sqlite::SqliteConnection;

use super::error::{self, StoreError};

/// A connection to the database, as an embedding backend lends one.
#[expect(missing_debug_implementations, reason = "diesel's connections have none")]
pub enum Connection<'a> {
    /// To SQLite.
    Sqlite(&'a mut SqliteConnection),
    /// To PostgreSQL.
    Postgres(&'a mut PgConnection),
    /// To the coordinator of a Citus cluster: PostgreSQL that shards.
    Citus(&'a mut PgConnection),
}

impl<'a> From<&'a mut SqliteConnection> for Connection<'a> {
    fn from(conn: &'a mut SqliteConnection) -> Self {
        Self::Sqlite(conn)
    }
}

impl<'a> From<&'a mut PgConnection> for Connection<'a> {
    fn from(conn: &'a mut PgConnection) -> Self {
        Self::Postgres(conn)
    }
}

/// Whether no text of the database can be this one: PostgreSQL has no U+0000, and does not even take the question.
pub(crate) fn cannot_be_stored(text: &str) -> bool {
    text.contains('\0')
}

/// Runs a query, which is written once, on the connection of either engine.
macro_rules! on_either {
    ($conn:expr, |$either:ident| $query:expr) => {
        match $conn {
            $crate::store::engine::connection::Connection::Sqlite($either) => $query,
            $crate::store::engine::connection::Connection::Postgres($either)
            | $crate::store::engine::connection::Connection::Citus($either) => $query,
        }
    };
}

pub(crate) use on_either;

/// What a transaction is for.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// To read more than once, from one snapshot.
    Read,
    /// To write.
    Write,
}

impl Connection<'_> {
    /// Whether the tables are sharded.
    pub(crate) fn is_citus(&self) -> bool {
        matches!(self, Self::Citus(_))
    }

    /// Runs `operation` in a transaction of its own: all of it is committed, or nothing.
    pub(crate) fn transaction<T>(
        &mut self,
        purpose: Purpose,
        operation: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.begin(purpose)?;
        match operation(self) {
            Ok(value) => {
                let committed = on_either!(self, |conn| AnsiTransactionManager::commit_transaction(&mut **conn));
                committed.map_err(error::of_commit)?;
                Ok(value)
            }
            Err(error) => {
                // When this fails too, the connection is known to be broken, and the first error says more.
                let _ = on_either!(self, |conn| AnsiTransactionManager::rollback_transaction(&mut **conn));
                Err(error)
            }
        }
    }

    /// SQLite begins to write IMMEDIATE: a deferred transaction that reads before it writes fails at once when another
    /// writes. PostgreSQL sees new rows with each statement unless it is told not to.
    fn begin(&mut self, purpose: Purpose) -> QueryResult<()> {
        match (self, purpose) {
            (Self::Sqlite(conn), Purpose::Read) => AnsiTransactionManager::begin_transaction_sql(&mut **conn, "BEGIN"),
            (Self::Sqlite(conn), Purpose::Write) => {
                AnsiTransactionManager::begin_transaction_sql(&mut **conn, "BEGIN IMMEDIATE")
            }
            (Self::Postgres(conn) | Self::Citus(conn), Purpose::Read) => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                AnsiTransactionManager::begin_transaction_sql(&mut **conn, begin)
            }
            (Self::Postgres(conn), Purpose::Write) => {
                AnsiTransactionManager::begin_transaction_sql(&mut **conn, "BEGIN")
            }
            // What a session sets does not reach the workers; what a transaction sets does, where we ask for it.
            (Self::Citus(conn), Purpose::Write) => {
                let begin = "BEGIN; SET LOCAL lock_timeout = '4s'";
                AnsiTransactionManager::begin_transaction_sql(&mut **conn, begin)
            }
        }
    }

    /// Runs statements that have no values.
    pub(crate) fn execute(&mut self, statements: &str) -> QueryResult<()> {
        on_either!(self, |conn| conn.batch_execute(statements))
    }

    /// Sees to it that the pool does not lend the connection again: it drops those that come back in a transaction.
    pub(crate) fn spoil(&mut self) {
        let begun: Result<(), DieselError> =
            on_either!(self, |conn| AnsiTransactionManager::begin_transaction(&mut **conn));
        // What cannot begin one is broken, and dropped as well.
        drop(begun);
    }
}
