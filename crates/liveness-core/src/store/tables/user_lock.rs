//! The locks of users: transactions that record, erase or decide about checks of one user wait for each other.

use crate::store::engine::advisory_lock;
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;

/// The kind of our advisory locks for users. The number has no meaning.
const LOCK: i32 = 549_671_203;

/// The kind of the lock that everybody shares who holds the lock of a user. Nobody ever takes it alone. It shows who may be
/// publishing events: `events/registering.rs` waits for them.
pub(crate) const PUBLISHERS: i32 = 549_671_212;

/// Waits for the other transactions that record or erase checks of these users. Otherwise two nodes would not see each other's
/// record, and events of a user would not be in their order. SQLite has one writer.
///
/// The key is the low bits of a user id. Two users with the same bits wait for each other, which does no harm.
pub(crate) fn lock(conn: &mut Connection<'_>, users: &[i64]) -> Result<(), StoreError> {
    #[expect(clippy::cast_possible_truncation, reason = "the low bits are meant")]
    let keys = users.iter().map(|user| *user as i32).collect();
    advisory_lock::lock_sharing(conn, PUBLISHERS, LOCK, keys)
}
