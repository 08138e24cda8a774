//! Tells users whether they have completed the check: `docs/api.md#checklivenessstatusquery`.

use liveness_core::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::{CUSTOMER, Liveness};
use crate::{Access, Audit, BusError, Call, Description, Handler, Kind, Message};

/// Asks whether the user behind the token has completed the liveness check, by the rule that the operator has set.
///
/// Where the caller likes to wait, the answer comes once the user has completed it, or when the time is over.
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
    const WAITS: bool = true;
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
        let user = call.user()?.id;
        // Watched before it is read, so that nothing is missed between the two.
        let watch = call.wait().map(|_| self.store.checks().watch(user));
        // Boxed, so that who waits does not keep the memory of a read.
        let mut status = Box::pin(self.status_of(user)).await?;
        if let Some(mut watch) = watch {
            let mut goes_on = true;
            while !status.has_completed_liveness_check && goes_on {
                goes_on = call.wait_for(watch.changed()).await;
                status = Box::pin(self.status_of(user)).await?;
            }
        }
        Ok(status)
    }
}

impl Liveness {
    /// What is true now.
    async fn status_of(&self, user: i64) -> Result<LivenessStatus, BusError> {
        let rule = self.settings.status_rule;
        let completing = self.store.checks().completing(user, rule).await?;
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
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use liveness_core::CompletionRule;
    use serde_json::{Value, json};

    use super::*;
    use crate::liveness::Settings;
    use crate::testing::TestBus;
    use crate::{EndOfWaits, Wait};

    const NAME: &str = CheckLivenessStatusQuery::NAME;
    const LONG: Duration = Duration::from_secs(3600);

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

    /// Waits as customer 1, and does something once the waiting has begun.
    async fn while_one_waits(
        world: &TestBus,
        (wait, deadline): (Wait, Instant),
        meanwhile: impl AsyncFnOnce(),
    ) -> LivenessStatus {
        let held = Arc::new(());
        wait.hold_until_waiting(Arc::clone(&held));
        let context = world.context(TestBus::customer_principal(1)).deadline(deadline);
        let context = context.wait(Some(wait)).build();
        let then = async {
            while Arc::strong_count(&held) > 1 {
                tokio::task::yield_now().await;
            }
            meanwhile().await;
        };
        let (status, ()) = tokio::join!(world.send(CheckLivenessStatusQuery {}, &context), then);
        status.unwrap()
    }

    #[tokio::test]
    async fn who_waits_is_answered_once_they_have_passed() {
        let world = TestBus::new();

        // A deadline that has come does not cut the wait short.
        let status = while_one_waits(&world, (Wait::at_most(LONG), Instant::now()), async || {
            record(&world, 2, "of another user", true, json!({})).await;
            record(&world, 1, "failed", false, json!({})).await;
            record(&world, 1, "passed", true, json!({})).await;
        })
        .await;

        assert_eq!(status.session_id.as_deref(), Some("passed"));
    }

    #[tokio::test]
    async fn who_waits_in_vain_is_told_so_when_the_wait_is_over() {
        let (world, wait, end) = (TestBus::new(), Wait::at_most(LONG), EndOfWaits::default());

        let deadline = Instant::now() + LONG;
        let of_this = while_one_waits(&world, (wait.clone(), deadline), async || wait.end()).await;
        let of_all = Wait::until_end(LONG, &end);
        let of_all = while_one_waits(&world, (of_all, deadline), async || end.end()).await;
        let of_time = Wait::at_most(Duration::from_millis(1));
        let of_time = while_one_waits(&world, (of_time, deadline), async || ()).await;

        for status in [of_this, of_all, of_time] {
            assert!(!status.has_completed_liveness_check);
        }
    }

    #[tokio::test]
    async fn who_has_passed_does_not_wait() {
        let world = TestBus::new();
        record(&world, 1, "passed", true, json!({})).await;
        let context = world.context(TestBus::customer_principal(1));
        let context = context.wait(Some(Wait::at_most(LONG))).build();

        let status = world.send(CheckLivenessStatusQuery {}, &context).await.unwrap();

        assert!(status.has_completed_liveness_check);
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
