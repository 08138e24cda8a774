//! Issues a session for one run, with the challenges to ask for: `docs/api.md#startlivenesssessioncommand`.

use liveness_core::Timestamp;
use liveness_core::store::StartedSession;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::store_adapter::locked;
use super::{CUSTOMER, Liveness};
use crate::{Access, Audit, BusError, Call, Description, Handler, Kind, Message};

/// Starts a run: issues a session, which the report of the run names. Each call issues another one.
#[derive(Debug, Clone, Copy, Default, Deserialize, Validate, JsonSchema)]
pub struct StartLivenessSessionCommand {}

/// A session that was issued for one report of this user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LivenessSessionStarted {
    /// `lvs_` and 22 characters of base64url, to send as `sessionId` or as `issuedSessionId`.
    pub session_id: String,
    /// The challenges to ask for, in this order.
    pub challenges: Vec<String>,
    /// Until when a report may use it.
    pub expires_at: Timestamp,
    /// How many more attempts may fail before the user has to wait or is locked. Null if nothing limits them.
    pub attempts_left: Option<u32>,
}

impl Message for StartLivenessSessionCommand {
    const NAME: &'static str = "StartLivenessSessionCommand";
    const KIND: Kind = Kind::Command;
    const ACCESS: Access = CUSTOMER;
    const AUDIT: Audit = Audit::WithRecord;
    type Reply = LivenessSessionStarted;

    fn description() -> Option<Description> {
        let examples = include_str!("examples/start_liveness_session.json");
        Some(Description::of::<Self>(examples).refusals([locked(None)]))
    }

    fn summary(_: &LivenessSessionStarted) -> Option<&'static str> {
        Some("Liveness session started.")
    }
}

impl Handler<StartLivenessSessionCommand> for Liveness {
    async fn handle(
        &self,
        _: StartLivenessSessionCommand,
        call: &Call<'_>,
    ) -> Result<LivenessSessionStarted, BusError> {
        let user = call.user()?.id;
        let started = self.store.sessions().start(user, call.audit_entry()).await?;
        call.entry_written();
        Ok(started.into())
    }
}

impl From<StartedSession> for LivenessSessionStarted {
    fn from(started: StartedSession) -> Self {
        Self {
            session_id: started.session.session_id,
            challenges: started.session.challenges,
            expires_at: started.session.expires_at,
            attempts_left: started.attempts_left,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::testing::TestBus;

    #[tokio::test]
    async fn both_doors_issue_a_session_of_three_challenges_for_five_minutes() {
        let world = TestBus::new();

        let sent = world
            .send(StartLivenessSessionCommand {}, &world.customer(1))
            .await
            .unwrap();
        let dispatched = world
            .dispatch(StartLivenessSessionCommand::NAME, "{}", &world.customer(1))
            .await
            .unwrap();

        let known = ["BLINK", "SMILE", "TURN_LEFT", "TURN_RIGHT", "NOD"];
        for answer in [serde_json::to_value(&sent).unwrap(), dispatched.clone()] {
            let challenges: BTreeSet<_> = answer["challenges"]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap())
                .collect();
            assert_eq!(challenges.len(), 3, "{answer}");
            assert!(challenges.iter().all(|name| known.contains(name)), "{answer}");
            assert_eq!(answer["expiresAt"], "2026-03-22T14:05:05Z");
            assert_eq!(answer["attemptsLeft"], serde_json::Value::Null);
        }
        assert_ne!(dispatched["sessionId"], sent.session_id.as_str());
    }

    #[tokio::test]
    async fn the_one_entry_of_a_start_says_which_session_it_issued() {
        let world = TestBus::new();

        let sent = world
            .send(StartLivenessSessionCommand {}, &world.customer(1))
            .await
            .unwrap();

        let entries = world.audit_entries().await;
        let [entry] = entries.as_slice() else {
            panic!("{entries:?}")
        };
        assert_eq!((entry.self_service_user_id, &*entry.outcome), (Some(1), "00"));
        let told = entry.subject.shown.detail.as_deref().unwrap();
        assert_eq!(
            told,
            format!(
                "issued {} until 2026-03-22T14:05:05Z: {}",
                sent.session_id,
                sent.challenges.join(", ")
            )
        );
    }
}
