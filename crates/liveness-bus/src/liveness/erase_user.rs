//! Erases a user for good: `docs/api.md#eraseusercommand`.

use liveness_core::store::ErasedUser;
use liveness_core::{Reason, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::store_adapter::{ERASED, HELD, NO_SUCH_USER};
use super::{Liveness, OFFICER, validators};
use crate::{Access, Audit, BusError, Call, Description, Handler, Kind, Message};

/// Erases all faces of a user, and what names the person: in the user's row, in records and in audit entries.
#[derive(Debug, Clone, Default, Deserialize, Validate, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EraseUserCommand {
    /// `SelfServiceUser.Id`, from 1.
    #[validate(required, range(min = 1))]
    pub user_id: Option<i64>,
    /// Why, for the receipt: 1 to 1,000 characters. It should name nobody.
    #[validate(required, custom(function = "validators::reason"))]
    #[schemars(with = "Reason")]
    pub reason: Option<String>,
}

/// The receipt of a user's erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserErased {
    /// `SelfServiceUser.Id`
    pub user_id: i64,
    /// How many records say no more who it was.
    pub records: i64,
    /// How many faces were erased with them.
    pub faces: i64,
    /// When.
    pub erased_at: Timestamp,
    /// From when on no backup opens the faces: the day of the next rotation of the keys. Null while that day is not known,
    /// and without faces.
    pub unreadable_from: Option<Timestamp>,
}

impl Message for EraseUserCommand {
    const NAME: &'static str = "EraseUserCommand";
    const KIND: Kind = Kind::Command;
    const ACCESS: Access = OFFICER;
    const AUDIT: Audit = Audit::WithRecord;
    type Reply = UserErased;

    fn description() -> Option<Description> {
        let examples = include_str!("examples/erase_user.json");
        Some(Description::of::<Self>(examples).refusals([NO_SUCH_USER, HELD, ERASED]))
    }

    fn concerns(&self) -> Option<i64> {
        self.user_id
    }

    fn summary(_: &UserErased) -> Option<&'static str> {
        Some("The user's faces and personal data were erased.")
    }
}

impl Handler<EraseUserCommand> for Liveness {
    async fn handle(&self, command: EraseUserCommand, call: &Call<'_>) -> Result<UserErased, BusError> {
        let id = command.user_id.unwrap_or_default();
        let order = Self::order(None, command.reason.as_ref(), call)?;
        let is_known = self.knows(id).await?;
        let erased = self.store.erasures().erase_user(id, is_known, order).await?;
        call.entry_written();
        Ok(erased.into())
    }
}

impl From<ErasedUser> for UserErased {
    fn from(erased: ErasedUser) -> Self {
        Self {
            user_id: erased.self_service_user_id,
            records: erased.records,
            faces: erased.faces,
            erased_at: erased.erased_at,
            unreadable_from: erased.unreadable_from,
        }
    }
}
