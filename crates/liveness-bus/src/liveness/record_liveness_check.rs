//! What the phone's SDK reports, and how it is recorded: the body, the rules and the work of both commands.

use liveness_core::store::{Recorded, Recording};
use liveness_core::{
    CaptureMetrics, ChallengeCount, Challenges, CompletionRule, FaceImage, ImagePath, LightingValue, LivenessCheck,
    NewLivenessCheck, ReceivedObject, SessionDuration, SessionId, SessionMetrics, Timestamp, Violation,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use validator::Validate;

use super::{IDEMPOTENCY_KEY_REUSED, ImageBase64, Liveness, SESSION_OF_ANOTHER_USER, Settings, validators};
use crate::{BusError, Call, Received};

/// What the phone's SDK reports of one run.
///
/// Its rules: `docs/api.md#fields`.
#[derive(Debug, Clone, Default, Deserialize, Validate, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LivenessReport {
    /// The SDK's session, which belongs to the first user who records it; 1 to 255 characters after trimming.
    #[validate(required, custom(function = "validators::session_id"))]
    #[schemars(with = "Option<SessionId>")]
    pub session_id: Option<String>,
    /// Whether the SDK calls the run a success.
    #[validate(required)]
    pub is_successful: Option<bool>,
    /// The captured face: a JPEG, PNG or WebP in Base64, with or without `data:<type>;base64,` before it; at most 5 MiB
    /// decoded, unless the operator has set another limit. An empty text is none.
    #[validate(nested)]
    #[serde(default)]
    pub image_base64: ImageBase64,
    /// Where an image that was uploaded separately lies; without a `..` segment. Kept and given back as sent.
    #[validate(custom(function = "validators::image_path"))]
    #[schemars(with = "Option<ImagePath>")]
    pub image_path: Option<String>,
    /// What the SDK measured of the run. Kept whole, with the fields that the SDK adds; at most 16 KiB of JSON.
    #[validate(nested)]
    pub metadata: Option<Received<SessionMetricsReport>>,
    /// What the SDK measured of the image. Kept whole, with the fields that the SDK adds; at most 16 KiB of JSON.
    #[validate(nested)]
    pub image_metadata: Option<Received<CaptureMetricsReport>>,
}

/// What the SDK measured of the run: the known fields of `metadata`.
#[derive(Debug, Clone, Default, Deserialize, Validate, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionMetricsReport {
    /// Milliseconds since the Unix epoch, not negative.
    #[validate(range(min = 0))]
    pub timestamp: Option<i64>,
    /// RFC 3339, or ISO 8601 without an offset.
    #[validate(custom(function = "validators::instant"))]
    #[schemars(with = "Option<Timestamp>")]
    pub completed_at: Option<String>,
    /// Whether the SDK took it for a real person.
    pub verification_result: Option<bool>,
    /// Milliseconds.
    #[validate(custom(function = "validators::duration"))]
    #[schemars(with = "Option<SessionDuration>")]
    pub session_duration: Option<i64>,
    /// 0 to 1.
    #[validate(custom(function = "validators::lighting"))]
    #[schemars(with = "Option<LightingValue>")]
    pub lighting_value: Option<f64>,
    /// How many challenges were presented, 0 to 100.
    #[validate(custom(function = "validators::challenge_count"))]
    #[schemars(with = "Option<ChallengeCount>")]
    pub challenge_count: Option<i64>,
    /// Those that the user completed.
    #[validate(custom(function = "validators::challenges"))]
    #[schemars(with = "Option<Challenges>")]
    pub completed_challenges: Option<Vec<String>>,
    /// Those that were presented.
    #[validate(custom(function = "validators::challenges"))]
    #[schemars(with = "Option<Challenges>")]
    pub challenges: Option<Vec<String>>,
    /// What the SDK measured of the final picture.
    // As received, because an array would be read by position.
    #[validate(nested)]
    pub final_capture: Option<Received<CaptureMetricsReport>>,
}

/// What the SDK measured of a picture: the known fields of `metadata.finalCapture` and of `imageMetadata`.
#[derive(Debug, Clone, Copy, Default, Deserialize, Validate, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaptureMetricsReport {
    /// Whether the SDK took it for a real face.
    pub verification_result: Option<bool>,
    /// Milliseconds.
    #[validate(custom(function = "validators::duration"))]
    #[schemars(with = "Option<SessionDuration>")]
    pub session_duration: Option<i64>,
    /// 0 to 1.
    #[validate(custom(function = "validators::lighting"))]
    #[schemars(with = "Option<LightingValue>")]
    pub lighting_value: Option<f64>,
}

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
}

