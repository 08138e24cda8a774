//! The work of both commands: turn a report into a record, and store it together with its audit entry.

use liveness_core::store::{Recorded, Recording};
use liveness_core::{
    CaptureMetrics, ChallengeCount, CompletionRule, FaceImage, ImagePath, LightingValue, LivenessCheck,
    NewLivenessCheck, ReceivedObject, SessionDuration, SessionId, SessionMetrics, Timestamp, Violation,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::optional_text::given;
use super::store_adapter::{
    IDEMPOTENCY_KEY_REUSED, SESSION_EXPIRED, SESSION_NOT_ISSUED, SESSION_NOT_NAMED, SESSION_OF_ANOTHER_USER,
    SESSION_USED_UP, locked,
};
use super::{
    CaptureMetricsReport, ChallengeList, Liveness, LivenessReport, SessionMetricsReport, Settings, VerdictOutcome,
};
use crate::{BusError, Call, Received, TraceContext};

/// What was recorded.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// The record's number.
    pub id: i64,
    /// The SDK's session.
    pub session_id: String,
    /// Whether the SDK called the run a success.
    pub is_successful: bool,
    /// Whether the SDK took it for a real person.
    pub verification_result: Option<bool>,
    /// How many challenges were presented.
    pub challenge_count: Option<i32>,
    /// When the run ended, by the phone's clock.
    pub completed_at: Option<Timestamp>,
    /// When it was recorded, by the server's clock.
    pub created_at: Timestamp,
    /// What the rules made of it. It is there only where the policy has verdicts count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<VerdictOutcome>,
}

impl Receipt {
    /// The summary of both commands' replies. Why a record does not count is never told to who may have forged it.
    pub(super) fn summary(&self) -> &'static str {
        match self.verdict {
            Some(VerdictOutcome::Review) => return "Liveness check recorded. A person will look at it.",
            Some(VerdictOutcome::Rejected) => {
                return "Liveness check recorded, but it does not count. Please try again.";
            }
            Some(VerdictOutcome::Accepted) | None => {}
        }
        if CompletionRule::AnySuccessful.accepts(self.is_successful, self.verification_result) {
            "Liveness check completed successfully."
        } else {
            "Liveness check recorded but verification was not successful."
        }
    }
}

impl Receipt {
    /// The receipt of a record. `counts` says whether verdicts count.
    fn of(check: LivenessCheck, counts: bool) -> Self {
        Self {
            id: check.id,
            session_id: check.session_id,
            is_successful: check.is_successful,
            verification_result: check.verification_result,
            challenge_count: check.challenge_count,
            completed_at: check.completed_at,
            created_at: check.created_at,
            verdict: check.verdict.filter(|_| counts).map(Into::into),
        }
    }
}

impl Liveness {
    /// Records a report of the call's user, in one transaction with its audit entry.
    pub(super) async fn record(&self, report: LivenessReport, call: &Call<'_>) -> Result<Receipt, BusError> {
        let check = self.new_check(report, call)?;
        let recording = Recording {
            check,
            audit_entry: call.audit_entry(),
            command: call.meta().name(),
            idempotency_key: call.idempotency_key().cloned(),
            traceparent: call.trace().map(TraceContext::traceparent),
        };
        let Recorded { check, .. } = self.store.checks().record(recording).await?;
        call.entry_written();
        Ok(Receipt::of(check, self.store.policy().verdict().counts))
    }

    fn new_check(&self, report: LivenessReport, call: &Call<'_>) -> Result<NewLivenessCheck, BusError> {
        let image = report
            .image_base64
            .into_image()
            .map_err(|error| BusError::invalid("imageBase64", error.into()))?;
        self.check_size(image.as_ref())?;
        let metadata = report.metadata.as_ref();
        let image_metadata = report.image_metadata.as_ref();
        let metrics = metadata.map(|metadata| session_metrics(metadata.known())).transpose()?;
        let image_metrics = image_metadata.map(|metadata| capture_metrics(metadata.known(), "imageMetadata"));
        Ok(NewLivenessCheck {
            user: call.user()?.clone(),
            session_id: check_field("sessionId", SessionId::parse(&report.session_id.unwrap_or_default()))?,
            issued_session_id: check_field(
                "issuedSessionId",
                given(report.issued_session_id.as_ref())
                    .map(SessionId::parse)
                    .transpose(),
            )?,
            is_successful: report.is_successful.unwrap_or_default(),
            metrics: metrics.unwrap_or_default(),
            image_metrics: image_metrics.transpose()?.unwrap_or_default(),
            metadata: check_field("metadata", metadata.map(object_of).transpose())?,
            image_metadata: check_field("imageMetadata", image_metadata.map(object_of).transpose())?,
            image,
            image_path: check_field(
                "imagePath",
                given(report.image_path.as_ref()).map(ImagePath::parse).transpose(),
            )?,
            device: call.device().cloned(),
            client_address: call.client_address(),
            attestation: call.attestation().cloned(),
            created_at: call.now(),
        })
    }

