//! Compares decisions with the entries that tell of them, and the decision in force of each record with its decisions.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use diesel::prelude::*;

use super::bound::ToldDecision;
use super::rows::EntryRow;
use super::verified::TrailVerification;
use super::verified_erasures::told;
use crate::DecisionMade;
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::decision_rows::{self as rows, DecisionRow};
use crate::store::tables::entry_writer::EntryTrust;
use crate::store::tables::erasure_rows::Told;
use crate::store::tables::judgment::decision_number;
use crate::store::tables::schema::{liveness_checks as checks, liveness_decisions as decisions};

/// Verifies that the decisions that entries tell of are there as they were made.
pub(crate) fn verify(
    conn: &mut Connection<'_>,
    told: &[ToldDecision],
    done: &mut TrailVerification,
) -> Result<(), StoreError> {
    if told.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = told.iter().map(|told| told.check_id).collect();
    let rows = rows::rows_of(conn, &ids)?;
    let rows: HashMap<_, _> = rows
        .iter()
        .map(|row| ((row.liveness_check_id, row.number), row))
        .collect();
    for told in told {
        let at = format!("decision {} about record {}", told.made.number, told.check_id);
        match rows.get(&(told.check_id, told.made.number)) {
            None => done.find(format!("{at} was taken away (leaf {})", told.leaf)),
            Some(row) if !tells(&told.entry, told.made, row) => {
                done.find(format!("{at} was changed (leaf {})", told.leaf));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Whether an entry tells of this decision.
fn tells(entry: &EntryRow, made: DecisionMade, row: &DecisionRow) -> bool {
    // The words go out of both in one transaction when the user is erased.
    let reason = if entry.has_no_subject() {
        Some(String::new())
    } else {
        entry.purpose()
    };
    entry.liveness_check_id == Some(row.liveness_check_id)
        && entry.user() == Some(row.self_service_user_id)
        && entry.writer.as_deref() == Some(&row.writer[..])
        && entry.writer_count == Some(row.writer_count)
        && entry.at == row.decided_at
        && entry.issuer == row.issuer
        && entry.principal == row.principal
        && reason.as_deref() == Some(&row.reason)
        && (made.number, decision_number(made.decision), made.counts) == (row.number, row.decision, row.counts)
}

/// The greatest id of a record that was decided on, as the decisions say.
pub(crate) fn last_id(conn: &mut Connection<'_>) -> Result<i64, StoreError> {
    let last: Option<i64> = on_either!(conn, |conn| decisions::table
        .order(decisions::liveness_check_id.desc())
        .select(decisions::liveness_check_id)
        .first(*conn)
        .optional())?;
    Ok(last.unwrap_or_default())
}

/// Verifies the decisions about the next records with these ids, at most so many: that an entry tells of each, and that the
/// decision in force follows from them. Returns the id behind the last record that is done.
pub(crate) fn verify_records(
    conn: &mut Connection<'_>,
    trust: &EntryTrust,
    ids: Range<i64>,
    limit: i64,
    done: &mut TrailVerification,
) -> Result<i64, StoreError> {
    let mut found = of_records(conn, ids.clone(), limit)?;
    let first = found.first().map(|row| row.liveness_check_id);
    let last = found.last().map(|row| row.liveness_check_id);
    let is_cut = i64::try_from(found.len()).map_err(StoreError::internal)? >= limit;
    let end = match (first, last) {
        (Some(first), Some(last)) if is_cut && first == last => {
            found = rows::rows_of(conn, &[first])?;
            first.saturating_add(1)
        }
        (_, Some(last)) if is_cut => {
            // The decisions about the last record may be cut.
            found.retain(|row| row.liveness_check_id < last);
            last
        }
        _ => ids.end,
    };
    let mut in_force = BTreeMap::<i64, Option<i32>>::new();
    for row in &found {
        let place = Told {
            writer: row.writer.clone(),
            count: row.writer_count,
        };
        let entries = told(conn, trust, &place)?;
        let is_told = |entry: &EntryRow| entry.decision().is_some_and(|made| tells(entry, made, row));
        let is_told = entries.iter().any(is_told);
        if !is_told {
            done.find(format!(
                "decision {} about record {} was put in or changed: no audit entry tells of it",
                row.number, row.liveness_check_id
            ));
        }
        let latest = in_force.entry(row.liveness_check_id).or_default();
        if is_told && row.counts {
            *latest = Some(row.decision);
        }
    }
    follows(conn, ids.start..end, &in_force, done)?;
    Ok(end)
}

/// Finds records whose decision in force is not the one that follows from the decisions.
fn follows(
    conn: &mut Connection<'_>,
    ids: Range<i64>,
    in_force: &BTreeMap<i64, Option<i32>>,
    done: &mut TrailVerification,
) -> Result<(), StoreError> {
    let stored: Vec<(i64, Option<i32>)> = on_either!(conn, |conn| checks::table
        .filter(checks::id.ge(ids.start).and(checks::id.lt(ids.end)))
        .filter(checks::decision.is_not_null())
        .select((checks::id, checks::decision))
        .load(*conn))?;
    let stored: BTreeMap<i64, Option<i32>> = stored.into_iter().collect();
    let all = stored.keys().chain(in_force.keys());
    let mut all: Vec<i64> = all.copied().collect();
    all.sort_unstable();
    all.dedup();
    for id in all {
        if stored.get(&id).copied().flatten() != in_force.get(&id).copied().flatten() {
            done.find(format!(
                "the decision of record {id} was changed: it is not the latest one that counts"
            ));
        }
    }
    Ok(())
}

fn of_records(conn: &mut Connection<'_>, ids: Range<i64>, limit: i64) -> Result<Vec<DecisionRow>, StoreError> {
    Ok(on_either!(conn, |conn| decisions::table
        .filter(
            decisions::liveness_check_id
                .ge(ids.start)
                .and(decisions::liveness_check_id.lt(ids.end)),
        )
        .order((decisions::liveness_check_id, decisions::number))
        .limit(limit)
        .select(DecisionRow::as_select())
        .load(*conn))?)
}
