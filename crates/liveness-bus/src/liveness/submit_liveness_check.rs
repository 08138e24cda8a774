//! Records a successful run: `docs/api.md#submitlivenesscheckcommand`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use validator::{Validate, ValidationErrors};

use super::{CUSTOMER, Liveness, LivenessReport, Receipt, record_liveness_check};
use crate::{Access, Audit, BusError, Call, Description, Handler, Kind, Message};

/// Records a run that the SDK calls a success; any other is declined and only audited.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct SubmitLivenessCheckCommand(pub LivenessReport);

const RUN_FAILED: BusError =
    BusError::Declined("a run that failed is not recorded here; use UpdateLivenessCheckCommand to record any outcome");

/// A report whose `isSuccessful` must be true.
impl JsonSchema for SubmitLivenessCheckCommand {
    fn schema_name() -> Cow<'static, str> {
        Self::NAME.into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Records a run that the SDK calls a success; any other is declined and only audited.",
            "allOf": [
                generator.subschema_for::<LivenessReport>(),
                { "properties": { "isSuccessful": { "const": true } } },
            ],
        })
    }
}

impl Validate for SubmitLivenessCheckCommand {
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.0.validate()
    }
}

impl Message for SubmitLivenessCheckCommand {
    const NAME: &'static str = "SubmitLivenessCheckCommand";
    const KIND: Kind = Kind::Command;
    const ACCESS: Access = CUSTOMER;
    const AUDIT: Audit = Audit::WithRecord;
    type Reply = Receipt;

    fn description() -> Option<Description> {
        let examples = include_str!("examples/submit_liveness_check.json");
        Some(
            Description::of::<Self>(examples)
                .refusals(record_liveness_check::refusals())
                .refusals([RUN_FAILED]),
        )
    }

    fn decline(&self) -> Result<(), BusError> {
        match self.0.is_successful {
            Some(false) => Err(RUN_FAILED),
            _ => Ok(()),
        }
    }

    fn summary(receipt: &Receipt) -> Option<&'static str> {
        Some(receipt.summary())
    }
}

impl Handler<SubmitLivenessCheckCommand> for Liveness {
    async fn handle(&self, command: SubmitLivenessCheckCommand, call: &Call<'_>) -> Result<Receipt, BusError> {
        self.record(command.0, call).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::TestBus;

    const NAME: &str = SubmitLivenessCheckCommand::NAME;
    const DECLINED: &str =
        "a run that failed is not recorded here; use UpdateLivenessCheckCommand to record any outcome";

    fn command(is_successful: bool) -> SubmitLivenessCheckCommand {
        SubmitLivenessCheckCommand(LivenessReport {
            session_id: Some("sdk-1".into()),
            is_successful: Some(is_successful),
            ..LivenessReport::default()
        })
    }

    #[tokio::test]
    async fn both_doors_record_and_answer_alike() {
        let world = TestBus::new();

        let sent = world.send(command(true), &world.customer(1)).await.unwrap();
        let body = r#"{"sessionId":"sdk-1","isSuccessful":true}"#;
        let dispatched = world.dispatch(NAME, body, &world.customer(1)).await.unwrap();

        let answer = |id: i64| {
            json!({
                "id": id, "sessionId": "sdk-1", "isSuccessful": true, "verificationResult": null,
                "challengeCount": null, "completedAt": null, "createdAt": "2026-03-22T14:00:05Z",
            })
        };
        assert_eq!(serde_json::to_value(sent).unwrap(), answer(1));
        assert_eq!(dispatched, answer(2));
    }

    #[tokio::test]
    async fn an_unsuccessful_run_is_declined_through_both_doors_and_only_audited() {
        let world = TestBus::new();

        let sent = world.send(command(false), &world.customer(1)).await;
        let body = r#"{"sessionId":"sdk-1","isSuccessful":false}"#;
        let dispatched = world.dispatch(NAME, body, &world.customer(1)).await;

        assert!(matches!(sent, Err(BusError::Declined(DECLINED))), "{sent:?}");
        assert!(
            matches!(dispatched, Err(BusError::Declined(DECLINED))),
            "{dispatched:?}"
        );
        let outcomes: Vec<_> = world
            .audit_entries()
            .await
            .into_iter()
            .map(|entry| entry.outcome)
            .collect();
        assert_eq!(outcomes, ["05", "05"]);
        let recorded = world
            .store()
            .checks()
            .completing(1, liveness_core::CompletionRule::AnySuccessful)
            .await
            .unwrap();
        assert_eq!(recorded, None);
    }

    #[tokio::test]
    async fn an_unsuccessful_run_is_declined_whatever_else_is_wrong() {
        let world = TestBus::new();
        let controls = r#""\u0000","#.repeat(120);
        let bodies = [
            r#"{"isSuccessful":false}"#,
            r#"{"isSuccessful":false,"sessionId":5,"imagePath":[],"metadata":7,"imageMetadata":"x"}"#,
            r#"{"isSuccessful":false,"sessionId":"a\u0000","imageBase64":"no image","imagePath":"../x"}"#,
            r#"{"isSuccessful":false,"metadata":{"lightingValue":2,"completedChallenges":[1,2],"finalCapture":1}}"#,
            r#"{"isSuccessful":false,"sessionId":"a","sessionId":"b"}"#,
            r#"{"sessionId":"a","sessionId":5,"isSuccessful":false}"#,
            &format!(r#"{{"isSuccessful":false,"sessionId":5,"x":[{controls}1]}}"#),
        ];

        for body in bodies {
            let refused = world.dispatch(NAME, body, &world.customer(1)).await;
            assert!(matches!(refused, Err(BusError::Declined(_))), "{body}: {refused:?}");
        }
    }

    #[tokio::test]
    async fn what_is_no_json_is_malformed_and_not_declined() {
        let world = TestBus::new();

        let refused = world
            .dispatch(NAME, r#"{"isSuccessful":false"#, &world.customer(1))
            .await;

        assert!(matches!(refused, Err(BusError::Malformed(_))), "{refused:?}");
    }

    #[tokio::test]
    async fn a_verdict_against_the_user_does_not_decline_a_successful_run() {
        let world = TestBus::new();
        let body = r#"{"sessionId":"sdk-1","isSuccessful":true,"metadata":{"verificationResult":false}}"#;

        let answer = world.dispatch(NAME, body, &world.customer(1)).await.unwrap();

        assert_eq!(
            (&answer["isSuccessful"], &answer["verificationResult"]),
            (&json!(true), &json!(false))
        );
    }
}
