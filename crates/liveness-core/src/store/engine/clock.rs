//! The database's clock. All nodes see the same one, whatever their own clocks say.

use diesel::dsl::{select, sql};
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::connection::Connection;
use super::error::StoreError;

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
