//! The body of both commands: what the phone's SDK reports about one run, and the rules for its fields.

use liveness_core::{ChallengeCount, Challenges, ImagePath, LightingValue, SessionDuration, SessionId, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use validator::Validate;

use super::optional_text::OrEmpty;
use super::{ChallengeList, ImageBase64, validators};
use crate::Received;

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
    /// The session that StartLivenessSessionCommand has issued, where the SDK insists on a session id of its own. An empty text
    /// is none.
    #[validate(custom(function = "validators::session_id_or_empty"))]
    #[schemars(with = "Option<OrEmpty<SessionId>>")]
    pub issued_session_id: Option<String>,
    /// Whether the SDK calls the run a success.
    #[validate(required)]
    pub is_successful: Option<bool>,
    /// The captured face: a JPEG, PNG or WebP in Base64 of the standard or the URL-safe alphabet, with or without
    /// `data:<type>;base64,` before it. White space is ignored, and a text of nothing else is none. The
    /// padding with `=` may be left out, all of it or a part. At most 5 MiB decoded, unless the operator has set another
    /// limit, and at most 40,000,000 pixels by the image's header.
    #[validate(nested)]
    #[serde(default)]
    pub image_base64: ImageBase64,
    /// Where an image that was uploaded separately lies; without a `..` segment. Kept and given back as sent.
    /// An empty text is none.
    #[validate(custom(function = "validators::image_path_or_empty"))]
    #[schemars(with = "Option<OrEmpty<ImagePath>>")]
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
    /// RFC 3339, or ISO 8601 without an offset. `24:00:00` is the end of the day, and annotations in brackets after the
    /// offset are ignored. An empty text is none.
    #[validate(custom(function = "validators::instant_or_empty"))]
    #[schemars(with = "Option<OrEmpty<Timestamp>>")]
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
    pub completed_challenges: Option<ChallengeList>,
    /// Those that were presented.
    #[validate(custom(function = "validators::challenges"))]
    #[schemars(with = "Option<Challenges>")]
    pub challenges: Option<ChallengeList>,
    /// What the SDK measured of the final picture.
    #[validate(nested)]
    pub final_capture: Option<CaptureMetricsReport>,
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
