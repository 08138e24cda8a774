//! Tells users whether they have completed the check: `docs/api.md#checklivenessstatusquery`.

use liveness_core::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::{CUSTOMER, Liveness};
use crate::{Access, Audit, BusError, Call, Description, Handler, Kind, Message};

/// Asks whether the user behind the token has completed the liveness check, by the rule that the operator has set.
#[derive(Debug, Clone, Copy, Default, Deserialize, Validate, JsonSchema)]
pub struct CheckLivenessStatusQuery {}

/// Whether, when and by which session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
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

    fn description() -> Option<Description> {
        Some(Description::of::<Self>(include_str!(
            "examples/check_liveness_status.json"
        )))
    }

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
        let user = call.user()?;
        let completing = self
            .store
            .checks()
            .completing(user.id, self.settings.status_rule)
            .await?;
        Ok(LivenessStatus {
            has_completed_liveness_check: completing.is_some(),
            liveness_check_date: completing
                .as_ref()
                .map(|check| check.completed_at.unwrap_or(check.created_at)),
            session_id: completing.map(|check| check.session_id),
        })
    }
}

#[cfg(test)]
mod tests {
    use liveness_core::CompletionRule;
    use serde_json::{Value, json};

    use super::*;
    use crate::liveness::Settings;
    use crate::testing::TestBus;

    const NAME: &str = CheckLivenessStatusQuery::NAME;

    async fn record(world: &TestBus, user: i64, session: &str, is_successful: bool, metadata: Value) {
        let body = json!({"sessionId": session, "isSuccessful": is_successful, "metadata": metadata}).to_string();
        world.clock().advance(1000);
        world
            .dispatch("UpdateLivenessCheckCommand", &body, &world.customer(user))
            .await
            .unwrap();
    }

    async fn status(world: &TestBus) -> LivenessStatus {
        world
            .send(CheckLivenessStatusQuery {}, &world.customer(1))
            .await
            .unwrap()
    }

    fn under_latest_verified() -> TestBus {
        let settings = Settings {
            status_rule: CompletionRule::LatestVerified,
            ..Settings::default()
        };
        TestBus::with(settings, |builder| builder)
    }

    #[tokio::test]
    async fn who_has_no_record_has_not_passed() {
        let world = TestBus::new();
        record(&world, 2, "of another user", true, json!({})).await;

        let sent = status(&world).await;
        let dispatched = world.dispatch(NAME, "", &world.customer(1)).await.unwrap();

        let expected = json!({"HasCompletedLivenessCheck": false, "LivenessCheckDate": null, "SessionId": null});
        assert_eq!(serde_json::to_value(sent).unwrap(), expected);
        assert_eq!(dispatched, expected);
    }

    #[tokio::test]
    async fn who_passed_once_stays_passed_by_the_newest_record_that_passes() {
        let world = TestBus::new();
        record(&world, 1, "first", true, json!({"verificationResult": true})).await;
        record(
            &world,
            1,
            "second",
            true,
            json!({"completedAt": "2026-03-22T13:00:00Z"}),
        )
        .await;
        record(&world, 1, "doubted", true, json!({"verificationResult": false})).await;
        record(&world, 1, "failed", false, json!({"verificationResult": true})).await;

        let sent = status(&world).await;
        let dispatched = world.dispatch(NAME, "{}", &world.customer(1)).await.unwrap();

        let expected = json!({"HasCompletedLivenessCheck": true, "LivenessCheckDate": "2026-03-22T13:00:00Z", "SessionId": "second"});
        assert_eq!(serde_json::to_value(sent).unwrap(), expected);
        assert_eq!(dispatched, expected);
    }

    #[tokio::test]
    async fn without_completed_at_the_date_is_that_of_the_record() {
        let world = TestBus::new();
        record(&world, 1, "first", true, json!({})).await;

        let date = status(&world).await.liveness_check_date;

        assert_eq!(date, Some("2026-03-22T14:00:06Z".parse().unwrap()));
    }

    #[tokio::test]
    async fn under_latest_verified_only_the_latest_record_counts() {
        let world = under_latest_verified();
        let mut sessions = Vec::new();

        for (session, is_successful, verdict) in [
            ("a", true, json!(true)),
            ("b", true, json!(null)),
            ("c", true, json!(true)),
            ("d", false, json!(true)),
        ] {
            record(
                &world,
                1,
                session,
                is_successful,
                json!({"verificationResult": verdict}),
            )
            .await;
            sessions.push(status(&world).await.session_id);
        }

        assert_eq!(sessions, [Some("a".into()), None, Some("c".into()), None]);
    }

    #[tokio::test]
    async fn a_body_that_is_no_object_is_malformed_and_what_is_in_it_is_ignored() {
        let world = TestBus::new();

        let array = world.dispatch(NAME, "[]", &world.customer(1)).await;
        let fields = world.dispatch(NAME, r#"{"userId":2}"#, &world.customer(1)).await;

        assert!(matches!(array, Err(BusError::Malformed(_))), "{array:?}");
        assert!(fields.is_ok(), "{fields:?}");
    }

    #[tokio::test]
    async fn the_question_leaves_no_audit_entry() {
        let world = TestBus::new();

        status(&world).await;
        world.dispatch(NAME, "no json", &world.customer(1)).await.unwrap_err();
        world.dispatch(NAME, "{}", &world.admin()).await.unwrap_err();

        assert_eq!(world.audit_entries().await, []);
    }

    #[test]
    fn the_sentence_follows_the_answer() {
        let sentence = |has_completed_liveness_check| {
            let status = LivenessStatus {
                has_completed_liveness_check,
                liveness_check_date: None,
                session_id: None,
            };
            CheckLivenessStatusQuery::summary(&status)
        };

        assert_eq!(sentence(true), Some("Liveness check has been completed."));
        assert_eq!(sentence(false), Some("Liveness check has not been completed."));
    }
}
