//! Checks that connections keep their sessions, with two connections of the pool.

use diesel::connection::Connection as _;

use super::Connections;
use crate::store::engine::error::OpenError;
use crate::store::engine::migrations::Companion;
use crate::store::engine::pool::Pool;
use crate::store::engine::pooler;
use crate::store::engine::postgres::PostgresPool;
use crate::store::engine::timeouts::RETRY;

impl Connections {
    /// Refuses a pooler that changes the session of a connection, for which the check needs two connections, or that lets no
    /// transaction begin.
    pub(super) fn check_sessions(&self) -> Result<(), OpenError> {
        let Pool::Postgres(pool) = &self.writers else {
            return Ok(());
        };
        let mut conn = self.lend(pool).map_err(|error| OpenError::of("reach", &error))?;
        let other = if self.acceptance.changing_sessions {
            None
        } else {
            second_of(pool)
        };
        let changed = match other {
            Some(mut other) => pooler::changes_sessions(&mut conn, &mut other),
            None => conn.transaction(|_| Ok(false)),
        };
        drop(conn);
        match changed {
            Ok(true) => Err(OpenError::new(pooler::CHANGES_SESSIONS.to_owned())
                .mended_by(pooler::MEND)
                .named("pooler")),
            Ok(false) => Ok(()),
            Err(_) if self.refuses_transactions(pool) => {
                Err(OpenError::new(pooler::REFUSES_TRANSACTIONS.to_owned()).mended_by(pooler::MEND))
            }
            // If a connection broke during the check, the next operation reports it.
            Err(_) => Ok(()),
        }
    }

    /// Whether each of two connections takes a statement, and ends at a transaction. Connections that are broken already count
    /// for nothing.
    fn refuses_transactions(&self, pool: &PostgresPool) -> bool {
        let mut refused = 0;
        for _ in 0..=pool.max_size() + 1 {
            let Ok(mut conn) = self.lend(pool) else { return false };
            refused += u32::from(pooler::refuses_transactions(&mut conn));
            if refused == 2 {
                return true;
            }
        }
        false
    }
}

/// Takes another connection from the pool. Returns `None` if the pool has only one, or if an embedding backend uses all
/// other connections.
pub(super) fn second_of(pool: &PostgresPool) -> Option<Companion> {
    match pool.state() {
        state if state.idle_connections == 0 && state.connections == pool.max_size() => None,
        _ => pool.get_timeout(RETRY).ok(),
    }
}
