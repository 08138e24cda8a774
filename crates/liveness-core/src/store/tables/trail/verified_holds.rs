//! Compares legal holds with the entries that tell of them: those that were placed are there, and no others.

use std::collections::BTreeSet;

use super::rows::{self, EntryRow};
use super::verified::TrailVerification;
use super::verified_erasures::newest_credible;
use crate::HoldChange;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::tables::entry_writer::EntryTrust;
use crate::store::tables::erasure_rows::{self, LegalHoldRow};

/// Verifies the holds of these users.
pub(crate) fn verify(
    conn: &mut Connection<'_>,
    trust: &EntryTrust,
    users: &BTreeSet<i64>,
    done: &mut TrailVerification,
) -> Result<(), StoreError> {
    for user in users {
        let hold = erasure_rows::hold(conn, *user)?;
        if let Some(problem) = problem(conn, trust, *user, hold.as_ref())? {
            done.find_once(format!("the legal hold on user {user} {problem}"));
        }
    }
    Ok(())
}

/// The users who are under a hold, as the table says.
pub(crate) fn users_under_hold(conn: &mut Connection<'_>) -> Result<BTreeSet<i64>, StoreError> {
    Ok(erasure_rows::all_held(conn)?.into_iter().collect())
}

/// What is wrong with the hold of a user, or with that there is none. The newest entry about it says what is to be.
fn problem(
    conn: &mut Connection<'_>,
    trust: &EntryTrust,
    user: i64,
    hold: Option<&LegalHoldRow>,
) -> Result<Option<String>, StoreError> {
    let Some((entry, change)) = newest_change(conn, trust, user)? else {
        return Ok(hold.map(|_| "was put in: no audit entry tells of it".to_owned()));
    };
    let id = entry.id;
    Ok(match (change, hold) {
        (HoldChange::Lifted, None) => None,
        (HoldChange::Lifted, Some(_)) => Some(format!("was put back: audit entry {id} has lifted it")),
        (HoldChange::Placed, None) => Some(format!("was taken away: audit entry {id} has placed it")),
        (HoldChange::Placed, Some(hold)) => {
            (!is_of(&entry, hold)).then(|| format!("was changed: audit entry {id} tells of another"))
        }
    })
}

/// The newest entry that placed or lifted a hold on a user, and was not put in.
fn newest_change(
    conn: &mut Connection<'_>,
    trust: &EntryTrust,
    user: i64,
) -> Result<Option<(EntryRow, HoldChange)>, StoreError> {
    // One that names its user no more is from before the user was erased: no hold was on the user then.
    let change = |entry: &EntryRow| entry.hold().filter(|_| !entry.has_no_subject());
    let changes = rows::hold_changes(conn, user)?;
    newest_credible(conn, trust, changes, change)
}

fn is_of(entry: &EntryRow, hold: &LegalHoldRow) -> bool {
    entry.at == hold.held_since
        && entry.principal == hold.placed_by
        && entry.purpose().as_deref() == Some(&hold.because)
}
