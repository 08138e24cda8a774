//! Shows an administrator the completed check of a user, with its face: `docs/api.md#getuserlivenesscheckquery`.

use liveness_core::{CompletionRule, FaceImage, KeptFace, LivenessCheck, Reason, Timestamp, User};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::optional_text::OrEmpty;
use super::shown::record_shown;
use super::store_adapter::NO_SUCH_USER;
use super::{ADMIN, Liveness, validators};
use crate::{Access, Audit, BusError, Call, Description, Handler, Kind, Message};

/// Asks for a user's latest check, if it is successful and verified.
#[derive(Debug, Clone, Default, Deserialize, Validate, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetUserLivenessCheckQuery {
    /// `SelfServiceUser.Id`, from 1.
    #[validate(required, range(min = 1))]
    pub user_id: Option<i64>,
    /// Why the face is looked at, for the audit trail: 1 to 1,000 characters.
    #[validate(custom(function = "validators::reason_or_empty"))]
    #[schemars(with = "Option<OrEmpty<Reason>>")]
    pub purpose: Option<String>,
}

/// A user and their check.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct UserLivenessCheck {
    /// `SelfServiceUser.Id`
    pub user_id: i64,
    /// Electronic mail address.
    pub email_address: Option<String>,
    /// `SelfServiceUser.UserId`
    pub user_id2: String,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Middle name.
    pub middle_name: Option<String>,
    /// The name to show.
    pub display_name: Option<String>,
    /// Whether the latest record is successful and verified.
    pub has_completed_liveness_check: bool,
    /// That record.
    pub liveness_check: Option<LivenessCheckView>,
}

/// A record with its face.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the fields are those of LivenessCheck")]
pub struct LivenessCheckView {
    pub id: i64,
    pub session_id: String,
    pub is_successful: bool,
    pub verification_result: Option<bool>,
    pub session_duration: Option<i32>,
    pub lighting_value: Option<f64>,
    pub challenge_count: Option<i32>,
    pub completed_challenges: Option<Vec<String>>,
    pub final_capture_verification_result: Option<bool>,
    /// The face, as a data URI on the wire.
    pub image_base64: Option<FaceImage>,
    pub has_image: bool,
    pub image_path: Option<String>,
    pub image_verification_result: Option<bool>,
    pub completed_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub device_info: Option<String>,
    pub client_ip: Option<String>,
}

impl Message for GetUserLivenessCheckQuery {
    const NAME: &'static str = "GetUserLivenessCheckQuery";
    const KIND: Kind = Kind::Query;
    const ACCESS: Access = ADMIN;
    const AUDIT: Audit = Audit::BeforeReply;
    type Reply = UserLivenessCheck;

    fn description() -> Option<Description> {
        let examples = include_str!("examples/get_user_liveness_check.json");
        Some(Description::of::<Self>(examples).refusals([NO_SUCH_USER]))
    }

    fn concerns(&self) -> Option<i64> {
        self.user_id
    }
}

impl Handler<GetUserLivenessCheckQuery> for Liveness {
    async fn handle(&self, query: GetUserLivenessCheckQuery, call: &Call<'_>) -> Result<UserLivenessCheck, BusError> {
        let purpose = self.purpose(query.purpose.as_ref())?;
        let id = query.user_id.unwrap_or_default();
        let Some(user) = self.users.find(&[id]).await?.pop() else {
            call.shows(record_shown(None, purpose));
            return Err(NO_SUCH_USER);
        };
        let found = self
            .store
            .checks()
            .completing_with_face(id, CompletionRule::LatestVerified)
            .await?;
        let record = found
            .as_ref()
            .map(|(check, face)| (check.id, face.as_ref().map(|face| face.digest)));
        call.shows(record_shown(record, purpose));
        self.count_look(call).await?;
        Ok(UserLivenessCheck::of(
            user,
            found.map(|(check, face)| LivenessCheckView::of(check, face)),
        ))
    }
}

impl UserLivenessCheck {
    fn of(user: User, liveness_check: Option<LivenessCheckView>) -> Self {
        Self {
            user_id: user.id,
            email_address: user.email_address,
            user_id2: user.user_id,
            first_name: user.first_name,
            last_name: user.last_name,
            middle_name: user.middle_name,
            display_name: user.display_name,
            has_completed_liveness_check: liveness_check.is_some(),
            liveness_check,
        }
    }
}

