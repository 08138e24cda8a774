//! Shards the tables on Citus. Other engines need none of this.
//!
//! Records, faces, audit entries, issued sessions, attempts and events are sharded by the id of their user, so the rows of one user are
//! on one node.
//! Sessions of SDKs are sharded by their own id, because a session id is unique among all users. Users are on every node,
//! because their `UserId` is unique.
//!
//! Citus requires the sharding column in every unique index. So some keys have this column on Citus only.

use diesel::connection::SimpleConnection as _;
use diesel::dsl::sql;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use crate::store::engine::citus;
use crate::store::engine::error::StoreError;
use crate::store::engine::migrations::Sharding;

/// Asks whether the first table that `distribution.sql` shards is sharded.
const IS_DISTRIBUTED: &str =
    "SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = 'liveness_checks'::regclass)";

/// How the migrations shard the tables. Either all tables are sharded, or none.
pub(crate) const SHARDING: Sharding = Sharding { is_due, shard };

fn is_due(conn: &mut PgConnection) -> Result<bool, StoreError> {
    Ok(citus::is_installed(conn)? && !sql::<Bool>(IS_DISTRIBUTED).get_result(conn)?)
}

/// Existing rows move to the workers. Nobody can write while they move.
fn shard(conn: &mut PgConnection) -> Result<(), StoreError> {
    if !is_due(conn)? {
        return Ok(());
    }
    conn.transaction(|conn| conn.batch_execute(include_str!("distribution.sql")))?;
    log::info!("sharded the tables: Citus is installed");
    Ok(())
}
