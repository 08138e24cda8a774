//! A pool of connections to either engine, and the numbers of it.

use super::postgres::PostgresPool;
use super::sqlite::SqlitePool;

/// The number of connections of one pool, or of several pools together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PoolState {
    pub(crate) connections: u32,
    pub(crate) idle: u32,
    pub(crate) max: u32,
}

impl std::ops::Add for PoolState {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            connections: self.connections + other.connections,
            idle: self.idle + other.idle,
            max: self.max + other.max,
        }
    }
}

/// A pool of either engine.
#[derive(Debug, Clone)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PostgresPool),
}

impl Pool {
    pub(super) fn max_size(&self) -> u32 {
        match self {
            Self::Sqlite(pool) => pool.max_size(),
            Self::Postgres(pool) => pool.max_size(),
        }
    }

    pub(super) fn state(&self) -> PoolState {
        let state = match self {
            Self::Sqlite(pool) => pool.state(),
            Self::Postgres(pool) => pool.state(),
        };
        PoolState {
            connections: state.connections,
            idle: state.idle_connections,
            max: self.max_size(),
        }
    }

    /// The kind of database, as OpenTelemetry's `db.system.name` calls it.
    pub(super) fn system(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgresql",
        }
    }

    /// How many transactions may write at once. SQLite allows only one. On PostgreSQL, the second transaction is
    /// written while the first is made durable.
    pub(super) fn writers(&self) -> u32 {
        match self {
            Self::Sqlite(_) => 1,
            Self::Postgres(pool) => pool.max_size().min(2),
        }
    }
}
