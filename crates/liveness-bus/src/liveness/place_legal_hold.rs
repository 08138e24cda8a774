//! Keeps all that is recorded of a user from being erased: `docs/api.md#placelegalholdcommand`.

use liveness_core::{Reason, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::store_adapter::{ERASED, HELD, NO_SUCH_USER};
use super::{Liveness, OFFICER, validators};
use crate::{Access, Audit, BusError, Call, Description, Handler, Kind, Message};

/// Places a legal hold on a user: nothing of the user is erased until it is lifted.
#[derive(Debug, Clone, Default, Deserialize, Validate, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlaceLegalHoldCommand {
    /// `SelfServiceUser.Id`, from 1.
    #[validate(required, range(min = 1))]
    pub user_id: Option<i64>,
    /// Why, for the audit trail: 1 to 1,000 characters.
    #[validate(required, custom(function = "validators::reason"))]
    #[schemars(with = "Reason")]
    pub reason: Option<String>,
}

/// A legal hold that was placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LegalHoldPlaced {
    /// `SelfServiceUser.Id`
    pub user_id: i64,
    /// Since when.
    pub held_since: Timestamp,
}

impl Message for PlaceLegalHoldCommand {
    const NAME: &'static str = "PlaceLegalHoldCommand";
    const KIND: Kind = Kind::Command;
    const ACCESS: Access = OFFICER;
    const AUDIT: Audit = Audit::WithRecord;
    type Reply = LegalHoldPlaced;

    fn description() -> Option<Description> {
        let examples = include_str!("examples/place_legal_hold.json");
        Some(Description::of::<Self>(examples).refusals([NO_SUCH_USER, HELD, ERASED]))
    }

    fn concerns(&self) -> Option<i64> {
        self.user_id
    }

    fn summary(_: &LegalHoldPlaced) -> Option<&'static str> {
        Some("The legal hold was placed.")
    }
}

impl Handler<PlaceLegalHoldCommand> for Liveness {
    async fn handle(&self, command: PlaceLegalHoldCommand, call: &Call<'_>) -> Result<LegalHoldPlaced, BusError> {
        let user_id = command.user_id.unwrap_or_default();
        let order = Self::order(None, command.reason.as_ref(), call)?;
        let is_known = self.knows(user_id).await?;
        let held_since = self.store.holds().place(user_id, is_known, order).await?;
        call.entry_written();
        Ok(LegalHoldPlaced { user_id, held_since })
    }
}
