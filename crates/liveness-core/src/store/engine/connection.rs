//! One connection of any engine, and its transactions. The engine is chosen by matching on [`Connection`].

use diesel::connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager as _};
use diesel::pg::PgConnection;
use diesel::result::{Error as DieselError, QueryResult};
use diesel::sqlite::SqliteConnection;

use super::error::{self, StoreError};
use super::{postgres, standby};

/// A connection to the database. An embedding backend can lend one to the store.
#[expect(missing_debug_implementations, reason = "diesel's connections have none")]
pub enum Connection<'a> {
    /// A connection to SQLite.
    Sqlite(&'a mut SqliteConnection),
    /// A connection to PostgreSQL.
    Postgres(&'a mut PgConnection),
    /// A connection to the coordinator of a Citus cluster, which is sharded PostgreSQL.
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

/// Whether the database cannot store this text. PostgreSQL has no U+0000 in texts, and refuses even a query with it.
pub(crate) fn cannot_be_stored(text: &str) -> bool {
    text.contains('\0')
}

/// Runs a query on a connection of either engine. The query is written once.
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

/// The purpose of a transaction.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// Several reads from one snapshot.
    Read,
    /// Writes.
    Write,
}

impl Connection<'_> {
    /// Whether the tables are sharded.
    pub(crate) fn is_citus(&self) -> bool {
        matches!(self, Self::Citus(_))
    }

    /// Runs `operation` in a transaction of its own. Either everything is committed, or nothing.
    pub(crate) fn transaction<T>(
        &mut self,
        purpose: Purpose,
        operation: impl FnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.begin(purpose)?;
        match operation(self) {
            Ok(value) => {
                self.commit(purpose).map_err(error::of_commit)?;
                Ok(value)
            }
            Err(error) => {
                // If the rollback fails too, diesel marks the connection as broken. The first error says more.
                let _ = on_either!(self, |conn| AnsiTransactionManager::rollback_transaction(&mut **conn));
                Err(error)
            }
        }
    }

    /// Commits a transaction. On PostgreSQL, a write is committed once the synchronous standbys have it: see
    /// [`standby::COMMIT`].
    fn commit(&mut self, purpose: Purpose) -> QueryResult<()> {
        match (self, purpose) {
            // diesel sees that the transaction has ended.
            (Self::Postgres(conn) | Self::Citus(conn), Purpose::Write) => conn.batch_execute(standby::COMMIT),
            (conn, _) => on_either!(conn, |conn| AnsiTransactionManager::commit_transaction(&mut **conn)),
        }
    }

    /// Begins a transaction.
    ///
    /// A write on SQLite begins with IMMEDIATE. Without it, a transaction that reads before it writes fails at once
    /// while another transaction writes. A read on PostgreSQL asks for REPEATABLE READ. Without it, each statement sees
    /// rows that were committed after the previous statement. A write on PostgreSQL raises `synchronous_commit` for
    /// itself, so that its commit is durable even if the session is not the one that was set up.
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
            (Self::Postgres(conn), Purpose::Write) => begin_durable(conn, ""),
            // The settings of a session do not reach the workers. SET LOCAL does, because `citus::SETTINGS` asks for
            // it.
            (Self::Citus(conn), Purpose::Write) => begin_durable(conn, "SET LOCAL lock_timeout = '4s'"),
        }
    }

    /// Runs statements that have no values.
    pub(crate) fn execute(&mut self, statements: &str) -> QueryResult<()> {
        on_either!(self, |conn| conn.batch_execute(statements))
    }

    /// Makes the pool drop this connection instead of lending it again. The pool drops a connection that comes back in
    /// a transaction.
    pub(crate) fn spoil(&mut self) {
        let begun: Result<(), DieselError> =
            on_either!(self, |conn| AnsiTransactionManager::begin_transaction(&mut **conn));
        // A connection that cannot begin a transaction is broken, and the pool drops it too.
        drop(begun);
    }
}

/// Begins a write, with more statements, in one message. If one of them fails, no transaction is left open.
fn begin_durable(conn: &mut PgConnection, more: &str) -> QueryResult<()> {
    let begin = format!("BEGIN; {}; {more}", postgres::raised_synchronous_commit(true));
    let begun = AnsiTransactionManager::begin_transaction_sql(conn, &begin);
    if begun.is_err() {
        // The first error says more. A broken connection fails again, and the pool drops it.
        let _ = conn.batch_execute("ROLLBACK");
    }
    begun
}
