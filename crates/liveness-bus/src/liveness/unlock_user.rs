//! Unlocks a user who has failed too often: `docs/api.md#unlockusercommand`.

use liveness_core::{Reason, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::store_adapter::{NO_SUCH_USER, OWN_USER};
use super::{ADMIN, Liveness, validators};
use crate::{Access, Audit, BusError, Call, Description, Handler, Kind, Message};

/// Forgets the failures of a user, so that nothing keeps them locked or waiting.
#[derive(Debug, Clone, Default, Deserialize, Validate, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnlockUserCommand {
    /// `SelfServiceUser.Id`, from 1.
    #[validate(required, range(min = 1))]
    pub user_id: Option<i64>,
    /// Why, for the audit trail: 1 to 1,000 characters.
    #[validate(required, custom(function = "validators::reason"))]
    #[schemars(with = "Reason")]
    pub reason: Option<String>,
}

/// A user who was unlocked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserUnlocked {
    /// `SelfServiceUser.Id`
    pub user_id: i64,
    /// When.
    pub unlocked_at: Timestamp,
}

impl Message for UnlockUserCommand {
    const NAME: &'static str = "UnlockUserCommand";
    const KIND: Kind = Kind::Command;
    const ACCESS: Access = ADMIN;
    const AUDIT: Audit = Audit::WithRecord;
    type Reply = UserUnlocked;

    fn description() -> Option<Description> {
        let examples = include_str!("examples/unlock_user.json");
        Some(Description::of::<Self>(examples).refusals([NO_SUCH_USER, OWN_USER]))
    }

    fn concerns(&self) -> Option<i64> {
        self.user_id
    }

    fn summary(_: &UserUnlocked) -> Option<&'static str> {
        Some("The user was unlocked.")
    }
}

impl Handler<UnlockUserCommand> for Liveness {
    async fn handle(&self, command: UnlockUserCommand, call: &Call<'_>) -> Result<UserUnlocked, BusError> {
        let user_id = command.user_id.unwrap_or_default();
        let order = Self::order(None, command.reason.as_ref(), call)?;
        if self.own_user(call).await? == Some(user_id) {
            return Err(OWN_USER);
        }
        let is_known = self.knows(user_id).await?;
        let unlocked_at = self.store.locks().unlock(user_id, is_known, order).await?;
        call.entry_written();
        Ok(UserUnlocked { user_id, unlocked_at })
    }
}
