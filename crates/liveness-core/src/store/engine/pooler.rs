//! Whether a connection keeps its session. Behind a pooler that works by transaction (PgBouncer's
//! `pool_mode = transaction`) it does not: settings, prepared statements and advisory locks would be another connection's.

use std::hash::{BuildHasher as _, RandomState};

use diesel::connection::SimpleConnection as _;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

/// What an operator reads.
pub(crate) const CHANGES_SESSIONS: &str = "the database is behind a pooler that gives each transaction another session \
    (PgBouncer's pool_mode = transaction), where settings and prepared statements are lost";

/// What would mend it.
pub(crate) const MEND: &str = "connect to PostgreSQL itself, or set pool_mode = session";

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// How often a connection is asked. Others that use the pooler meanwhile may hide what it does, but not for long.
const ROUNDS: usize = 5;

/// Whether a session that one connection has changed is seen by another, or no longer by itself.
///
/// A pooler gives a transaction the session that became free last, which the other connection then sees, or the one that
/// is free longest, which is not the same twice in a row.
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

/// The mark of the session. In a transaction, so that the statement is prepared where it is executed.
fn mark_of(conn: &mut PgConnection) -> QueryResult<Option<String>> {
    let setting: Setting =
        diesel::sql_query("SELECT current_setting('liveness.session', true) AS value").get_result(conn)?;
    Ok(setting.value)
}
