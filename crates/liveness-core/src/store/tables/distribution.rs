//! How Citus shards the tables. Elsewhere nothing of this is done.
//!
//! The rows of one user lie together: records, faces and audit entries are sharded by the user's id. Sessions are sharded
//! by their own id, because a session id belongs to one user of all. Users are on every node, because their `UserId` is
//! unique. Only here do keys begin with what shards: Citus asks for it in every unique index.

use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::store::engine::citus;
use crate::store::engine::error::StoreError;

/// What `distribution.sql` shards first.
const IS_DISTRIBUTED: &str =
    "SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'liveness_checks'::regclass)";

/// Shards the tables where Citus is and they are not sharded yet: all of them, or none. Rows that are there move to the
/// workers meanwhile, and nobody can write.
pub(crate) fn distribute(conn: &mut PgConnection) -> Result<(), StoreError> {
    if !citus::is_installed(conn)? || sql::<Bool>(IS_DISTRIBUTED).get_result(conn)? {
        return Ok(());
    }
    conn.transaction(|conn| conn.batch_execute(include_str!("distribution.sql")))?;
    log::info!("sharded the tables: Citus is installed");
    Ok(())
}
