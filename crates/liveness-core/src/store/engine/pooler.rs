//! Checks that a connection keeps its session. Behind a pooler in transaction mode it does not (PgBouncer's
//! `pool_mode = transaction`). Settings, prepared statements and advisory locks would then belong to another connection. In
//! statement mode there is not even a transaction.

use std::hash::{BuildHasher as _, RandomState};

use diesel::connection::SimpleConnection as _;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

/// The error for the operator.
pub(crate) const CHANGES_SESSIONS: &str = "the database is behind a pooler that gives each transaction another session \
    (PgBouncer's pool_mode = transaction), so settings and prepared statements are lost";

/// The error for the operator where nothing works.
pub(crate) const REFUSES_TRANSACTIONS: &str = "the database is behind a pooler that ends a connection when it begins a \
    transaction (PgBouncer's pool_mode = statement), so nothing can be recorded";

/// What the operator can do about it.
pub(crate) const MEND: &str = "connect to PostgreSQL itself, or set pool_mode = session";

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// How often the sessions are compared. Other clients of the pooler can hide a change, but not for long.
const ROUNDS: usize = 5;

/// Whether the pooler changes sessions. `conn` sets a mark in its session. The sessions have changed if `other` sees
/// the mark, or if `conn` no longer sees it.
///
/// Some poolers give a transaction the session that became free last: then `other` gets the session of `conn`. Some give
/// the session that is free longest: then `conn` gets two different sessions in a row.
pub(crate) fn changes_sessions(conn: &mut PgConnection, other: &mut PgConnection) -> QueryResult<bool> {
    let mark = format!("{:x}", RandomState::new().hash_one(()));
    conn.batch_execute(&format!("SELECT set_config('liveness.session', '{mark}', false)"))?;
    let has_mark = |conn: &mut PgConnection| conn.transaction(mark_of).map(|seen| seen.as_ref() == Some(&mark));
    for _ in 0..ROUNDS {
        if !has_mark(conn)? || !has_mark(conn)? || has_mark(other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a statement passes on this connection, and a transaction ends it. A server that goes away at this very moment looks
/// the same, so ask on two connections.
pub(crate) fn refuses_transactions(conn: &mut PgConnection) -> bool {
    conn.batch_execute("SELECT 1").is_ok() && conn.transaction(mark_of).is_err()
}

/// Reads the mark of the session. Call this in a transaction, so that the statement is prepared and executed in the
/// same session.
fn mark_of(conn: &mut PgConnection) -> QueryResult<Option<String>> {
    let setting: Setting =
        diesel::sql_query("SELECT current_setting('liveness.session', true) AS value").get_result(conn)?;
    Ok(setting.value)
}
