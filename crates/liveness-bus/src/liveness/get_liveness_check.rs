//! Shows an administrator one check, with its face: `docs/api.md#getlivenesscheckquery`.

use liveness_core::{
    AuditSubject, CheckEvidence, CompletionRule, Decider, Reason, ReceivedObject, RecordedDecision, Shown, Timestamp,
    User,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::judgment::{DecisionView, IssuedSessionView, VerdictView};
use super::optional_text::OrEmpty;
use super::shown::{hex, record_shown};
use super::store_adapter::NO_SUCH_CHECK;
use super::{ADMIN, Liveness, LivenessCheckView, validators};
use crate::{Access, Audit, BusError, Call, Description, Handler, Kind, Message};

/// Asks for the check of an id, whatever its outcome.
#[derive(Debug, Clone, Default, Deserialize, Validate, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GetLivenessCheckQuery {
    /// The record's number, from 1.
    #[validate(required, range(min = 1))]
    pub id: Option<i64>,
    /// Why the face is looked at, for the audit trail: 1 to 1,000 characters.
    #[validate(custom(function = "validators::reason_or_empty"))]
    #[schemars(with = "Option<OrEmpty<Reason>>")]
    pub purpose: Option<String>,
}

/// A check, and whose it is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct RecordedLivenessCheck {
    /// `SelfServiceUser.Id`
    pub user_id: i64,
    /// Electronic mail address.
    pub email_address: Option<String>,
    /// `SelfServiceUser.UserId`; none where the directory does not know the user any more.
    pub user_id2: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Middle name.
    pub middle_name: Option<String>,
    /// The name to show.
    pub display_name: Option<String>,
    /// Whether the user's latest record, which may be another, is successful and verified.
    pub has_completed_liveness_check: bool,
    /// The record that was asked for.
    pub liveness_check: LivenessCheckDetails,
}

/// A record with all that was recorded of it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct LivenessCheckDetails {
    /// The fields that GetUserLivenessCheckQuery shows too.
    #[serde(flatten)]
    pub view: LivenessCheckView,
    /// The pre-registration that the user came from.
    pub pre_registration_id: Option<i64>,
    /// The challenges that were presented.
    pub challenges: Option<Vec<String>>,
    /// Milliseconds.
    pub final_capture_session_duration: Option<i32>,
    /// 0 to 1.
    pub final_capture_lighting_value: Option<f64>,
    /// Milliseconds.
    pub image_session_duration: Option<i32>,
    /// 0 to 1.
    pub image_lighting_value: Option<f64>,
    /// As received, with what the SDK added of its own.
    pub metadata: Option<ReceivedObject>,
    /// As received, with what the SDK added of its own.
    pub image_metadata: Option<ReceivedObject>,
    /// What the rules made of it; null for a record from before records were judged.
    pub verdict: Option<VerdictView>,
    /// The decisions about it, in the order in which they were made. Where a decision needs a second person's, those that wait
    /// for one are shown only to who has made them.
    pub decisions: Vec<DecisionView>,
    /// The session of the server that the record used up.
    pub issued_session: Option<IssuedSessionView>,
    /// The face, also once it was erased. None if there never was one.
    pub face: Option<Face>,
}

/// What is known of a face besides itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Face {
    /// SHA-256 of its bytes as they are kept, or were; hexadecimal.
    pub sha256: String,
    /// When it was erased.
    pub erased_at: Option<Timestamp>,
    /// Why it was erased, in the words of who erased it.
    pub erased_because: Option<String>,
    /// Since when a legal hold keeps the user's faces.
    pub held_since: Option<Timestamp>,
}

impl Message for GetLivenessCheckQuery {
    const NAME: &'static str = "GetLivenessCheckQuery";
    const KIND: Kind = Kind::Query;
    const ACCESS: Access = ADMIN;
    const AUDIT: Audit = Audit::BeforeReply;
    type Reply = RecordedLivenessCheck;

