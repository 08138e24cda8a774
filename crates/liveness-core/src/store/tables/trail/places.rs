//! The places of the entries that several searches find, newest first. Only a few are in memory at once.

use std::collections::VecDeque;

use diesel::prelude::*;

use super::filter::{Place, Search};
use super::matching::matching;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_audit_entries::dsl;

/// How many places are read at once.
const STEP: i64 = 1000;

/// Merges the places that searches find. No entry may be found by two of them.
pub(crate) struct MergedPlaces<'a>(Vec<Places<'a>>);

impl<'a> MergedPlaces<'a> {
    pub(crate) fn of(searches: &[Search<'a>]) -> Self {
        Self(searches.iter().map(|search| Places::of(*search)).collect())
    }

    /// The next place, and `None` behind the last one.
    pub(crate) fn next(&mut self, conn: &mut Connection<'_>) -> Result<Option<Place>, StoreError> {
        let mut newest: Option<(Place, usize)> = None;
        for (number, places) in self.0.iter_mut().enumerate() {
            newest = newest.max(places.first(conn)?.map(|place| (place, number)));
        }
        let Some((place, number)) = newest else {
            return Ok(None);
        };
        self.0[number].found.pop_front();
        Ok(Some(place))
    }
}

/// The places that one search finds.
struct Places<'a> {
    /// The search for those that were not read yet.
    search: Search<'a>,
    found: VecDeque<Place>,
    is_at_end: bool,
}

impl<'a> Places<'a> {
    fn of(search: Search<'a>) -> Self {
        Self {
            search,
            found: VecDeque::new(),
            is_at_end: false,
        }
    }

    fn first(&mut self, conn: &mut Connection<'_>) -> Result<Option<Place>, StoreError> {
        if self.found.is_empty() && !self.is_at_end {
            let (search, is_citus) = (self.search, conn.is_citus());
            let found: Vec<Place> = on_either!(conn, |conn| matching!(search, is_citus)
                .limit(STEP)
                .select((dsl::at, dsl::id))
                .load(*conn))?;
            self.is_at_end = (found.len() as i64) < STEP;
            self.search.before = found.last().copied().unwrap_or(search.before);
            self.found = found.into();
        }
        Ok(self.found.front().copied())
    }
}
