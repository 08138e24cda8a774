//! Records any run, successful or not: `docs/api.md#updatelivenesscheckcommand`.

use schemars::JsonSchema;
use serde::Deserialize;
use validator::{Validate, ValidationErrors};

use super::{CUSTOMER, Liveness, LivenessReport, Receipt, record_liveness_check};
use crate::{Access, Audit, BusError, Call, Description, Handler, Kind, Message};

/// Records a run, whatever its outcome. It appends a record; nothing is overwritten.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct UpdateLivenessCheckCommand(pub LivenessReport);

impl Validate for UpdateLivenessCheckCommand {
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.0.validate()
    }
}

impl Message for UpdateLivenessCheckCommand {
    const NAME: &'static str = "UpdateLivenessCheckCommand";
    const KIND: Kind = Kind::Command;
    const ACCESS: Access = CUSTOMER;
    const AUDIT: Audit = Audit::WithRecord;
    type Reply = Receipt;

    fn description() -> Option<Description> {
        let examples = include_str!("examples/update_liveness_check.json");
        Some(Description::of::<Self>(examples).refusals(record_liveness_check::refusals()))
    }

    fn summary(receipt: &Receipt) -> Option<&'static str> {
        Some(receipt.summary())
    }
}

impl Handler<UpdateLivenessCheckCommand> for Liveness {
    async fn handle(&self, command: UpdateLivenessCheckCommand, call: &Call<'_>) -> Result<Receipt, BusError> {
        self.record(command.0, call).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::TestBus;

    const NAME: &str = UpdateLivenessCheckCommand::NAME;

    fn command(is_successful: bool) -> UpdateLivenessCheckCommand {
        UpdateLivenessCheckCommand(LivenessReport {
            session_id: Some("sdk-1".into()),
            is_successful: Some(is_successful),
            ..LivenessReport::default()
        })
    }

    #[tokio::test]
    async fn an_unsuccessful_run_is_recorded_through_both_doors() {
        let world = TestBus::new();

        let sent = world.send(command(false), &world.customer(1)).await.unwrap();
        let body =
            r#"{"sessionId":"sdk-1","isSuccessful":false,"metadata":{"verificationResult":false,"challengeCount":3}}"#;
        let dispatched = world.dispatch(NAME, body, &world.customer(1)).await.unwrap();

        assert_eq!((sent.id, sent.is_successful), (1, false));
        let expected = json!({
            "id": 2, "sessionId": "sdk-1", "isSuccessful": false, "verificationResult": false,
            "challengeCount": 3, "completedAt": null, "createdAt": "2026-03-22T14:00:05Z",
        });
        assert_eq!(dispatched, expected);
    }

    #[tokio::test]
    async fn each_call_appends_a_record() {
        let world = TestBus::new();

        for expected in 1..=3 {
            let receipt = world.send(command(true), &world.customer(1)).await.unwrap();
            assert_eq!(receipt.id, expected);
        }

        assert_eq!(world.audit_entries().await.len(), 3);
    }

    #[test]
    fn the_sentence_of_both_commands_follows_the_outcome() {
        let sentences = |is_successful, verification_result| {
            let receipt = Receipt {
                id: 1,
                session_id: "sdk-1".into(),
                is_successful,
                verification_result,
                challenge_count: None,
                completed_at: None,
                created_at: "2026-03-22T14:00:05Z".parse().unwrap(),
                verdict: None,
            };
            assert_eq!(
                UpdateLivenessCheckCommand::summary(&receipt),
                crate::liveness::SubmitLivenessCheckCommand::summary(&receipt)
            );
            UpdateLivenessCheckCommand::summary(&receipt).unwrap()
        };

        let done = "Liveness check completed successfully.";
        let not = "Liveness check recorded but verification was not successful.";
        assert_eq!(
            [Some(true), None, Some(false)].map(|verdict| sentences(true, verdict)),
            [done, done, not]
        );
        assert_eq!(
            [Some(true), None, Some(false)].map(|verdict| sentences(false, verdict)),
            [not, not, not]
        );
    }
}
