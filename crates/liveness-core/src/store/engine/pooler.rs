//! Checks that a connection keeps its session. Behind a pooler in transaction mode it does not (PgBouncer's
//! `pool_mode = transaction`). Settings, prepared statements and advisory locks would then belong to another connection.

use std::hash::{BuildHasher as _, RandomState};

use diesel::connection::SimpleConnection as _;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

/// The error for the operator.
pub(crate) const CHANGES_SESSIONS: &str = "the database is behind a pooler that gives each transaction another session \
    (PgBouncer's pool_mode = transaction), so settings and prepared statements are lost; \
    connect to PostgreSQL itself, or set pool_mode = session";

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// Whether the pooler changes sessions. `conn` sets a mark in its session. The sessions have changed if `other` sees
/// the mark, or if `conn` no longer sees it.
pub(crate) fn changes_sessions(conn: &mut PgConnection, other: &mut PgConnection) -> QueryResult<bool> {
    let mark = format!("{:x}", RandomState::new().hash_one(()));
    conn.batch_execute(&format!("SELECT set_config('liveness.session', '{mark}', false)"))?;
    // While `other` is in a transaction, it keeps its session.
    other.batch_execute("BEGIN")?;
    let changes = match mark_of(other) {
        Ok(Some(seen)) if seen == mark => Ok(true),
        Ok(_) => conn.transaction(mark_of).map(|kept| kept != Some(mark)),
        Err(error) => Err(error),
    };
    other.batch_execute("ROLLBACK")?;
    changes
}

/// Reads the mark of the session. Call this in a transaction, so that the statement is prepared and executed in the
/// same session.
fn mark_of(conn: &mut PgConnection) -> QueryResult<Option<String>> {
    let setting: Setting =
        diesel::sql_query("SELECT current_setting('liveness.session', true) AS value").get_result(conn)?;
    Ok(setting.value)
}
