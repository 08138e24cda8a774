//! Decides about a record: `docs/api.md#reviewlivenesscheckcommand`.

use liveness_core::store::{Decided, DecisionOrder};
use liveness_core::{AuditSubject, Reason, Shown, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::judgment::{self, DecisionOutcome};
use super::store_adapter::{DECIDED_SINCE, DECIDED_TWICE, ERASED, NO_SUCH_CHECK, OWN_CHECK};
use super::{ADMIN, Liveness, validators};
use crate::{Access, Audit, BusError, Call, Description, Handler, Kind, Message, TraceContext};

/// Adds a decision about a record. The latest that counts is in force.
#[derive(Debug, Clone, Default, Deserialize, Validate, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReviewLivenessCheckCommand {
    /// The record's number, from 1.
    #[validate(required, range(min = 1))]
    pub id: Option<i64>,
    /// What is decided.
    #[validate(required, custom(function = "judgment::decision"))]
    #[schemars(with = "DecisionOutcome")]
    pub decision: Option<String>,
    /// Why: 1 to 1,000 characters.
    #[validate(required, custom(function = "validators::reason"))]
    #[schemars(with = "Reason")]
    pub reason: Option<String>,
    /// How many decisions GetLivenessCheckQuery has shown. If there are others now, somebody has decided since.
    #[validate(required, range(min = 0, max = 2_147_483_647))]
    pub decisions_seen: Option<i64>,
}

/// A decision that was added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LivenessCheckReviewed {
    /// The record's number.
    pub id: i64,
    /// What was decided.
    pub decision: DecisionOutcome,
    /// One more than were seen.
    pub decisions_seen: i64,
    /// Whether it counts, or waits for the same decision by another person.
    pub counts: bool,
    /// When.
    pub decided_at: Timestamp,
}

impl Message for ReviewLivenessCheckCommand {
    const NAME: &'static str = "ReviewLivenessCheckCommand";
    const KIND: Kind = Kind::Command;
    const ACCESS: Access = ADMIN;
    const AUDIT: Audit = Audit::WithRecord;
    type Reply = LivenessCheckReviewed;

    fn description() -> Option<Description> {
        let examples = include_str!("examples/review_liveness_check.json");
        let refusals = [NO_SUCH_CHECK, OWN_CHECK, DECIDED_SINCE, DECIDED_TWICE, ERASED];
        Some(Description::of::<Self>(examples).refusals(refusals))
    }

    fn summary(reviewed: &LivenessCheckReviewed) -> Option<&'static str> {
        Some(if reviewed.counts {
            "Decision recorded."
        } else {
            "Decision recorded; it counts once another person decides the same."
        })
    }
}

impl Handler<ReviewLivenessCheckCommand> for Liveness {
    async fn handle(
        &self,
        command: ReviewLivenessCheckCommand,
        call: &Call<'_>,
    ) -> Result<LivenessCheckReviewed, BusError> {
        let id = command.id.unwrap_or_default();
        let seen = command.decisions_seen.unwrap_or_default();
        let decision = judgment::read_decision(command.decision.as_deref().unwrap_or_default());
        let decision = decision.map_err(|violation| BusError::invalid("decision", violation))?;
        let reason = Reason::parse(command.reason.as_deref().unwrap_or_default());
        let reason = reason.map_err(|violation| BusError::invalid("reason", violation))?;
        let own_user = self.own_user(call).await?;
        let entry = call.audit_entry();
        // If it is refused, the entry tells of the record that is meant, and why.
        call.shows(AuditSubject {
            shown: Shown {
                filter: Shown::filter_of([("id", Some(id.to_string()))]),
                purpose: Some(reason.as_str().to_owned()),
                ..Shown::default()
            },
            ..AuditSubject::default()
        });
        let order = DecisionOrder {
            liveness_check_id: id,
            decision: decision.into(),
            reason,
            seen,
            own_user,
            entry,
            traceparent: call.trace().map(TraceContext::traceparent),
        };
        let Decided { counts, decided_at } = self.store.reviews().decide(order).await?;
        call.entry_written();
        Ok(LivenessCheckReviewed {
            id,
            decision,
            decisions_seen: seen + 1,
            counts,
            decided_at,
        })
    }
}
