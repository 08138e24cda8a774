//! Finds the user of a reviewer, if there is one. Nobody may decide about their own record, or unlock themselves.

use liveness_core::UserReference;

use super::Liveness;
use crate::{BusError, Call};

impl Liveness {
    /// The self-service user whom the sender is, whatever their roles. A number names a user whom nobody has added yet, too.
    pub(super) async fn own_user(&self, call: &Call<'_>) -> Result<Option<i64>, BusError> {
        let principal = call.principal();
        if let Some(user) = principal.user() {
            return Ok(Some(user.id));
        }
        let Some(claims) = principal.user_claims() else {
            return Ok(None);
        };
        if let UserReference::Id(id) = claims.reference {
            return Ok(Some(id));
        }
        Ok(self.users.identify(claims).await?.map(|user| user.id))
    }
}
