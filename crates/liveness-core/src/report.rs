//! One liveness check before it is recorded: what the phone reports, and where it came from.

use std::net::IpAddr;

use serde::Serialize;

use crate::{
    Attestation, CaptureMetrics, ChallengeCount, Challenges, CompletionRule, FaceImage, ImagePath, ReceivedObject,
    SessionId, Timestamp, User,
};

/// The SDK's measurements of the whole run: the known fields of `metadata`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SessionMetrics {
    /// Milliseconds since the Unix epoch by the phone's clock. Never negative.
    pub timestamp: Option<i64>,
    /// When the run ended, by the phone's clock.
    pub completed_at: Option<Timestamp>,
    /// Outcome, duration and lighting of the run.
    pub run: CaptureMetrics,
    /// How many challenges were presented.
    pub challenge_count: Option<ChallengeCount>,
    /// The challenges that the user completed.
    pub completed_challenges: Option<Challenges>,
    /// The challenges that were presented.
    pub challenges: Option<Challenges>,
    /// The SDK's measurements of the final picture.
    pub final_capture: CaptureMetrics,
}

/// A check that is not recorded yet.
#[derive(Debug, Clone)]
pub struct NewLivenessCheck {
    /// The user that the check belongs to.
    pub user: User,
    /// The SDK's session.
    pub session_id: SessionId,
    /// The session that the server issued for this run, as the report names it.
    pub issued_session_id: Option<SessionId>,
    /// Whether the SDK calls it a success.
    pub is_successful: bool,
    /// The SDK's measurements of the run.
    pub metrics: SessionMetrics,
    /// The SDK's measurements of the image.
    pub image_metrics: CaptureMetrics,
    /// `metadata` as received.
    pub metadata: Option<ReceivedObject>,
    /// `imageMetadata` as received.
    pub image_metadata: Option<ReceivedObject>,
    /// The face.
    pub image: Option<FaceImage>,
    /// The path of an image that was uploaded separately.
    pub image_path: Option<ImagePath>,
    /// The device that sent the check.
    pub device: Option<DeviceInfo>,
    /// The address that the check came from.
    pub client_address: Option<IpAddr>,
    /// What another service attests of the phone and the app. A fact for the verdict, which is not stored.
    pub attestation: Option<Attestation>,
    /// The time of the check, by the server's clock.
    pub created_at: Timestamp,
}

impl NewLivenessCheck {
    /// Whether this check alone is enough to pass, under [`CompletionRule::AnySuccessful`].
    pub fn passed(&self) -> bool {
        CompletionRule::AnySuccessful.accepts(self.is_successful, self.metrics.run.verification_result)
    }
}

/// The device that sent a check, by the headers of the request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceInfo {
    /// `User-Agent`
    pub user_agent: Option<String>,
    /// `X-Device-Platform`
    pub device_platform: Option<String>,
    /// `X-App-Version`
    pub app_version: Option<String>,
}
