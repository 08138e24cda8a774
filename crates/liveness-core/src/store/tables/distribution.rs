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

/// A table of the rows of users that is younger than the first sharded databases.
struct Later {
    table: &'static str,
    /// Changes its keys for Citus while it is still local.
    keys: &'static str,
}

const LATER: [Later; 3] = [
    Later {
        table: "liveness_issued_sessions",
        keys: "",
    },
    Later {
        table: "liveness_attempts",
        keys: "",
    },
    Later {
        table: "liveness_events",
        keys: "ALTER TABLE liveness_events DROP CONSTRAINT liveness_events_pkey, \
             ADD PRIMARY KEY (self_service_user_id, id); \
             CREATE INDEX IF NOT EXISTS liveness_events_id ON liveness_events (id);",
    },
];

/// How the migrations shard the tables. A database that was sharded by an older version gets the shards of later tables.
pub(crate) const SHARDING: Sharding = Sharding { is_due, shard };

fn is_due(conn: &mut PgConnection) -> Result<bool, StoreError> {
    Ok(citus::is_installed(conn)? && (!is_distributed(conn)? || !local_ones(conn)?.is_empty()))
}

fn is_distributed(conn: &mut PgConnection) -> QueryResult<bool> {
    sql::<Bool>(IS_DISTRIBUTED).get_result(conn)
}

/// Those of the later tables that are not sharded.
fn local_ones(conn: &mut PgConnection) -> QueryResult<Vec<Later>> {
    let mut local = Vec::new();
    for later in LATER {
        let table = later.table;
        let is_local = format!(
            "SELECT NOT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = to_regclass('{table}')) \
             AND to_regclass('{table}') IS NOT NULL"
        );
        if sql::<Bool>(&is_local).get_result(conn)? {
            local.push(later);
        }
    }
    Ok(local)
}

/// Existing rows move to the workers. Nobody can write while they move.
fn shard(conn: &mut PgConnection) -> Result<(), StoreError> {
    if !is_due(conn)? {
        return Ok(());
    }
    conn.transaction(|conn| {
        if !is_distributed(conn)? {
            conn.batch_execute(include_str!("distribution.sql"))?;
        }
        for Later { table, keys } in local_ones(conn)? {
            conn.batch_execute(&format!(
                "{keys} \
                 SELECT create_distributed_table('{table}', 'self_service_user_id', colocate_with => 'liveness_checks'); \
                 SELECT truncate_local_data_after_distributing_table('{table}')"
            ))?;
        }
        Ok::<_, StoreError>(())
    })?;
    log::info!("sharded the tables: Citus is installed");
    Ok(())
}