    fn description() -> Option<Description> {
        let examples = include_str!("examples/get_liveness_check.json");
        Some(Description::of::<Self>(examples).refusals([NO_SUCH_CHECK]))
    }

    fn summary(_: &RecordedLivenessCheck) -> Option<&'static str> {
        Some("Liveness check retrieved successfully.")
    }
}

impl Handler<GetLivenessCheckQuery> for Liveness {
    async fn handle(&self, query: GetLivenessCheckQuery, call: &Call<'_>) -> Result<RecordedLivenessCheck, BusError> {
        let purpose = self.purpose(query.purpose.as_ref())?;
        let id = query.id.unwrap_or_default();
        let Some(evidence) = self.store.checks().evidence(id).await? else {
            call.shows(not_found(id, purpose));
            return Err(NO_SUCH_CHECK);
        };
        let face = evidence.face.as_ref().map(|face| face.digest);
        call.shows(record_shown(Some((id, face)), purpose));
        let user_id = evidence.check.self_service_user_id;
        call.set_concerned_user(user_id);
        let user = self.users.find(&[user_id]).await?.pop();
        let completing = self
            .store
            .checks()
            .completing(user_id, CompletionRule::LatestVerified)
            .await?;
        self.count_look(call).await?;
        let person = Decider {
            issuer: call.principal().issuer().map(str::to_owned),
            principal: call.principal().subject().to_owned(),
        };
        let second = self.store.policy().review().second;
        let decisions = evidence.decisions.shown_to(&person, second);
        Ok(RecordedLivenessCheck::of(
            user,
            (evidence, decisions),
            completing.is_some(),
        ))
    }
}

/// A look for a record that is not there.
fn not_found(id: i64, purpose: Option<String>) -> AuditSubject {
    let mut subject = record_shown(None, purpose);
    subject.shown.filter = Shown::filter_of([("id", Some(id.to_string()))]);
    subject
}

impl RecordedLivenessCheck {
    fn of(
        user: Option<User>,
        (evidence, decisions): (CheckEvidence, Vec<RecordedDecision>),
        has_completed_liveness_check: bool,
    ) -> Self {
        let user_id2 = user.as_ref().map(|user| user.user_id.clone());
        let user = user.unwrap_or_default();
        Self {
            user_id: evidence.check.self_service_user_id,
            email_address: user.email_address,
            user_id2,
            first_name: user.first_name,
            last_name: user.last_name,
            middle_name: user.middle_name,
            display_name: user.display_name,
            has_completed_liveness_check,
            liveness_check: LivenessCheckDetails::of(evidence, decisions),
        }
    }
}

impl LivenessCheckDetails {
    fn of(evidence: CheckEvidence, decisions: Vec<RecordedDecision>) -> Self {
        let about_face = Face::of(&evidence);
        let CheckEvidence {
            check, details, face, ..
        } = evidence;
        Self {
            face: about_face,
            pre_registration_id: check.pre_registration_id,
            view: LivenessCheckView::of(check, face),
            challenges: details.challenges,
            final_capture_session_duration: details.final_capture_session_duration,
            final_capture_lighting_value: details.final_capture_lighting_value,
            image_session_duration: details.image_session_duration,
            image_lighting_value: details.image_lighting_value,
            metadata: details.metadata,
            image_metadata: details.image_metadata,
            verdict: details.verdict.map(Into::into),
            decisions: decisions.into_iter().map(Into::into).collect(),
            issued_session: details.issued_session.map(Into::into),
        }
    }
}

