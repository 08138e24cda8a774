//! How many records there are, without counting them: kept in the transaction that adds them.
//!
//! Counts are kept of all records, of each pre-registration's, and of each user's with each pre-registration. Rows that
//! many writers would wait for each other at are in slots: each writer has its own, and whoever asks adds them up.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use diesel::sql_types::{BigInt, Integer};

use crate::User;
use crate::store::engine::bulk_insert::{self, Clauses, row};
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;

/// In place of an id: of all users; with any or no pre-registration. Ids begin at 1.
pub(crate) const ANY: i64 = 0;
/// Slots of a row. More writers than these wait for each other sometimes, and are never wrong.
const SLOTS: i32 = 16;

/// Slots for the writers of a store, which no other store needs to know of: nodes begin somewhere.
pub(crate) fn slots() -> impl Iterator<Item = i32> {
    #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
    let begin = (RandomState::new().hash_one(SLOTS) as i32).rem_euclid(SLOTS);
    (begin..SLOTS).chain(0..begin)
}

row! {
    struct CountRow of "liveness_check_counts", in columns CountColumns {
        self_service_user_id: i64 => BigInt,
        pre_registration_id: i64 => BigInt,
        slot: i32 => Integer,
        checks: i64 => BigInt,
    }
}

struct AddUp;

impl Clauses for AddUp {
    const ON_CONFLICT: &'static str = "ON CONFLICT (self_service_user_id, pre_registration_id, slot) \
        DO UPDATE SET checks = liveness_check_counts.checks + excluded.checks";
    type Returned = ();
}

/// Counts one record to each of these users, who may be the same.
pub(crate) fn add<'a>(
    conn: &mut Connection<'_>,
    slot: i32,
    users: impl Iterator<Item = &'a User>,
) -> Result<(), StoreError> {
    // In one order everywhere, so that two nodes do not wait for each other.
    let mut counts = BTreeMap::<(i64, i64, i32), i64>::new();
    for user in users {
        let pre_registration = user.pre_registration_id.unwrap_or(ANY);
        if user.id < 1 || user.pre_registration_id.is_some_and(|id| id < 1) {
            return Err(StoreError::internal(
                "the ids of users and pre-registrations begin at 1",
            ));
        }
        // A user's rows are at nobody else's hands.
        *counts.entry((user.id, pre_registration, 0)).or_default() += 1;
        *counts.entry((ANY, ANY, slot)).or_default() += 1;
        if pre_registration != ANY {
            *counts.entry((ANY, pre_registration, slot)).or_default() += 1;
        }
    }
    let row = |((self_service_user_id, pre_registration_id, slot), checks)| CountRow {
        self_service_user_id,
        pre_registration_id,
        slot,
        checks,
    };
    let rows: Vec<_> = counts.into_iter().map(row).collect();
    bulk_insert::execute::<_, AddUp>(conn, rows)
}
