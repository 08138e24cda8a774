//! Adds a decision, in the transaction of its audit entry.

use diesel::prelude::*;

use super::order::{Decided, DecisionError, DecisionOrder};

use crate::store::engine::connection::{Connection, on_either};
use crate::store::engine::error::StoreError;
use crate::store::tables::decision_rows::{self as rows, DecisionRow};
use crate::store::tables::entry_writer::EntryWriter;
use crate::store::tables::events::telling::{Cause, TellingDecision};
use crate::store::tables::judgment::decision_number;
use crate::store::tables::policy_in_force::PolicyInForce;
use crate::store::tables::schema::liveness_checks::dsl as checks;
use crate::store::tables::totals::{self, Counted};
use crate::store::tables::trail::entries::{self, DueEntry};
use crate::store::tables::trail::erased_records;
use crate::store::tables::{erasure_rows, user_lock};
use crate::{AuditEntry, AuditSubject, Decider, DecisionMade, Shown};

type Outcome<T> = Result<Result<T, DecisionError>, StoreError>;

/// Adds a decision, or says why not.
pub(super) fn decide(
    conn: &mut Connection<'_>,
    writer: &mut EntryWriter,
    order: &DecisionOrder,
    in_force: &PolicyInForce,
) -> Outcome<Decided> {
    let second = in_force.policy.review().second;
    let check = match about(conn, order)? {
        Ok(check) => check,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let made = rows::about(conn, check.id)?;
    let person = Decider {
        issuer: order.entry.issuer.clone(),
        principal: order.entry.principal.clone(),
    };
    if second && made.waits_for_another(&person) {
        return Ok(Err(DecisionError::Twice));
    }
    let seen = made.shown_to(&person, second).len();
    if i64::try_from(seen).map_err(StoreError::internal)? != order.seen {
        return Ok(Err(DecisionError::Stale));
    }
    let decided = DecisionMade {
        decision: order.decision,
        number: i32::try_from(made.0.len() + 1).map_err(StoreError::internal)?,
        counts: !second || made.is_second(order.decision, &person),
    };
    if decided.counts {
        let user = check.self_service_user_id;
        let telling = TellingDecision::before(conn, in_force, user)?;
        put_in_force(conn, &check, decision_number(order.decision))?;
        let cause = Cause {
            at: order.entry.at,
            traceparent: order.traceparent.as_deref(),
        };
        telling.tell(conn, in_force, (user, check.id), (order.decision, cause))?;
    }
    write(conn, writer, order, (&check, decided))?;
    Ok(Ok(Decided {
        counts: decided.counts,
        decided_at: order.entry.at,
    }))
}

/// What a decision has to know of its record.
#[derive(Queryable, Selectable)]
#[diesel(table_name = crate::store::tables::schema::liveness_checks)]
struct DecidedCheck {
    id: i64,
    self_service_user_id: i64,
    created_at: i64,
    pre_registration_id: Option<i64>,
    is_successful: bool,
    has_image: bool,
    verdict: Option<i32>,
    decision: Option<i32>,
}

/// The record of a decision, if anybody may decide on it. Takes the lock of its user.
fn about(conn: &mut Connection<'_>, order: &DecisionOrder) -> Outcome<DecidedCheck> {
    let id = order.liveness_check_id;
    let user = checks::liveness_checks
        .filter(checks::id.eq(id))
        .select(checks::self_service_user_id);
    let user: Option<i64> = on_either!(conn, |conn| user.first(*conn).optional())?;
    let Some(user) = user else {
        return Ok(Err(DecisionError::NoSuchRecord));
    };
    if order.own_user == Some(user) {
        return Ok(Err(DecisionError::OwnRecord));
    }
    user_lock::lock(conn, &[user])?;
    let row = checks::liveness_checks.filter(checks::id.eq(id).and(checks::self_service_user_id.eq(user)));
    let check: Option<DecidedCheck> = on_either!(conn, |conn| row
        .select(DecidedCheck::as_select())
        .first(*conn)
        .optional())?;
    let Some(check) = check else {
        return Ok(Err(DecisionError::NoSuchRecord));
    };
    let erasure = erasure_rows::user(conn, user)?;
    let is_erased = erasure.is_some_and(|erasure| {
        erasure.done_at.is_none() || (check.created_at, check.id) <= (erasure.last_created_at, erasure.last_check_id)
    });
    Ok(if is_erased || !erased_records::among(conn, &[id])?.is_empty() {
        Err(DecisionError::Erased)
    } else {
        Ok(check)
    })
}

/// Makes a decision the one in force.
fn put_in_force(conn: &mut Connection<'_>, check: &DecidedCheck, decision: i32) -> Result<(), StoreError> {
    let row = checks::liveness_checks.filter(
        checks::id
            .eq(check.id)
            .and(checks::self_service_user_id.eq(check.self_service_user_id)),
    );
    on_either!(conn, |conn| diesel::update(row)
        .set(checks::decision.eq(decision))
        .execute(*conn))?;
    let before = Counted {
        is_successful: check.is_successful,
        has_image: check.has_image,
        verdict: check.verdict,
        decision: check.decision,
    };
    let after = Counted {
        decision: Some(decision),
        ..before
    };
    let mut changes = totals::Changes::new();
    totals::count(&mut changes, check.pre_registration_id, before, -1);
    totals::count(&mut changes, check.pre_registration_id, after, 1);
    totals::change(conn, totals::OWN_SLOT, changes)
}

/// Writes the audit entry, and the row that has its place.
fn write(
    conn: &mut Connection<'_>,
    writer: &mut EntryWriter,
    order: &DecisionOrder,
    (check, decided): (&DecidedCheck, DecisionMade),
) -> Result<(), StoreError> {
    let entry = AuditEntry {
        self_service_user_id: Some(check.self_service_user_id),
        subject: AuditSubject {
            liveness_check_id: Some(check.id),
            face_digest: None,
            shown: Shown {
                purpose: Some(order.reason.as_str().to_owned()),
                decision: Some(decided),
                ..Shown::default()
            },
        },
        ..order.entry.clone()
    };
    let due = DueEntry {
        entry: &entry,
        recorded: None,
    };
    entries::insert_all(conn, writer, &[due])?;
    let row = DecisionRow {
        liveness_check_id: check.id,
        number: decided.number,
        self_service_user_id: check.self_service_user_id,
        decision: decision_number(decided.decision),
        reason: order.reason.as_str().to_owned(),
        issuer: entry.issuer.clone(),
        principal: entry.principal.clone(),
        decided_at: entry.at.unix_millis(),
        counts: decided.counts,
        writer: writer.name().to_vec(),
        writer_count: writer.given(),
    };
    rows::add(conn, &row)
}