impl Face {
    fn of(evidence: &CheckEvidence) -> Option<Self> {
        let (erasure, kept) = (evidence.erasure.as_ref(), evidence.face.as_ref());
        let digest = kept.map(|face| face.digest).or(erasure.map(|erasure| erasure.digest))?;
        Some(Self {
            sha256: hex(&digest),
            erased_at: erasure.map(|erasure| erasure.erased_at),
            erased_because: erasure.map(|erasure| erasure.because.clone()),
            held_since: evidence.held_since,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::TestBus;

    const NAME: &str = GetLivenessCheckQuery::NAME;

    async fn record(world: &TestBus, body: Value) {
        world.clock().advance(1000);
        let customer = world.customer(1234);
        world
            .dispatch("UpdateLivenessCheckCommand", &body.to_string(), &customer)
            .await
            .unwrap();
    }

    fn of(id: i64) -> GetLivenessCheckQuery {
        GetLivenessCheckQuery {
            id: Some(id),
            purpose: None,
        }
    }

    async fn get(world: &TestBus, id: i64) -> RecordedLivenessCheck {
        world.send(of(id), &world.admin()).await.unwrap()
    }

    #[tokio::test]
    async fn an_unknown_record_is_not_found_through_both_doors() {
        let world = TestBus::new();
        world.add_customer(42).await;

        let sent = world.send(of(42), &world.admin()).await;
        let dispatched = world.dispatch(NAME, r#"{"id":42}"#, &world.admin()).await;

        for refused in [sent.map(drop), dispatched.map(drop)] {
            let expected = BusError::NotFound("there is no such liveness check");
            assert_eq!(format!("{refused:?}"), format!("{:?}", Err::<(), _>(expected)));
        }
    }

    #[tokio::test]
    async fn any_record_is_shown_and_the_latest_one_decides_whether_the_user_has_passed() {
        let world = TestBus::new();
        world.add_customer(1234).await;
        let verified =
            |session| json!({"sessionId": session, "isSuccessful": true, "metadata": {"verificationResult": true}});
        record(&world, verified("a")).await;
        let after_one = get(&world, 1).await;
        record(&world, json!({"sessionId": "b", "isSuccessful": false})).await;

        let of_two = [get(&world, 1).await, get(&world, 2).await];

        assert!(after_one.has_completed_liveness_check);
        let shown = of_two.map(|shown| (shown.liveness_check.view.session_id, shown.has_completed_liveness_check));
        assert_eq!(shown, [("a".to_owned(), false), ("b".to_owned(), false)]);
    }

    #[tokio::test]
    async fn the_record_of_a_user_that_nobody_knows_is_shown_without_one() {
        let world = TestBus::new();
        record(&world, json!({"sessionId": "a", "isSuccessful": true})).await;

        let answer = world.dispatch(NAME, r#"{"id":1}"#, &world.admin()).await.unwrap();

        assert_eq!(answer["UserId"], 1234);
        assert_eq!(
            (&answer["UserId2"], &answer["DisplayName"]),
            (&json!(null), &json!(null))
        );
        assert_eq!(answer["LivenessCheck"]["SessionId"], "a");
    }

    #[tokio::test]
    async fn metadata_is_shown_as_received_and_the_face_as_a_data_uri() {
        let world = TestBus::new();
        let body = r#"{"sessionId":"a","isSuccessful":true,"imageBase64":"/9j/wAALCAABAAEBAREA","metadata":{ "spoof": 1.0, "challenges":["BLINK"]}}"#;
        let customer = world.customer(1234);
        world
            .dispatch("UpdateLivenessCheckCommand", body, &customer)
            .await
            .unwrap();

        let mut reply = Vec::new();
        world
            .bus()
            .dispatch(NAME, br#"{"id":1}"#, &world.admin(), &mut reply)
            .await
            .unwrap();

        let reply = String::from_utf8(reply).unwrap();
        for part in [
            r#""Metadata":{ "spoof": 1.0, "challenges":["BLINK"]}"#,
            r#""ImageMetadata":null"#,
            r#""Challenges":["BLINK"]"#,
            r#""ImageBase64":"data:image/jpeg;base64,/9j/wAALCAABAAEBAREA""#,
        ] {
            assert!(reply.contains(part), "{part} in {reply}");
        }
    }
}
