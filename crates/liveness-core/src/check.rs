//! One liveness check: before it is recorded, and as it was recorded.

use std::net::IpAddr;

use serde::Serialize;

use crate::{
    CaptureMetrics, ChallengeCount, Challenges, CompletionRule, FaceImage, ImagePath, ReceivedObject, SessionId,
    Timestamp, User,
};

/// What the SDK measured of the whole run: the known fields of `metadata`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SessionMetrics {
    /// Milliseconds since the Unix epoch by the phone's clock, not negative.
    pub timestamp: Option<i64>,
    /// When the run ended, by the phone's clock.
    pub completed_at: Option<Timestamp>,
    /// Outcome, duration and lighting of the run.
    pub run: CaptureMetrics,
    /// How many challenges were presented.
    pub challenge_count: Option<ChallengeCount>,
    /// Those that the user completed.
    pub completed_challenges: Option<Challenges>,
    /// Those that were presented.
    pub challenges: Option<Challenges>,
    /// What was measured of the final picture.
    pub final_capture: CaptureMetrics,
}

/// A check to be recorded.
#[derive(Debug, Clone)]
pub struct NewLivenessCheck {
    /// Whose it is.
    pub user: User,
    /// The SDK's session.
    pub session_id: SessionId,
    /// Whether the SDK calls it a success.
    pub is_successful: bool,
    /// What the SDK measured of the run.
    pub metrics: SessionMetrics,
    /// What the SDK measured of the image.
    pub image_metrics: CaptureMetrics,
    /// `metadata` as received.
    pub metadata: Option<ReceivedObject>,
    /// `imageMetadata` as received.
    pub image_metadata: Option<ReceivedObject>,
    /// The face.
    pub image: Option<FaceImage>,
    /// Where an image that was uploaded separately lies.
    pub image_path: Option<ImagePath>,
    /// The device that sent it.
    pub device: Option<DeviceInfo>,
    /// Where it came from.
    pub client_address: Option<IpAddr>,
    /// When, by the server's clock.
    pub created_at: Timestamp,
}

impl NewLivenessCheck {
    /// Whether it counts by itself, under [`CompletionRule::AnySuccessful`].
    pub fn passed(&self) -> bool {
        CompletionRule::AnySuccessful.accepts(self.is_successful, self.metrics.run.verification_result)
    }
}

/// The device that sent a check, as its headers tell.
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

/// A check as it was recorded, without its image. Fields are those of the columns, as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct LivenessCheck {
    /// The record's number.
    pub id: i64,
    /// `SelfServiceUser.Id` of whose it is.
    pub self_service_user_id: i64,
    /// The pre-registration that the user came from.
    pub pre_registration_id: Option<i64>,
    /// The SDK's session.
    pub session_id: String,
    /// Whether the SDK called it a success.
    pub is_successful: bool,
    /// Whether the SDK took it for a real person.
    pub verification_result: Option<bool>,
    /// How long the run took, in milliseconds.
    pub session_duration: Option<i32>,
    /// How well lit the face was, 0 to 1.
    pub lighting_value: Option<f64>,
    /// How many challenges were presented.
    pub challenge_count: Option<i32>,
    /// Those that the user completed.
    pub completed_challenges: Option<Vec<String>>,
    /// Whether the SDK took the final picture for a real face.
    pub final_capture_verification_result: Option<bool>,
    /// Whether the SDK took the image for a real face.
    pub image_verification_result: Option<bool>,
    /// Whether a face is stored with it.
    pub has_image: bool,
    /// Where an image that was uploaded separately lies.
    pub image_path: Option<String>,
    /// The device that sent it, as a JSON string.
    pub device_info: Option<String>,
    /// Where it came from.
    pub client_ip: Option<String>,
    /// When the run ended, by the phone's clock.
    pub completed_at: Option<Timestamp>,
    /// When it was recorded, by the server's clock.
    pub created_at: Timestamp,
}

/// What was recorded besides, which lists leave out.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckDetails {
    /// The challenges that were presented.
    pub challenges: Option<Vec<String>>,
    /// How long the final capture took, in milliseconds.
    pub final_capture_session_duration: Option<i32>,
    /// How well lit the face was in it, 0 to 1.
    pub final_capture_lighting_value: Option<f64>,
    /// How long the capture of the image took, in milliseconds.
    pub image_session_duration: Option<i32>,
    /// How well lit the face is in it, 0 to 1.
    pub image_lighting_value: Option<f64>,
    /// `metadata` as received.
    pub metadata: Option<ReceivedObject>,
    /// `imageMetadata` as received.
    pub image_metadata: Option<ReceivedObject>,
}

/// All that is known of one check.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckEvidence {
    /// The record.
    pub check: LivenessCheck,
    /// What lists leave out of it.
    pub details: CheckDetails,
    /// The face.
    pub image: Option<FaceImage>,
}
