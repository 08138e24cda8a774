//! The runs of the log: which entries of which writer are where in it.

use std::ops::Range;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};

use crate::store::engine::bulk_insert::{self, NoClauses, row};
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_trail_runs as runs;

/// Entries of one writer that follow each other in the log.
#[derive(Queryable, Selectable, Debug, Clone, PartialEq, Eq)]
#[diesel(table_name = runs)]
pub(crate) struct Run {
    pub(crate) first_index: i64,
    pub(crate) writer: Vec<u8>,
    pub(crate) first_count: i64,
    pub(crate) entries: i64,
}

impl Run {
    /// The index behind the run.
    pub(crate) fn end(&self) -> i64 {
        self.first_index + self.entries
    }

    /// Whether the run has this entry of a writer.
    pub(crate) fn holds(&self, writer: &[u8], count: i64) -> bool {
        self.writer == writer && (self.first_count..self.end_count()).contains(&count)
    }

    /// The index of an entry of the run.
    pub(crate) fn index_of(&self, count: i64) -> i64 {
        self.first_index + count - self.first_count
    }

    /// The count of the entry at an index of the run.
    pub(crate) fn count_at(&self, index: i64) -> i64 {
        self.first_count + index - self.first_index
    }

    /// Those of these indexes that are in the run, if any are.
    pub(crate) fn part_of(&self, indexes: &Range<i64>) -> Option<Range<i64>> {
        let part = self.first_index.max(indexes.start)..self.end().min(indexes.end);
        (!part.is_empty()).then_some(part)
    }

    /// The count behind the run.
    pub(crate) fn end_count(&self) -> i64 {
        self.first_count + self.entries
    }
}

row! {
    struct RunRow<'a> of "liveness_trail_runs", in columns RunColumns {
        first_index: i64 => BigInt,
        writer: &'a [u8] => Binary,
        first_count: i64 => BigInt,
        entries: i64 => BigInt,
    }
}

/// Adds runs that begin where the log ends. A run that goes on with the last one becomes part of it.
pub(crate) fn add_runs(conn: &mut Connection<'_>, mut added: Vec<Run>) -> Result<(), StoreError> {
    let last: Option<Run> = on_either!(conn, |conn| runs::table
        .order(runs::first_index.desc())
        .select(Run::as_select())
        .first(*conn)
        .optional())?;
    if let (Some(last), Some(first)) = (last, added.first())
        && last.writer == first.writer
        && last.end_count() == first.first_count
        && last.end() == first.first_index
    {
        let first = added.remove(0);
        let update =
            diesel::update(runs::table.find(last.first_index)).set(runs::entries.eq(last.entries + first.entries));
        on_either!(conn, |conn| update.execute(*conn))?;
    }
    let rows = added.iter().map(|run| RunRow {
        first_index: run.first_index,
        writer: &run.writer,
        first_count: run.first_count,
        entries: run.entries,
    });
    bulk_insert::execute::<_, NoClauses>(conn, rows.collect())
}

/// The run that holds the entry at `index`, and those behind it, at most `limit`.
pub(crate) fn runs_from(conn: &mut Connection<'_>, index: i64, limit: i64) -> Result<Vec<Run>, StoreError> {
    let first = runs::table
        .filter(runs::first_index.le(index))
        .order(runs::first_index.desc())
        .select(runs::first_index);
    let first: Option<i64> = on_either!(conn, |conn| first.first(*conn).optional())?;
    Ok(on_either!(conn, |conn| runs::table
        .filter(runs::first_index.ge(first.unwrap_or(index)))
        .order(runs::first_index)
        .limit(limit)
        .select(Run::as_select())
        .load(*conn))?)
}

/// The run that holds an entry of a writer, if it is in the log.
pub(crate) fn run_of(conn: &mut Connection<'_>, writer: &[u8], count: i64) -> Result<Option<Run>, StoreError> {
    let found: Option<Run> = on_either!(conn, |conn| runs::table
        .filter(runs::writer.eq(writer).and(runs::first_count.le(count)))
        .order(runs::first_count.desc())
        .select(Run::as_select())
        .first(*conn)
        .optional())?;
    Ok(found.filter(|run| run.holds(writer, count)))
}
