//! Compares the erasures of users with the entries that tell of them.

use std::collections::BTreeSet;

use super::rows::{self, EntryRow};
use super::verified::TrailVerification;
use super::verified_erasures::is_credible;
use crate::Erased;
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
        let finding = format!("the erasure of user {user} {problem}");
        // Several entries tell of a user, and so does the table.
        if !done.findings.contains(&finding) {
            done.find(finding);
        }
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
    let told = newest(conn, trust, user)?;
    Ok(match (told, row) {
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

/// The newest entry that tells that a user was erased, and was not put in.
fn newest(conn: &mut Connection<'_>, trust: &EntryTrust, user: i64) -> Result<Option<EntryRow>, StoreError> {
    let mut told = rows::user_erasures(conn, user)?;
    told.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.id));
    for entry in told {
        let is_of_user = entry.erasure().is_some_and(|erasure| erasure.erased == Erased::User);
        if is_of_user && is_credible(conn, trust, &entry)? {
            return Ok(Some(entry));
        }
    }
    Ok(None)
}
