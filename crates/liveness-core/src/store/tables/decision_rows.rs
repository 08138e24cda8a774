//! The rows of decisions. They are what a query asks; the log of the audit trail is what proves them.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};

use crate::store::engine::bulk_insert::{self, NoClauses, row};
use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::eq_any::eq_any;
use crate::store::engine::error::StoreError;
use crate::store::tables::judgment;
use crate::store::tables::schema::liveness_decisions::{self, dsl};
use crate::{Decider, Decisions, RecordedDecision, Timestamp};

/// A decision with all of its columns.
#[derive(Queryable, Selectable, Debug, Clone)]
#[diesel(table_name = liveness_decisions)]
pub(crate) struct DecisionRow {
    pub(crate) liveness_check_id: i64,
    pub(crate) number: i32,
    pub(crate) self_service_user_id: i64,
    pub(crate) decision: i32,
    /// Empty once the user was erased.
    pub(crate) reason: String,
    pub(crate) issuer: Option<String>,
    pub(crate) principal: String,
    pub(crate) decided_at: i64,
    pub(crate) counts: bool,
    pub(crate) writer: Vec<u8>,
    pub(crate) writer_count: i64,
}

impl TryFrom<DecisionRow> for RecordedDecision {
    type Error = StoreError;

    fn try_from(row: DecisionRow) -> Result<Self, StoreError> {
        let decided_at = Timestamp::from_unix_millis(row.decided_at);
        Ok(Self {
            decision: judgment::decision(row.decision)?,
            reason: Some(row.reason).filter(|reason| !reason.is_empty()),
            by: Decider {
                issuer: row.issuer,
                principal: row.principal,
            },
            decided_at: decided_at.ok_or_else(|| StoreError::internal("the time of a decision is out of range"))?,
            counts: row.counts,
        })
    }
}

row! {
    struct NewDecisionRow<'a> of "liveness_decisions", in columns NewDecisionColumns {
        liveness_check_id: i64 => BigInt,
        number: i32 => Integer,
        self_service_user_id: i64 => BigInt,
        decision: i32 => Integer,
        reason: &'a str => Text,
        issuer: Option<&'a str> => Nullable<Text>,
        principal: &'a str => Text,
        decided_at: i64 => BigInt,
        counts: bool => Bool,
        writer: &'a [u8] => Binary,
        writer_count: i64 => BigInt,
    }
}

/// Adds a decision.
pub(crate) fn add(conn: &mut Connection<'_>, made: &DecisionRow) -> Result<(), StoreError> {
    let row = NewDecisionRow {
        liveness_check_id: made.liveness_check_id,
        number: made.number,
        self_service_user_id: made.self_service_user_id,
        decision: made.decision,
        reason: &made.reason,
        issuer: made.issuer.as_deref(),
        principal: &made.principal,
        decided_at: made.decided_at,
        counts: made.counts,
        writer: &made.writer,
        writer_count: made.writer_count,
    };
    bulk_insert::execute::<_, NoClauses>(conn, vec![row])
}

/// The decisions about a record, in the order in which they were made.
pub(crate) fn about(conn: &mut Connection<'_>, check_id: i64) -> Result<Decisions, StoreError> {
    let made = rows_of(conn, &[check_id])?.into_iter().map(RecordedDecision::try_from);
    Ok(Decisions(made.collect::<Result<_, _>>()?))
}

/// The rows of the decisions about records, by record and number.
pub(crate) fn rows_of(conn: &mut Connection<'_>, check_ids: &[i64]) -> Result<Vec<DecisionRow>, StoreError> {
    let ids = check_ids.to_vec();
    let mut rows: Vec<DecisionRow> = on_either!(conn, |conn| dsl::liveness_decisions
        .filter(eq_any(dsl::liveness_check_id, ids)?)
        .select(DecisionRow::as_select())
        .load(*conn))?;
    rows.sort_unstable_by_key(|row| (row.liveness_check_id, row.number));
    Ok(rows)
}

/// Takes the words out of a decision, because its user is erased.
pub(crate) fn blank(conn: &mut Connection<'_>, check_id: i64, number: i32) -> Result<(), StoreError> {
    let row = dsl::liveness_decisions.find((check_id, number));
    on_either!(conn, |conn| diesel::update(row).set(dsl::reason.eq("")).execute(*conn))?;
    Ok(())
}