    fn check_size(&self, image: Option<&FaceImage>) -> Result<(), BusError> {
        let limit = self.settings.max_image_bytes;
        match image {
            Some(image) if image.bytes().len() > limit => Err(too_large(limit)),
            _ => Ok(()),
        }
    }
}

/// The refusals that only the two commands have.
pub(super) fn refusals() -> [BusError; 8] {
    let limit = Settings::default().max_image_bytes;
    [
        SESSION_OF_ANOTHER_USER,
        IDEMPOTENCY_KEY_REUSED,
        SESSION_NOT_NAMED,
        SESSION_NOT_ISSUED,
        SESSION_USED_UP,
        SESSION_EXPIRED,
        too_large(limit),
        locked(None),
    ]
}

fn too_large(limit: usize) -> BusError {
    BusError::TooLarge(format!("the image in imageBase64 has more than {limit} bytes").into())
}

fn object_of<T: serde::de::DeserializeOwned + Default>(received: &Received<T>) -> Result<ReceivedObject, Violation> {
    received.object().cloned()
}

fn session_metrics(report: &SessionMetricsReport) -> Result<SessionMetrics, BusError> {
    let run = CaptureMetricsReport {
        verification_result: report.verification_result,
        session_duration: report.session_duration,
        lighting_value: report.lighting_value,
    };
    let list = |list: &Option<ChallengeList>| list.as_ref().map(ChallengeList::challenges).transpose();
    let completed_at = given(report.completed_at.as_ref()).map(str::parse).transpose();
    let final_capture = report.final_capture.as_ref();
    let final_capture = final_capture
        .map(|report| capture_metrics(report, "metadata.finalCapture"))
        .transpose()?;
    Ok(SessionMetrics {
        timestamp: report.timestamp,
        completed_at: check_field("metadata.completedAt", completed_at)?,
        run: capture_metrics(&run, "metadata")?,
        challenge_count: check_field(
            "metadata.challengeCount",
            report.challenge_count.map(ChallengeCount::new).transpose(),
        )?,
        completed_challenges: check_field("metadata.completedChallenges", list(&report.completed_challenges))?,
        challenges: check_field("metadata.challenges", list(&report.challenges))?,
        final_capture: final_capture.unwrap_or_default(),
    })
}

fn capture_metrics(report: &CaptureMetricsReport, path: &str) -> Result<CaptureMetrics, BusError> {
    let duration = report.session_duration.map(SessionDuration::from_millis).transpose();
    let lighting = report.lighting_value.map(LightingValue::new).transpose();
    Ok(CaptureMetrics {
        verification_result: report.verification_result,
        session_duration: check_field(&format!("{path}.sessionDuration"), duration)?,
        lighting_value: check_field(&format!("{path}.lightingValue"), lighting)?,
    })
}

fn check_field<T>(field: &str, parsed: Result<T, Violation>) -> Result<T, BusError> {
    parsed.map_err(|violation| BusError::invalid(field, violation))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use liveness_core::Attestation;
    use liveness_core::policy::Policy;
    use liveness_core::store::StoredUsers;
    use liveness_core::verdict::{Facts, SessionBinding, Unbound, judge};

    use super::*;
    use crate::Meta;
    use crate::liveness::SubmitLivenessCheckCommand;
    use crate::testing::TestBus;

    const META: &Meta = &Meta::of::<SubmitLivenessCheckCommand>();

    /// The codes of the rules that speak about a report which was sent with this attestation.
    fn codes(attestation: Option<Attestation>) -> Vec<String> {
        let world = TestBus::new();
        let users = Arc::new(StoredUsers::new(world.store().users().clone(), true));
        let liveness = Liveness::new(world.store().clone(), users, Settings::default());
        let principal = TestBus::customer_principal(1);
        let context = world.context(principal).attestation(attestation).build();
        let report = LivenessReport {
            session_id: Some("sdk-1".to_owned()),
            is_successful: Some(true),
            ..LivenessReport::default()
        };
        let check = liveness.new_check(report, &Call::new(&context, META)).unwrap();
        let facts = Facts {
            check: &check,
            recorded_at: check.created_at,
            session: &SessionBinding::Unbound(Unbound::NotNamed),
            picture: None,
            reuse: None,
            last_light: None,
        };
        let verdict = judge(&facts, &Policy::record(), "");
        verdict
            .reasons
            .into_iter()
            .map(|reason| reason.code.into_owned())
            .collect()
    }

    #[tokio::test]
    async fn an_attestation_of_the_context_is_a_fact_of_the_verdict() {
        let attests = |passed| {
            let provider = "play_integrity".to_owned();
            Some(Attestation { provider, passed })
        };
        assert_eq!(codes(None), ["session.unbound", "image.missing"]);
        assert_eq!(codes(attests(true)), ["session.unbound", "image.missing"]);
        assert_eq!(
            codes(attests(false)),
            ["session.unbound", "image.missing", "attestation.failed"]
        );
    }
}
