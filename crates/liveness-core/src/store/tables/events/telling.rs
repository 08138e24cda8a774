//! Makes the events of new records, decisions and erasures, and publishes them.

use std::collections::HashSet;

use serde::Serialize;

use super::audience::Audience;
use super::publishing::publish;
use crate::events::{CHECK_DECIDED, CHECK_JUDGED, CHECK_RECORDED, FACE_ERASED, NewEvent, USER_LOCKED, USER_PASSED};
use crate::store::engine::connection::Connection;
use crate::store::engine::error::StoreError;
use crate::store::tables::checks::completing::{Completion, completing, completing_each};
use crate::store::tables::policy_in_force::PolicyInForce;
use crate::verdict::VerdictOutcome;
use crate::{Decision, LivenessCheck, Timestamp};

/// The data of our events: `docs/api.md#events`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    check_id: i64,
    user_id: i64,
    outcome: Option<&'static str>,
}

/// An event of ours about a record of a user.
fn about(
    event_type: &'static str,
    (user_id, check_id): (i64, i64),
    outcome: Option<&'static str>,
) -> Result<NewEvent, StoreError> {
    let data = Data {
        check_id,
        user_id,
        outcome,
    };
    NewEvent::new(event_type, user_id, &data).map_err(StoreError::internal)
}

/// What events of one order have in common.
#[derive(Clone, Copy)]
pub(crate) struct Cause<'a> {
    /// When it happened.
    pub(crate) at: Timestamp,
    /// The `traceparent` of the request.
    pub(crate) traceparent: Option<&'a str>,
}

impl Cause<'_> {
    fn publish(self, conn: &mut Connection<'_>, audience: &Audience, told: Vec<NewEvent>) -> Result<(), StoreError> {
        let traced = told
            .into_iter()
            .map(|event| event.with_traceparent(self.traceparent.map(str::to_owned)));
        let traced: Vec<_> = traced.collect();
        let timed: Vec<_> = traced.iter().map(|event| (event, self.at)).collect();
        publish(conn, audience, &timed).map(drop)
    }
}

/// When a user has passed.
fn completion(in_force: &PolicyInForce) -> Completion {
    Completion {
        rule: in_force.passing_rule,
        has_to_stand: in_force.policy.verdict().counts,
    }
}

/// A new record.
pub(crate) struct NewRecord<'a> {
    pub(crate) check: &'a LivenessCheck,
    pub(crate) outcome: VerdictOutcome,
    /// The `traceparent` of the request that recorded it.
    pub(crate) traceparent: Option<&'a str>,
    /// Whether it is the failure that locks its user.
    pub(crate) locks: bool,
}

/// Tells of new records.
pub(crate) struct Telling {
    audience: Audience,
    /// The users who have passed.
    passed: HashSet<i64>,
}

impl Telling {
    /// Reads who listens, and which of the users have passed before. The locks of the users must be held.
    pub(crate) fn before(
        conn: &mut Connection<'_>,
        in_force: &PolicyInForce,
        users: impl Iterator<Item = i64>,
    ) -> Result<Self, StoreError> {
        let audience = Audience::of(conn)?;
        let users: HashSet<_> = users.filter(|_| audience.wants(USER_PASSED)).collect();
        let asked: Vec<_> = users.into_iter().map(|user| (user, completion(in_force))).collect();
        let passed = if asked.is_empty() {
            Vec::new()
        } else {
            completing_each(conn, &asked)?
        };
        let passed = passed.into_iter().flatten().map(|check| check.self_service_user_id);
        Ok(Self {
            audience,
            passed: passed.collect(),
        })
    }

    /// Tells of the records, in their order. Returns whether somebody is told.
    pub(crate) fn tell(
        mut self,
        conn: &mut Connection<'_>,
        in_force: &PolicyInForce,
        records: &[NewRecord<'_>],
    ) -> Result<bool, StoreError> {
        if self.audience.subscriptions.is_empty() {
            return Ok(false);
        }
        let mut told = Vec::new();
        for record in records {
            let check = record.check;
            let record_of = (check.self_service_user_id, check.id);
            let mut tell = |event_type, outcome| -> Result<(), StoreError> {
                let event = about(event_type, record_of, outcome)?;
                let traceparent = record.traceparent.map(str::to_owned);
                told.push((event.with_traceparent(traceparent), check.created_at));
                Ok(())
            };
            tell(CHECK_RECORDED, None)?;
            tell(CHECK_JUDGED, Some(record.outcome.as_str()))?;
            if self.passes(in_force, record) {
                tell(USER_PASSED, None)?;
            }
            if record.locks {
                tell(USER_LOCKED, None)?;
            }
        }
        let told: Vec<_> = told.iter().map(|(event, at)| (event, *at)).collect();
        publish(conn, &self.audience, &told)
    }

    /// Whether the user passes by this record, and had not passed. The record is the latest of its user.
    fn passes(&mut self, in_force: &PolicyInForce, record: &NewRecord<'_>) -> bool {
        let Completion { rule, has_to_stand } = completion(in_force);
        let (check, user) = (record.check, record.check.self_service_user_id);
        let stands = !has_to_stand || record.outcome == VerdictOutcome::Accepted;
        if stands && rule.accepts(check.is_successful, check.verification_result) {
            return self.passed.insert(user);
        }
        if rule.only_latest() {
            self.passed.remove(&user);
        }
        false
    }
}

/// Tells of a decision.
pub(crate) struct TellingDecision {
    audience: Audience,
    had_passed: bool,
}

impl TellingDecision {
    /// Reads who listens, and whether the user has passed before the decision. The lock of the user must be held.
    pub(crate) fn before(conn: &mut Connection<'_>, in_force: &PolicyInForce, user: i64) -> Result<Self, StoreError> {
        let audience = Audience::of(conn)?;
        let had_passed = audience.wants(USER_PASSED) && completing(conn, user, completion(in_force))?.is_some();
        Ok(Self { audience, had_passed })
    }

    /// Tells that a decision about a record of the user is in force.
    pub(crate) fn tell(
        &self,
        conn: &mut Connection<'_>,
        in_force: &PolicyInForce,
        (user, check_id): (i64, i64),
        (decision, cause): (Decision, Cause<'_>),
    ) -> Result<(), StoreError> {
        let decided = about(CHECK_DECIDED, (user, check_id), Some(decision.as_str()))?;
        let mut told = vec![decided];
        if self.audience.wants(USER_PASSED) && !self.had_passed {
            let by = completing(conn, user, completion(in_force))?;
            if let Some(check) = by {
                told.push(about(USER_PASSED, (user, check.id), None)?);
            }
        }
        cause.publish(conn, &self.audience, told)
    }
}

/// Tells that the faces of these records of a user are erased. The lock of the user must be held.
pub(crate) fn tell_of_erased_faces(
    conn: &mut Connection<'_>,
    user: i64,
    check_ids: &[i64],
    cause: Cause<'_>,
) -> Result<(), StoreError> {
    if check_ids.is_empty() {
        return Ok(());
    }
    let audience = Audience::of(conn)?;
    let told = check_ids.iter().map(|id| about(FACE_ERASED, (user, *id), None));
    cause.publish(conn, &audience, told.collect::<Result<_, _>>()?)
}
