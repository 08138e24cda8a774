//! Runs operations on connections, and tries them again when the database goes away.
//!
//! A broken connection is dropped. The operation is repeated on the next connection, if a repetition does no harm.

use std::sync::atomic::Ordering;
use std::time::Instant;

use diesel::pg::PgConnection;
use diesel::sqlite::SqliteConnection;
use r2d2::{ManageConnection, PooledConnection};

use super::Connections;
use crate::store::engine::citus;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::{OpenError, StoreError};
use crate::store::engine::pool::Pool;
use crate::store::engine::timeouts::{RETRY, WAIT};

impl Connections {
    /// Runs an operation on a connection of a pool. An error names the file that caused it, if one did.
    pub(super) fn on_a_connection<T>(
        &self,
        pool: &Pool,
        operation: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Some(file) = &self.file {
            file.check()?;
        }
        self.attempts(pool, operation).map_err(|error| match error {
            StoreError::Unavailable(_) | StoreError::OutcomeUnknown(_) => match self.file_trouble() {
                Some(trouble) => error.because_of(&trouble),
                None => error,
            },
            other => other,
        })
    }

    /// Runs an operation on a connection of a pool. If the connection breaks, runs the operation again on the next
    /// connection, unless the transaction may have been committed.
    fn attempts<T>(
        &self,
        pool: &Pool,
        mut operation: impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let begun = Instant::now();
        for _ in 0..=pool.max_size() {
            let result = match pool {
                Pool::Sqlite(lender) => {
                    let is_write = std::ptr::eq(pool, &raw const self.writers);
                    self.attempt_on_file(&mut *self.lend(lender)?, is_write, &mut operation)
                }
                Pool::Postgres(pool) => self.attempt_on_server(&mut *self.lend(pool)?, &mut operation),
            };
            match result {
                Err(StoreError::Unavailable(cause)) if begun.elapsed() < WAIT => {
                    let error = StoreError::Unavailable(cause);
                    if !error.is_of_the_connection() {
                        return Err(error);
                    }
                }
                other => return other,
            }
        }
        Err(StoreError::unavailable("every connection to the database is broken"))
    }

    /// Runs an operation on SQLite. What was written is acknowledged only if it is in the files that others will find.
    fn attempt_on_file<T>(
        &self,
        conn: &mut SqliteConnection,
        is_write: bool,
        operation: &mut impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Some(file) = &self.file else {
            return attempt(conn.into(), operation);
        };
        file.check_log(conn, is_write)?;
        let done = attempt((&mut *conn).into(), operation)?;
        if is_write {
            let is_in_place = file.check().and_then(|()| file.check_log(conn, true));
            is_in_place.map_err(|error| StoreError::outcome_unknown(error.cause()))?;
        }
        Ok(done)
    }

    fn attempt_on_server<T>(
        &self,
        conn: &mut PgConnection,
        operation: &mut impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let is_citus = match self.is_citus.get() {
            Some(is_citus) => *is_citus,
            None => {
                let asked = attempt(conn.into(), &mut |conn| match conn {
                    Connection::Postgres(conn) => Ok(citus::is_installed(conn)?),
                    Connection::Sqlite(_) | Connection::Citus(_) => Ok(false),
                })?;
                *self.is_citus.get_or_init(|| asked)
            }
        };
        let conn = if is_citus {
            Connection::Citus(conn)
        } else {
            Connection::Postgres(conn)
        };
        attempt(conn, operation)
    }

    /// Takes a connection from the pool. Logs when the database goes away, and when it is back.
    pub(super) fn lend<M: ManageConnection>(&self, pool: &r2d2::Pool<M>) -> Result<PooledConnection<M>, StoreError> {
        let found = match pool.try_get() {
            Some(conn) => Ok(conn),
            None if pool.state().connections > 0 => pool.get_timeout(WAIT).map_err(StoreError::unavailable),
            None if self.is_away.load(Ordering::Relaxed) => {
                return Err(StoreError::unavailable("the database is still out of reach"));
            }
            None => pool.get_timeout(RETRY).map_err(|error| {
                if !self.is_away.swap(true, Ordering::Relaxed) {
                    log::warn!("{} is out of reach: {}", self.name(), OpenError::out_of_reach(&error));
                }
                StoreError::unavailable(error)
            }),
        };
        if found.is_ok() && self.is_away.swap(false, Ordering::Relaxed) {
            log::info!("{} is back", self.name());
        }
        found
    }
}

fn attempt<T>(
    mut conn: Connection<'_>,
    operation: &mut impl FnMut(&mut Connection<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let result = operation(&mut conn);
    if result.as_ref().is_err_and(StoreError::is_of_the_connection) {
        conn.spoil();
    }
    result
}
