//! The newest audit entries, each of which is found once, and whom they are about.
//!
//! Everything that changes a user leaves an entry with the user's id, whoever writes it. The log of the trail has them in an
//! order without gaps, but only once an integrator has put them there, and a backend need not have one. So they are found by
//! their ids. Ids are given before the commit, so an entry may be there later than one with a higher id. Those that are missed
//! are looked for again.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use diesel::prelude::*;

use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_audit_entries::dsl;

/// The most entries that are read at once.
pub(crate) const ENTRIES_OF_A_LOOK: i64 = 4096;
/// How far before the newest id the search begins: smaller ids may belong to transactions that are not committed yet.
const LOOK_BACK: i64 = 1024;
/// How long an id is looked for that was passed over. Ids of transactions that were rolled back never come.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);
/// The most ids that are looked for.
const MOST_MISSED: usize = 4096;

/// An entry's id, and its user.
pub(crate) type TailEntry = (i64, Option<i64>);

/// How far the entries have been read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tail {
    last_id: i64,
    /// The ids up to there that no entry had, and since when.
    missed: BTreeMap<i64, Instant>,
}

impl Tail {
    /// Begins a little before the entry with the highest id.
    pub(crate) fn before(newest_id: i64) -> Self {
        Self {
            last_id: newest_id.saturating_sub(LOOK_BACK).max(0),
            missed: BTreeMap::new(),
        }
    }

    /// Where the next look goes: behind this id.
    pub(crate) fn last_id(&self) -> i64 {
        self.last_id
    }

    /// The ids that the next look goes to besides.
    pub(crate) fn missed(&self) -> Vec<i64> {
        self.missed.keys().copied().collect()
    }

    /// Takes what a look has found. Returns whom it is about.
    pub(crate) fn take(&mut self, mut found: Vec<TailEntry>, now: Instant) -> Vec<i64> {
        found.sort_unstable();
        self.missed
            .retain(|_, since| now.saturating_duration_since(*since) < FORGOTTEN_AFTER);
        for (id, _) in &found {
            self.missed.remove(id);
            let passed_over = (self.last_id + 1).max(id.saturating_sub(LOOK_BACK))..*id;
            self.missed.extend(passed_over.map(|id| (id, now)));
            self.last_id = self.last_id.max(*id);
        }
        while self.missed.len() > MOST_MISSED {
            self.missed.pop_first();
        }
        found.into_iter().filter_map(|(_, user)| user).collect()
    }
}

/// The highest id of an entry.
pub(crate) fn newest_id(conn: &mut Connection<'_>) -> Result<i64, StoreError> {
    let newest: Option<i64> = on_either!(conn, |conn| dsl::liveness_audit_entries
        .order(dsl::id.desc())
        .select(dsl::id)
        .first(*conn)
        .optional())?;
    Ok(newest.unwrap_or_default())
}

/// The next entries behind an id, and those with the ids that were missed.
pub(crate) fn look(conn: &mut Connection<'_>, last_id: i64, missed: &[i64]) -> Result<Vec<TailEntry>, StoreError> {
    let new = dsl::liveness_audit_entries
        .filter(dsl::id.gt(last_id))
        .order(dsl::id)
        .limit(ENTRIES_OF_A_LOOK)
        .select((dsl::id, dsl::self_service_user_id));
    let mut found: Vec<TailEntry> = on_either!(conn, |conn| new.load(*conn))?;
    if !missed.is_empty() {
        let late: Vec<TailEntry> = on_either!(conn, |conn| dsl::liveness_audit_entries
            .filter(eq_any(dsl::id, missed.to_vec())?)
            .select((dsl::id, dsl::self_service_user_id))
            .load(*conn))?;
        found.extend(late);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_users(ids: &[i64]) -> Vec<TailEntry> {
        ids.iter().map(|id| (*id, Some(id * 10))).collect()
    }

    #[test]
    fn an_entry_that_is_there_later_than_a_higher_one_is_found_too() {
        let (mut tail, now) = (Tail::before(0), Instant::now());
        assert_eq!(tail.take(of_users(&[1, 4]), now), [10, 40]);
        assert_eq!((tail.last_id(), tail.missed()), (4, vec![2, 3]));

        assert_eq!(tail.take(of_users(&[5, 3]), now), [30, 50]);
        assert_eq!((tail.last_id(), tail.missed()), (5, vec![2]));
    }

    #[test]
    fn an_id_that_never_comes_is_looked_for_for_a_minute() {
        let (mut tail, now) = (Tail::before(0), Instant::now());
        tail.take(of_users(&[2]), now);
        let last = now + FORGOTTEN_AFTER - Duration::from_millis(1);

        tail.take(Vec::new(), last);
        assert_eq!(tail.missed(), [1]);
        tail.take(Vec::new(), now + FORGOTTEN_AFTER);
        assert_eq!(tail.missed(), [0_i64; 0]);
    }

    #[test]
    fn a_jump_of_the_ids_costs_no_memory() {
        let (mut tail, now) = (Tail::before(5_000_000_000), Instant::now());
        assert_eq!(tail.last_id(), 5_000_000_000 - LOOK_BACK);

        for step in 1..100 {
            tail.take(of_users(&[step * (i64::MAX / 1000)]), now);
        }

        assert!(tail.missed().len() <= MOST_MISSED, "{}", tail.missed().len());
        assert!(tail.missed().contains(&(99 * (i64::MAX / 1000) - 1)));
    }

    #[test]
    fn an_entry_about_nobody_wakes_nobody() {
        let (mut tail, now) = (Tail::before(0), Instant::now());
        assert_eq!(tail.take(vec![(1, None), (2, Some(7))], now), [7]);
    }
}
