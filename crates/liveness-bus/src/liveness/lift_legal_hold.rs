//! Lifts the legal hold on a user: `docs/api.md#liftlegalholdcommand`.

use liveness_core::{Reason, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::store_adapter::NOT_HELD;
use super::{Liveness, OFFICER, validators};
use crate::{Access, Audit, BusError, Call, Description, Handler, Kind, Message};

/// Lifts the legal hold on a user. What the policy would have erased meanwhile is erased soon after.
#[derive(Debug, Clone, Default, Deserialize, Validate, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LiftLegalHoldCommand {
    /// `SelfServiceUser.Id`, from 1.
    #[validate(required, range(min = 1))]
    pub user_id: Option<i64>,
    /// Why, for the audit trail: 1 to 1,000 characters.
    #[validate(required, custom(function = "validators::reason"))]
    #[schemars(with = "Reason")]
    pub reason: Option<String>,
}

/// A legal hold that was lifted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LegalHoldLifted {
    /// `SelfServiceUser.Id`
    pub user_id: i64,
    /// When.
    pub lifted_at: Timestamp,
}

impl Message for LiftLegalHoldCommand {
    const NAME: &'static str = "LiftLegalHoldCommand";
    const KIND: Kind = Kind::Command;
    const ACCESS: Access = OFFICER;
    const AUDIT: Audit = Audit::WithRecord;
    type Reply = LegalHoldLifted;

    fn description() -> Option<Description> {
        let examples = include_str!("examples/lift_legal_hold.json");
        Some(Description::of::<Self>(examples).refusals([NOT_HELD]))
    }

    fn concerns(&self) -> Option<i64> {
        self.user_id
    }

    fn summary(_: &LegalHoldLifted) -> Option<&'static str> {
        Some("The legal hold was lifted.")
    }
}

impl Handler<LiftLegalHoldCommand> for Liveness {
    async fn handle(&self, command: LiftLegalHoldCommand, call: &Call<'_>) -> Result<LegalHoldLifted, BusError> {
        let user_id = command.user_id.unwrap_or_default();
        let order = Self::order(None, command.reason.as_ref(), call)?;
        let lifted_at = self.store.holds().lift(user_id, order).await?;
        call.entry_written();
        Ok(LegalHoldLifted { user_id, lifted_at })
    }
}