impl LivenessCheckView {
    pub(super) fn of(check: LivenessCheck, face: Option<KeptFace>) -> Self {
        Self {
            id: check.id,
            session_id: check.session_id,
            is_successful: check.is_successful,
            verification_result: check.verification_result,
            session_duration: check.session_duration,
            lighting_value: check.lighting_value,
            challenge_count: check.challenge_count,
            completed_challenges: check.completed_challenges,
            final_capture_verification_result: check.final_capture_verification_result,
            has_image: face.is_some(),
            image_base64: face.map(|face| face.image),
            image_path: check.image_path,
            image_verification_result: check.image_verification_result,
            completed_at: check.completed_at,
            created_at: check.created_at,
            device_info: check.device_info,
            client_ip: check.client_ip,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::TestBus;

    const NAME: &str = GetUserLivenessCheckQuery::NAME;

    async fn record(world: &TestBus, body: Value) {
        world.clock().advance(1000);
        let customer = world.customer(1234);
        world
            .dispatch("UpdateLivenessCheckCommand", &body.to_string(), &customer)
            .await
            .unwrap();
    }

    fn of_1234() -> GetUserLivenessCheckQuery {
        GetUserLivenessCheckQuery {
            user_id: Some(1234),
            purpose: None,
        }
    }

    async fn get(world: &TestBus) -> UserLivenessCheck {
        world.send(of_1234(), &world.admin()).await.unwrap()
    }

    fn verified(session: &str) -> Value {
        json!({"sessionId": session, "isSuccessful": true, "metadata": {"verificationResult": true}})
    }

    #[tokio::test]
    async fn an_unknown_user_is_not_found_through_both_doors() {
        let world = TestBus::new();

        let sent = world.send(of_1234(), &world.admin()).await;
        let dispatched = world.dispatch(NAME, r#"{"userId":1234}"#, &world.admin()).await;

        assert!(
            matches!(sent, Err(BusError::NotFound("there is no such user"))),
            "{sent:?}"
        );
        assert!(
            matches!(dispatched, Err(BusError::NotFound("there is no such user"))),
            "{dispatched:?}"
        );
    }

    #[tokio::test]
    async fn a_user_without_a_record_is_shown_without_one() {
        let world = TestBus::new();
        world.add_customer(1234).await;

        let answer = world
            .dispatch(NAME, r#"{"userId":1234}"#, &world.admin())
            .await
            .unwrap();

        let expected = json!({
            "UserId": 1234, "EmailAddress": null, "UserId2": "USR-00001234", "FirstName": null, "LastName": null,
            "MiddleName": null, "DisplayName": null, "HasCompletedLivenessCheck": false, "LivenessCheck": null,
        });
        assert_eq!(answer, expected);
    }

    #[tokio::test]
    async fn the_latest_record_decides() {
        let world = TestBus::new();
        world.add_customer(1234).await;
        let mut shown = Vec::new();

        let unsaid = json!({"sessionId": "b", "isSuccessful": true});
        let failed = json!({"sessionId": "d", "isSuccessful": false, "metadata": {"verificationResult": true}});
        for body in [verified("a"), unsaid, verified("c"), failed] {
            record(&world, body).await;
            let answer = get(&world).await;
            assert_eq!(answer.has_completed_liveness_check, answer.liveness_check.is_some());
            shown.push(answer.liveness_check.map(|check| check.session_id));
        }

        assert_eq!(shown, [Some("a".into()), None, Some("c".into()), None]);
    }

    #[tokio::test]
    async fn the_face_is_a_data_uri_of_the_type_that_it_has() {
        let world = TestBus::new();
        world.add_customer(1234).await;
        let mut body = verified("a");
        body["imageBase64"] = json!("data:image/png;base64,/9j/wAALCAABAAEBAREA");
        record(&world, body).await;

        let answer = world
            .dispatch(NAME, r#"{"userId":1234}"#, &world.admin())
            .await
            .unwrap();

        assert_eq!(
            answer["LivenessCheck"]["ImageBase64"],
            "data:image/jpeg;base64,/9j/wAALCAABAAEBAREA"
        );
        assert_eq!(answer["LivenessCheck"]["HasImage"], true);
    }
}
