//! Compares the erasures of users with the entries that tell of them.

use std::collections::BTreeSet;

use super::rows::{self, EntryRow};
use super::verified::TrailVerification;
use super::verified_erasures::newest_credible;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::tables::entry_writer::EntryTrust;
use crate::store::tables::erasure_rows::{self, UserErasureRow};

/// Verifies the erasures of these users.
pub(crate) fn verify(
    conn: &mut Connection<'_>,
    trust: &EntryTrust,
    users: &BTreeSet<i64>,
    done: &mut TrailVerification,
) -> Result<(), StoreError> {
    for user in users {
        let row = erasure_rows::user(conn, *user)?;
        let Some(problem) = problem(conn, trust, *user, row.as_ref())? else {
            continue;
        };
        done.find_once(format!("the erasure of user {user} {problem}"));
    }
    Ok(())
}

/// What is wrong with the row of a user's erasure, or with that there is none. The newest entry about it says what is to be.
fn problem(
    conn: &mut Connection<'_>,
    trust: &EntryTrust,
    user: i64,
    row: Option<&UserErasureRow>,
) -> Result<Option<String>, StoreError> {
    let told = rows::user_erasures(conn, user)?;
    let told = newest_credible(conn, trust, told, |entry| entry.erases_user().then_some(()))?;
    Ok(match (told.map(|(entry, ())| entry), row) {
        (Some(entry), None) => Some(format!("was taken away: audit entry {} tells of it", entry.id)),
        (Some(entry), Some(row)) => {
            let is_of = match row.done_at {
                Some(at) => at == entry.at && is_count(&entry, row.records),
                // What was recorded since is being erased, and no entry tells of that yet.
                None => row.begun_at > entry.at,
            };
            (!is_of).then(|| format!("was changed: audit entry {} tells of another", entry.id))
        }
        (None, Some(row)) => row.done_at.map(|_| "was put in: no audit entry tells of it".to_owned()),
        (None, None) => None,
    })
}

fn is_count(entry: &EntryRow, records: i64) -> bool {
    entry.shown_count() == u64::try_from(records).ok()
}
