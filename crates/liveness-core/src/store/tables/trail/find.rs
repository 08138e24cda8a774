//! Searches of the audit trail, newest entries first.
//!
//! A place in the trail is a time and an id. Every index that a search uses ends with these two columns, so a page that
//! begins at a place costs as much as any other.

use diesel::prelude::*;

use super::about;
use super::entries::AuditRow;
use super::filter::{Place, Search, TrailFilter, TrailPageRequest};
use super::log;
use super::matching::matching;
use super::places::MergedPlaces;
use crate::AuditEntry;
use crate::store::engine::connection::{Connection, cannot_be_stored, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::schema::liveness_audit_entries::dsl;

/// The most entries that a search counts.
const MOST_COUNTED: i64 = 10_000;

/// Entries that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailPage {
    /// The entries, newest first.
    pub items: Vec<FoundEntry>,
    /// How many entries match. `None` if there are more than 10,000.
    pub total: Option<i64>,
    /// Whether there are older entries.
    pub has_next: bool,
}

/// An entry that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundEntry {
    /// The id of the entry.
    pub id: i64,
    /// The index of the entry's leaf in the log. `None` until it is in the log.
    pub leaf: Option<i64>,
    /// The entry.
    pub entry: AuditEntry,
}

/// The entries that match. Returns `None` if there is no entry with the id `page.before`.
pub(crate) fn search(
    conn: &mut Connection<'_>,
    filter: &TrailFilter,
    page: TrailPageRequest,
) -> Result<Option<TrailPage>, StoreError> {
    let Some(before) = place_of(conn, page.before)? else {
        return Ok(None);
    };
    let texts = [&filter.principal, &filter.message];
    if texts.into_iter().flatten().any(|text| cannot_be_stored(text)) {
        return Ok(Some(TrailPage {
            items: Vec::new(),
            total: Some(0),
            has_next: false,
        }));
    }
    let search = Search::of(filter, before);
    match filter.liveness_check_id {
        Some(id) => about_record(conn, id, search, page).map(Some),
        None => match search.by_index().as_slice() {
            [search] => by_one_index(conn, *search, page).map(Some),
            searches => by_several_indexes(conn, searches, page).map(Some),
        },
    }
}

/// The place of an entry. Without an id, the place behind the newest one.
fn place_of(conn: &mut Connection<'_>, id: Option<i64>) -> Result<Option<Place>, StoreError> {
    let Some(id) = id else {
        return Ok(Some((i64::MAX, i64::MAX)));
    };
    let place = dsl::liveness_audit_entries.filter(dsl::id.eq(id)).select(dsl::at);
    let at: Option<i64> = on_either!(conn, |conn| place.first(*conn).optional())?;
    Ok(at.map(|at| (at, id)))
}

fn by_one_index(
    conn: &mut Connection<'_>,
    search: Search<'_>,
    page: TrailPageRequest,
) -> Result<TrailPage, StoreError> {
    let is_citus = conn.is_citus();
    let rows: Vec<Row> = on_either!(conn, |conn| matching!(search, is_citus)
        .offset(page.skip)
        .limit(page.size + 1)
        .select((AuditRow::as_select(), dsl::writer, dsl::writer_count))
        .load(*conn))?;
    let has_next = rows.len() as i64 > page.size;
    let total = if page.skip == 0 && !has_next {
        Some(rows.len() as i64)
    } else {
        Some(count(conn, search)?).filter(|counted| *counted <= MOST_COUNTED)
    };
    let shown = rows.into_iter().take(usize::try_from(page.size).unwrap_or_default());
    Ok(TrailPage {
        items: found(conn, shown.collect())?,
        total,
        has_next,
    })
}

/// Counts at most one entry more than [`MOST_COUNTED`].
fn count(conn: &mut Connection<'_>, search: Search<'_>) -> Result<i64, StoreError> {
    let is_citus = conn.is_citus();
    let counted: Vec<i64> = on_either!(conn, |conn| matching!(search, is_citus)
        .limit(MOST_COUNTED + 1)
        .select(dsl::id)
        .load(*conn))?;
    Ok(counted.len() as i64)
}

fn by_several_indexes(
    conn: &mut Connection<'_>,
    searches: &[Search<'_>],
    page: TrailPageRequest,
) -> Result<TrailPage, StoreError> {
    let mut places = MergedPlaces::of(searches);
    let mut ids = Vec::new();
    let mut number = 0;
    while number < page.skip.saturating_add(page.size)
        && let Some((_, id)) = places.next(conn)?
    {
        number += 1;
        if number > page.skip {
            ids.push(id);
        }
    }
    let mut total = 0;
    for search in searches {
        total += count(conn, *search)?;
    }
    Ok(TrailPage {
        items: with_ids(conn, ids)?,
        total: Some(total).filter(|total| *total <= MOST_COUNTED),
        has_next: places.next(conn)?.is_some(),
    })
}

/// A page of the entries that are about a record.
fn about_record(
    conn: &mut Connection<'_>,
    id: i64,
    search: Search<'_>,
    page: TrailPageRequest,
) -> Result<TrailPage, StoreError> {
    let places = about::record(conn, id, search)?;
    let total = places.len() as i64;
    let page_of = |count: i64| usize::try_from(count).unwrap_or(usize::MAX);
    let ids = places.iter().skip(page_of(page.skip)).take(page_of(page.size));
    Ok(TrailPage {
        items: with_ids(conn, ids.map(|(_, id)| *id).collect())?,
        total: Some(total),
        has_next: page.skip.saturating_add(page.size) < total,
    })
}

/// The entries with these ids, newest first.
fn with_ids(conn: &mut Connection<'_>, ids: Vec<i64>) -> Result<Vec<FoundEntry>, StoreError> {
    let rows = eq_any(dsl::id, ids)?;
    let mut rows: Vec<Row> = on_either!(conn, |conn| dsl::liveness_audit_entries
        .filter(rows)
        .select((AuditRow::as_select(), dsl::writer, dsl::writer_count))
        .load(*conn))?;
    rows.sort_unstable_by_key(|(row, ..)| std::cmp::Reverse((row.at, row.id)));
    found(conn, rows)
}

/// A row with its writer, and its count among those of the writer.
type Row = (AuditRow, Option<Vec<u8>>, Option<i64>);

/// The entries of rows, with their places in the log.
fn found(conn: &mut Connection<'_>, rows: Vec<Row>) -> Result<Vec<FoundEntry>, StoreError> {
    let mut known: Vec<log::Run> = Vec::new();
    let mut found = Vec::with_capacity(rows.len());
    for (row, writer, count) in rows {
        let writer = writer.as_deref().unwrap_or(log::NO_WRITER);
        let count = count.unwrap_or(row.id);
        let mut run = known.iter().find(|run| run.holds(writer, count)).cloned();
        if run.is_none() {
            run = log::run_of(conn, writer, count)?;
            known.extend(run.clone());
        }
        found.push(FoundEntry {
            id: row.id,
            leaf: run.map(|run| run.index_of(count)),
            entry: row.try_into()?,
        });
    }
    Ok(found)
}