impl Receipt {
    /// The sentence of both commands.
    pub(super) fn summary(&self) -> &'static str {
        if CompletionRule::AnySuccessful.accepts(self.is_successful, self.verification_result) {
            "Liveness check completed successfully."
        } else {
            "Liveness check recorded but verification was not successful."
        }
    }
}

impl From<LivenessCheck> for Receipt {
    fn from(check: LivenessCheck) -> Self {
        Self {
            id: check.id,
            session_id: check.session_id,
            is_successful: check.is_successful,
            verification_result: check.verification_result,
            challenge_count: check.challenge_count,
            completed_at: check.completed_at,
            created_at: check.created_at,
        }
    }
}

impl Liveness {
    /// Records a report of the user behind the call, with the audit entry of it.
    pub(super) async fn record(&self, report: LivenessReport, call: &Call<'_>) -> Result<Receipt, BusError> {
        let check = self.new_check(report, call)?;
        let recording = Recording {
            check,
            audit_entry: call.audit_entry(),
            command: call.meta().name(),
            idempotency_key: call.idempotency_key().cloned(),
        };
        let Recorded { check, .. } = self.store.record(recording).await?;
        call.entry_written();
        Ok(check.into())
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
            session_id: at("sessionId", SessionId::parse(&report.session_id.unwrap_or_default()))?,
            is_successful: report.is_successful.unwrap_or_default(),
            metrics: metrics.unwrap_or_default(),
            image_metrics: image_metrics.transpose()?.unwrap_or_default(),
            metadata: at("metadata", metadata.map(kept).transpose())?,
            image_metadata: at("imageMetadata", image_metadata.map(kept).transpose())?,
            image,
            image_path: at(
                "imagePath",
                report.image_path.as_deref().map(ImagePath::parse).transpose(),
            )?,
            device: call.device().cloned(),
            client_address: call.client_address(),
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

/// The refusals of both commands, besides those of any message.
pub(super) fn refusals() -> [BusError; 3] {
    let limit = Settings::default().max_image_bytes;
    [SESSION_OF_ANOTHER_USER, IDEMPOTENCY_KEY_REUSED, too_large(limit)]
}

fn too_large(limit: usize) -> BusError {
    BusError::TooLarge(format!("the image in imageBase64 has more than {limit} bytes").into())
}

fn kept<T: serde::de::DeserializeOwned + Default>(received: &Received<T>) -> Result<ReceivedObject, Violation> {
    received.object().cloned()
}

fn session_metrics(report: &SessionMetricsReport) -> Result<SessionMetrics, BusError> {
    let run = CaptureMetricsReport {
        verification_result: report.verification_result,
        session_duration: report.session_duration,
        lighting_value: report.lighting_value,
    };
    let list = |challenges: &Option<Vec<String>>| challenges.as_deref().map(Challenges::parse).transpose();
    let completed_at = report.completed_at.as_deref().map(str::parse).transpose();
    let final_capture = report.final_capture.as_ref();
    let final_capture = final_capture
        .map(|report| capture_metrics(report.known(), "metadata.finalCapture"))
        .transpose()?;
    Ok(SessionMetrics {
        timestamp: report.timestamp,
        completed_at: at("metadata.completedAt", completed_at)?,
        run: capture_metrics(&run, "metadata")?,
        challenge_count: at(
            "metadata.challengeCount",
            report.challenge_count.map(ChallengeCount::new).transpose(),
        )?,
        completed_challenges: at("metadata.completedChallenges", list(&report.completed_challenges))?,
        challenges: at("metadata.challenges", list(&report.challenges))?,
        final_capture: final_capture.unwrap_or_default(),
    })
}

fn capture_metrics(report: &CaptureMetricsReport, path: &str) -> Result<CaptureMetrics, BusError> {
    let duration = report.session_duration.map(SessionDuration::from_millis).transpose();
    let lighting = report.lighting_value.map(LightingValue::new).transpose();
    Ok(CaptureMetrics {
        verification_result: report.verification_result,
        session_duration: at(&format!("{path}.sessionDuration"), duration)?,
        lighting_value: at(&format!("{path}.lightingValue"), lighting)?,
    })
}

fn at<T>(field: &str, parsed: Result<T, Violation>) -> Result<T, BusError> {
    parsed.map_err(|violation| BusError::invalid(field, violation))
}
