//! The numbers of all records and of the records of each pre-registration. Reading a total does not count records.
//!
//! The transaction that adds records also adds to the totals. Each writer adds to a slot of its own, so that writers do
//! not wait for each other. A query sums the slots of a total.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use diesel::sql_types::{BigInt, Integer};

use crate::User;
use crate::store::engine::bulk_insert::{self, Clauses, row};
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;

/// The total of all records has this id in place of the id of a pre-registration. Those ids begin at 1.
pub(crate) const ALL: i64 = 0;
/// The number of slots of a total. With more writers than slots, some writers wait for each other. Totals are still
/// correct.
const SLOTS: i32 = 16;

/// The slots for the writers of a store. Each store begins at a random slot.
pub(crate) fn slots() -> impl Iterator<Item = i32> {
    #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
    let begin = (RandomState::new().hash_one(SLOTS) as i32).rem_euclid(SLOTS);
    (begin..SLOTS).chain(0..begin)
}

row! {
    struct TotalRow of "liveness_check_totals", in columns TotalColumns {
        pre_registration_id: i64 => BigInt,
        slot: i32 => Integer,
        checks: i64 => BigInt,
    }
}

struct AddUp;

impl Clauses for AddUp {
    const ON_CONFLICT: &'static str = "ON CONFLICT (pre_registration_id, slot) \
        DO UPDATE SET checks = liveness_check_totals.checks + excluded.checks";
    type Returned = ();
}

/// Counts one record for each of these users. A user may occur more than once.
pub(crate) fn add<'a>(
    conn: &mut Connection<'_>,
    slot: i32,
    users: impl Iterator<Item = &'a User>,
) -> Result<(), StoreError> {
    // Every node writes the rows in the same order, so that no two nodes deadlock.
    let mut totals = BTreeMap::<i64, i64>::new();
    for user in users {
        if user.id < 1 || user.pre_registration_id.is_some_and(|id| id < 1) {
            return Err(StoreError::internal(
                "the ids of users and pre-registrations begin at 1",
            ));
        }
        *totals.entry(ALL).or_default() += 1;
        if let Some(pre_registration_id) = user.pre_registration_id {
            *totals.entry(pre_registration_id).or_default() += 1;
        }
    }
    let row = |(pre_registration_id, checks)| TotalRow {
        pre_registration_id,
        slot,
        checks,
    };
    let rows: Vec<_> = totals.into_iter().map(row).collect();
    bulk_insert::execute::<_, AddUp>(conn, rows)
}
