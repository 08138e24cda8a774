//! Whether a connection keeps its session. Behind a pooler that works by transaction (PgBouncer's
//! `pool_mode = transaction`) it does not: settings, prepared statements and advisory locks would be another connection's.

use std::hash::{BuildHasher as _, RandomState};

use diesel::connection::SimpleConnection as _;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

/// What an operator reads.
pub(crate) const CHANGES_SESSIONS: &str = "the database is behind a pooler that gives each transaction another session \
    (PgBouncer's pool_mode = transaction), where settings and prepared statements are lost; \
    connect to PostgreSQL itself, or set pool_mode = session";

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// Whether a session that one connection has changed is seen by another, or no longer by itself.
pub(crate) fn changes_sessions(conn: &mut PgConnection, other: &mut PgConnection) -> QueryResult<bool> {
    let mark = format!("{:x}", RandomState::new().hash_one(()));
    conn.batch_execute(&format!("SELECT set_config('liveness.session', '{mark}', false)"))?;
    // While the other one is in a transaction, it keeps the session that it got.
    other.batch_execute("BEGIN")?;
    let changes = match mark_of(other) {
        Ok(Some(seen)) if seen == mark => Ok(true),
        Ok(_) => conn.transaction(mark_of).map(|kept| kept != Some(mark)),
        Err(error) => Err(error),
    };
    other.batch_execute("ROLLBACK")?;
    changes
}

/// The mark of the session. In a transaction, so that the statement is prepared where it is executed.
fn mark_of(conn: &mut PgConnection) -> QueryResult<Option<String>> {
    let setting: Setting =
        diesel::sql_query("SELECT current_setting('liveness.session', true) AS value").get_result(conn)?;
    Ok(setting.value)
}
