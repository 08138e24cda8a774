//! The clock of the database, which all nodes see alike whatever their own clocks say, and the times that columns hold.

use diesel::dsl::{select, sql};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::connection::Connection;
use super::error::StoreError;
use crate::Timestamp;

/// The time, in milliseconds since the epoch. SQLite has the clock of this machine.
pub(crate) fn now(conn: &mut Connection<'_>) -> Result<i64, StoreError> {
    Ok(match conn {
        Connection::Sqlite(conn) => {
            let now = sql::<BigInt>("CAST(round(unixepoch('subsec') * 1000) AS INTEGER)");
            select(now).get_result(*conn)?
        }
        // now() would be the time at which the transaction began.
        Connection::Postgres(conn) | Connection::Citus(conn) => {
            let now = sql::<BigInt>("CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)");
            select(now).get_result(*conn)?
        }
    })
}

/// The time that a column holds, in milliseconds since the epoch.
pub(crate) fn stored(millis: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_unix_millis(millis).ok_or_else(|| StoreError::internal("a stored time is out of range"))
}
