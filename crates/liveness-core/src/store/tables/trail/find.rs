//! Searches of the audit trail, newest entries first.
//!
//! A place in the trail is a time and an id. Every index that a search uses ends with these two columns, so a page that
//! begins at a place costs as much as any other.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::about;
use super::entries::AuditRow;
use super::filter::{Place, Search, TrailFilter, TrailPageRequest};
use super::log;
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

/// The part of an index from the time `$from` and before the place `$before`, newest first. `$column` is the first column
/// of the index, and leads the order. So exactly one index has that order, whatever the engine's statistics are.
macro_rules! part_of_index {
    ($query:expr, $column:ident: $type:ty = $value:expr, $search:expr) => {
        $query
            .filter(
                sql::<Bool>(concat!("(", stringify!($column), ", at, id) < ("))
                    .bind::<$type, _>($value)
                    .sql(", ")
                    .bind::<BigInt, _>($search.before.0)
                    .sql(", ")
                    .bind::<BigInt, _>($search.before.1)
                    .sql(")"),
            )
            .filter(
                sql::<Bool>(concat!("(", stringify!($column), ", at) >= ("))
                    .bind::<$type, _>($value)
                    .sql(", ")
                    .bind::<BigInt, _>($search.from)
                    .sql(")"),
            )
            .order(dsl::$column.desc())
    };
}

/// The query for the entries that match, on either engine. With CASE, the engine cannot use the index of a condition that is
/// not the narrowest, and does not think that it leaves few rows, which it would rather sort.
macro_rules! matching {
    ($search:expr, $is_citus:expr) => {{
        let search = $search;
        let query = dsl::liveness_audit_entries.into_boxed();
        let mut query = match (search.user, search.principal, search.message) {
            (Some(user), ..) => part_of_index!(query, self_service_user_id: BigInt = user, search),
            (None, Some(principal), _) => part_of_index!(query, principal: Text = principal, search),
            (None, None, Some(message)) => part_of_index!(query, message: Text = message, search),
            (None, None, None) => query
                .filter(
                    sql::<Bool>("(at, id) < (")
                        .bind::<BigInt, _>(search.before.0)
                        .sql(", ")
                        .bind::<BigInt, _>(search.before.1)
                        .sql(")"),
                )
                .filter(dsl::at.ge(search.from)),
        };
        if let (true, Some(user)) = ($is_citus, search.user) {
            // With the user, Citus knows the shard.
            query = query.filter(dsl::self_service_user_id.eq(user));
        }
        if let (Some(_), Some(principal)) = (search.user, search.principal) {
            query = query.filter(sql::<Bool>("CASE WHEN principal = ").bind::<Text, _>(principal).sql(" THEN TRUE ELSE FALSE END"));
        }
        if let (true, Some(message)) = (search.user.is_some() || search.principal.is_some(), search.message) {
            query = query.filter(sql::<Bool>("CASE WHEN message = ").bind::<Text, _>(message).sql(" THEN TRUE ELSE FALSE END"));
        }
        query.then_order_by((dsl::at.desc(), dsl::id.desc()))
    }};
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
        None => matching(conn, search, page).map(Some),
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

fn matching(conn: &mut Connection<'_>, search: Search<'_>, page: TrailPageRequest) -> Result<TrailPage, StoreError> {
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
        let counted: Vec<i64> = on_either!(conn, |conn| matching!(search, is_citus)
            .limit(MOST_COUNTED + 1)
            .select(dsl::id)
            .load(*conn))?;
        Some(counted.len() as i64).filter(|counted| *counted <= MOST_COUNTED)
    };
    let shown = rows.into_iter().take(usize::try_from(page.size).unwrap_or_default());
    Ok(TrailPage {
        items: found(conn, shown.collect())?,
        total,
        has_next,
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
    let ids: Vec<i64> = ids.map(|(_, id)| *id).collect();
    let rows = eq_any(dsl::id, ids)?;
    let mut rows: Vec<Row> = on_either!(conn, |conn| dsl::liveness_audit_entries
        .filter(rows)
        .select((AuditRow::as_select(), dsl::writer, dsl::writer_count))
        .load(*conn))?;
    rows.sort_unstable_by_key(|(row, ..)| std::cmp::Reverse((row.at, row.id)));
    Ok(TrailPage {
        items: found(conn, rows)?,
        total: Some(total),
        has_next: page.skip.saturating_add(page.size) < total,
    })
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
