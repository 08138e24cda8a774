//! The numbers of all records and of the records of each pre-registration, by outcome and by whether there is a face.
//! Reading a total does not count records.
//!
//! The transaction that adds records also adds to the totals. Each writer adds to a slot of its own, so that writers do
//! not wait for each other. A query sums the slots of a total.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use diesel::sql_types::{BigInt, Bool, Integer};

use crate::NewLivenessCheck;
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
        is_successful: bool => Bool,
        has_image: bool => Bool,
        slot: i32 => Integer,
        checks: i64 => BigInt,
    }
}

struct AddUp;

impl Clauses for AddUp {
    const ON_CONFLICT: &'static str = "ON CONFLICT (pre_registration_id, is_successful, has_image, slot) \
        DO UPDATE SET checks = liveness_check_totals.checks + excluded.checks";
    type Returned = ();
}

/// Counts these records.
pub(crate) fn add<'a>(
    conn: &mut Connection<'_>,
    slot: i32,
    checks: impl Iterator<Item = &'a NewLivenessCheck>,
) -> Result<(), StoreError> {
    let mut totals = Changes::new();
    for check in checks {
        let user = &check.user;
        if user.id < 1 || user.pre_registration_id.is_some_and(|id| id < 1) {
            return Err(StoreError::internal(
                "the ids of users and pre-registrations begin at 1",
            ));
        }
        for id in [Some(ALL), user.pre_registration_id].into_iter().flatten() {
            let total = (id, check.is_successful, check.image.is_some());
            *totals.entry(total).or_default() += 1;
        }
    }
    change(conn, slot, totals)
}

/// Numbers to add to totals: by pre-registration, outcome and face. Every node writes the rows in the order of the map, so
/// that no two nodes deadlock.
pub(crate) type Changes = BTreeMap<(i64, bool, bool), i64>;

/// Adds numbers to totals. A number may be negative, and so may be what is then in a slot.
pub(crate) fn change(conn: &mut Connection<'_>, slot: i32, totals: Changes) -> Result<(), StoreError> {
    let row = |((pre_registration_id, is_successful, has_image), checks)| TotalRow {
        pre_registration_id,
        is_successful,
        has_image,
        slot,
        checks,
    };
    let rows: Vec<_> = totals.into_iter().map(row).collect();
    bulk_insert::execute::<_, AddUp>(conn, rows)
}
