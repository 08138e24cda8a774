//! The store's access to a database engine: connections, pools, transactions, migrations, diagnosis, and the SQL
//! building blocks that diesel lacks. No file in this folder knows a table.

pub(crate) mod advisory_lock;
pub(crate) mod bulk_insert;
pub(crate) mod citus;
pub(crate) mod clock;
pub(crate) mod connection;
pub(crate) mod connections;
pub(crate) mod database_file;
pub(crate) mod diagnosis;
pub(crate) mod eq_any;
pub(crate) mod error;
pub(crate) mod file_trouble;
pub(crate) mod migrations;
pub(crate) mod pool;
pub(crate) mod pooler;
pub(crate) mod postgres;
pub(crate) mod prepared_sql;
pub(crate) mod schema_gate;
pub(crate) mod sqlite;
pub(crate) mod sqlite_snapshot;
pub(crate) mod standby;
pub(crate) mod statement_log;
pub(crate) mod storage_trouble;
pub(crate) mod timeouts;
