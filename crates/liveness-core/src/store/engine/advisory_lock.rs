//! Advisory locks: transactions lock a number that they agree on, where there is no row to lock.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Nullable};

use super::connection::Connection;
use super::error::StoreError;
use super::prepared_sql::prepared_sql;

/// Waits for the other transactions that have locked one of these keys, and locks them until the end of this one. `kind` says
/// what the keys are of. SQLite has one writer, so it needs no locks.
///
/// Every node takes the locks in the same order, so that no two nodes deadlock: unnest keeps the order of the array.
pub(crate) fn lock(conn: &mut Connection<'_>, kind: i32, keys: BTreeSet<i32>) -> Result<(), StoreError> {
    let (Connection::Postgres(conn) | Connection::Citus(conn)) = conn else {
        return Ok(());
    };
    if keys.is_empty() {
        return Ok(());
    }
    prepared_sql("SELECT count(pg_advisory_xact_lock(")
        .bind::<Integer, _>(kind, ", key)) FROM unnest(")
        .bind::<Array<Integer>, _>(keys.into_iter().collect::<Vec<_>>(), "::int[]) AS key")
        .execute(*conn)?;
    Ok(())
}

/// The same, and shares one more lock, which it takes before the others. It is one statement.
pub(crate) fn lock_sharing(
    conn: &mut Connection<'_>,
    shared: i32,
    kind: i32,
    keys: BTreeSet<i32>,
) -> Result<(), StoreError> {
    let (Connection::Postgres(conn) | Connection::Citus(conn)) = conn else {
        return Ok(());
    };
    if keys.is_empty() {
        return Ok(());
    }
    // The null stands for the lock that is shared.
    let keys: Vec<_> = [None].into_iter().chain(keys.into_iter().map(Some)).collect();
    prepared_sql("SELECT count(CASE WHEN key IS NULL THEN pg_advisory_xact_lock_shared(")
        .bind::<Integer, _>(shared, ", 0) ELSE pg_advisory_xact_lock(")
        .bind::<Integer, _>(kind, ", key) END) FROM unnest(")
        .bind::<Array<Nullable<Integer>>, _>(keys, "::int[]) AS key")
        .execute(*conn)?;
    Ok(())
}

/// The key of what has this digest. Two with the same key wait for each other, which does no harm.
pub(crate) fn key_of(digest: &[u8; 32]) -> i32 {
    let (first, _) = digest.split_at(4);
    first.iter().fold(0, |key, byte| (key << 8) | i32::from(*byte))
}
