//! The numbers of all records and of the records of each pre-registration, by outcome, by whether there is a
//! face, by verdict and by decision.
//! Reading a total does not count records.
//!
//! The transaction that adds records also adds to the totals. Each writer adds to a slot of its own, so that writers do
//! not wait for each other. A query sums the slots of a total.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer};

use crate::NewLivenessCheck;
use crate::store::engine::bulk_insert::{self, Clauses, row};
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_check_totals::dsl;

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

/// The slot of changes that are few, and one at a time: erasures, and decisions.
pub(crate) const OWN_SLOT: i32 = 0;

/// Stands for no verdict, and for no decision. A key has no nulls.
pub(crate) const NONE: i32 = -1;

row! {
    struct TotalRow of "liveness_check_totals", in columns TotalColumns {
        pre_registration_id: i64 => BigInt,
        is_successful: bool => Bool,
        has_image: bool => Bool,
        slot: i32 => Integer,
        checks: i64 => BigInt,
        verdict: i32 => Integer,
        decision: i32 => Integer,
    }
}

struct AddUp;

impl Clauses for AddUp {
    const ON_CONFLICT: &'static str = "ON CONFLICT (pre_registration_id, is_successful, has_image, verdict, decision, slot) \
        DO UPDATE SET checks = liveness_check_totals.checks + excluded.checks";
    type Returned = ();
}

/// By what a record is counted. Verdict and decision are the numbers of their columns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) is_successful: bool,
    pub(crate) has_image: bool,
    pub(crate) verdict: Option<i32>,
    pub(crate) decision: Option<i32>,
}

/// Counts new records.
pub(crate) fn add<'a>(
    conn: &mut Connection<'_>,
    slot: i32,
    checks: impl Iterator<Item = (&'a NewLivenessCheck, i32)>,
) -> Result<(), StoreError> {
    let mut totals = Changes::new();
    for (check, verdict) in checks {
        let user = &check.user;
        if user.id < 1 || user.pre_registration_id.is_some_and(|id| id < 1) {
            return Err(StoreError::internal(
                "the ids of users and pre-registrations begin at 1",
            ));
        }
        let counted = Counted {
            is_successful: check.is_successful,
            has_image: check.image.is_some(),
            verdict: Some(verdict),
            decision: None,
        };
        count(&mut totals, user.pre_registration_id, counted, 1);
    }
    change(conn, slot, totals)
}

/// Adds a number of records to the totals in which they are counted. It may be negative.
pub(crate) fn count(totals: &mut Changes, pre_registration_id: Option<i64>, counted: Counted, checks: i64) {
    let Counted {
        is_successful,
        has_image,
        verdict,
        decision,
    } = counted;
    for id in [Some(ALL), pre_registration_id].into_iter().flatten() {
        let total = (
            id,
            is_successful,
            has_image,
            verdict.unwrap_or(NONE),
            decision.unwrap_or(NONE),
        );
        *totals.entry(total).or_default() += checks;
    }
}

/// Numbers to add to totals: by pre-registration, outcome, face, verdict and decision. Every node writes the rows in the order
/// of the map, so that no two nodes deadlock.
pub(crate) type Changes = BTreeMap<(i64, bool, bool, i32, i32), i64>;

/// Adds numbers to totals. A number may be negative, and so may be what is then in a slot.
pub(crate) fn change(conn: &mut Connection<'_>, slot: i32, totals: Changes) -> Result<(), StoreError> {
    let row = |((pre_registration_id, is_successful, has_image, verdict, decision), checks)| TotalRow {
        pre_registration_id,
        is_successful,
        has_image,
        slot,
        checks,
        verdict,
        decision,
    };
    let rows: Vec<_> = totals.into_iter().map(row).collect();
    bulk_insert::execute::<_, AddUp>(conn, rows)
}

/// How many successful records have no verdict, and were not approved.
pub(crate) fn unjudged(conn: &mut Connection<'_>) -> Result<i64, StoreError> {
    // The decision 0 approves.
    let unjudged = dsl::liveness_check_totals
        .filter(dsl::pre_registration_id.eq(ALL))
        .filter(dsl::is_successful)
        .filter(dsl::verdict.eq(NONE))
        .filter(dsl::decision.ne(0))
        .select(dsl::checks);
    let slots: Vec<i64> = on_either!(conn, |conn| unjudged.load(*conn))?;
    Ok(slots.into_iter().sum())
}
