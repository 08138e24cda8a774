//! Tells the user whether they have passed: `docs/api.md#checklivenessstatusquery`.

use liveness_core::Timestamp;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::{CUSTOMER, Liveness};
use crate::{Access, Audit, BusError, Call, Handler, Kind, Message};

/// Asks whether the user behind the token has completed the liveness check, by the rule that the operator has set.
#[derive(Debug, Clone, Copy, Default, Deserialize, Validate)]
pub struct CheckLivenessStatusQuery {}

/// Whether, when and by which session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LivenessStatus {
    /// Whether there is a record that completes the check.
    pub has_completed_liveness_check: bool,
    /// When that run ended by the phone's clock, or else when it was recorded.
    pub liveness_check_date: Option<Timestamp>,
    /// The session of that run.
    pub session_id: Option<String>,
}

impl Message for CheckLivenessStatusQuery {
    const NAME: &'static str = "CheckLivenessStatusQuery";
    const KIND: Kind = Kind::Query;
    const ACCESS: Access = CUSTOMER;
    const AUDIT: Audit = Audit::LogOnly;
    type Reply = LivenessStatus;

    fn summary(status: &LivenessStatus) -> Option<&'static str> {
        Some(if status.has_completed_liveness_check {
            "Liveness check has been completed."
        } else {
            "Liveness check has not been completed."
        })
    }
}

impl Handler<CheckLivenessStatusQuery> for Liveness {
    async fn handle(&self, _: CheckLivenessStatusQuery, call: &Call<'_>) -> Result<LivenessStatus, BusError> {
        let user = call.principal().user();
        let user = user.ok_or(BusError::Forbidden("there is no self-service user behind the token"))?;
        let completing = self.store.completing_check(user.id, self.settings.status_rule).await?;
        Ok(LivenessStatus {
            has_completed_liveness_check: completing.is_some(),
            liveness_check_date: completing
                .as_ref()
                .map(|check| check.completed_at.unwrap_or(check.created_at)),
            session_id: completing.map(|check| check.session_id),
        })
    }
}
