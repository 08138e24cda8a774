//! Citus, the extension by which PostgreSQL shards: whether it is there, and what a session needs to work with it.

use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

/// Settings of a session, which change nothing where Citus is not.
///
/// A generic plan cannot be distributed. Connections to the workers are kept between statements, as many as there are
/// shards to write at once. SET LOCAL reaches the workers.
pub(crate) const SETTINGS: &str = "SELECT set_config('plan_cache_mode', 'auto', false), \
    set_config('citus.max_cached_conns_per_worker', '4', false), \
    set_config('citus.propagate_set_commands', 'local', false) \
    FROM pg_extension WHERE extname = 'citus'";

/// Whether this database has the extension.
pub(crate) fn is_installed(conn: &mut PgConnection) -> QueryResult<bool> {
    sql::<Bool>("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')").get_result(conn)
}

/// Its version.
pub(crate) fn version(conn: &mut PgConnection) -> QueryResult<String> {
    sql::<Text>("SELECT extversion FROM pg_extension WHERE extname = 'citus'").get_result(conn)
}
