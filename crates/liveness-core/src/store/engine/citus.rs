//! Citus, the extension that shards PostgreSQL: whether it is installed, and the settings that a session needs for it.

use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

/// Sets up a session for Citus. Without Citus, this changes nothing.
///
/// - `plan_cache_mode`: Citus cannot distribute a generic plan.
/// - `citus.max_cached_conns_per_worker`: connections to the workers stay open between statements, as many as there are
///   shards to write at once.
/// - `citus.propagate_set_commands`: SET LOCAL reaches the workers.
pub(crate) const SETTINGS: &str = "SELECT set_config('plan_cache_mode', 'auto', false), \
    set_config('citus.max_cached_conns_per_worker', '4', false), \
    set_config('citus.propagate_set_commands', 'local', false) \
    FROM pg_extension WHERE extname = 'citus'";

/// Whether this database has the extension.
pub(crate) fn is_installed(conn: &mut PgConnection) -> QueryResult<bool> {
    sql::<Bool>("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')").get_result(conn)
}

/// The version of the extension.
pub(crate) fn version(conn: &mut PgConnection) -> QueryResult<String> {
    sql::<Text>("SELECT extversion FROM pg_extension WHERE extname = 'citus'").get_result(conn)
}
